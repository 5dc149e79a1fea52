"""UpdateAuditRequest: another record for a request that is still open.

Source: SDK alibabacloud-cams20200606. A request of another account, or of another space, is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.operations.add_audit_viber_open import AUDIT_RESULT, FILED, RECORD, SPACE, read_record
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS
from chatgate.protocol.params import JsonObject, Parameter, String

NAME = "UpdateAuditRequest"
CHANGES = True

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    String("RequestNo", required=True, description="The request.", example="5f0c6b0a9d3c4e2f8a7b6c5d"),
    JsonObject("AuditRecord", required=True, description=RECORD, example='{"BusinessAccountName":"Shop"}'),
    AUDIT_RESULT,
)

RESPONSE = (SUCCESS, FILED)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Change a request. Raises ApiError when the call is refused; then nothing was changed."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    record = read_record(call, values["AuditRecord"])
    await desk.senders.revise(call, values["CustSpaceId"], values["RequestNo"], record)
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": {"RequestNo": values["RequestNo"]}}
