"""AddAddressRecoverSuspend: the account applies for suspending, or taking up again, messages to some countries.

Source: SDK alibabacloud-cams20200606. The SDK names no words for ``RequestType``: any is kept, and given back.
What an operator grants is not enforced by country here: no public source says how the service does it.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.domain import sender_request
from chatgate.operations.add_audit_viber_open import FILED, read_record
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS
from chatgate.protocol.params import JsonObject, Parameter, String

NAME = "AddAddressRecoverSuspend"
CHANGES = True

PARAMETERS: tuple[Parameter, ...] = (
    String("CustSpaceId", description="The space. Not given: the first space of the account."),
    String("RequestType", maximum_length=64, description="What is applied for, in your own word."),
    JsonObject(
        "AuditRecord",
        description="Countries, date and reason.",
        example='{"MessageDestinationCountry":["213|DZ"],"ApplyReason":"season"}',
    ),
)

RESPONSE = (SUCCESS, FILED)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """File a request. Raises ApiError when the call is refused; then nothing was filed."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    space_id = values["CustSpaceId"] or next(iter(call.account.spaces), None)
    if space_id is None:
        raise errors.invalid("CustSpaceId", "The account has no space.")
    record = read_record(call, values["AuditRecord"])
    kind = values["RequestType"] or sender_request.DESTINATIONS
    request_no = await desk.senders.file(call, space_id, kind, record)
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": {"RequestNo": request_no}}
