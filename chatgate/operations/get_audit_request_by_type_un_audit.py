"""GetAuditRequestByTypeUnAudit: the newest open request of a type.

Source: SDK alibabacloud-cams20200606, in whose model ``CompanyRegisteredCountry`` is a list here, and a string
everywhere else. ``Data`` is empty when no request of the type is open (our choice: it is no fault).
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.domain.sender_request import AuditResult, SenderRequest
from chatgate.operations.add_audit_viber_open import SPACE
from chatgate.operations.base import Call, Desk, check_space
from chatgate.operations.get_viber_by_request_no import REQUEST, data
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Parameter, String

NAME = "GetAuditRequestByTypeUnAudit"

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    String("RequestType", required=True, description="Of AddAuditViberOpen: `viberOpen`.", example="viberOpen"),
)

OWNER = Field("AliUid", description="The account.", example="5551234567890")
RESPONSE = (
    SUCCESS,
    Field("Data", Kind.OBJECT, description="The request; nothing, where none is open.", fields=(*REQUEST, OWNER)),
)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return a request. Raises ApiError when the call is refused."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    wanted = (values["CustSpaceId"], values["RequestType"], AuditResult.OPEN)
    for found in await desk.senders.requests(call):
        if (found.space_id, found.request_type, found.result) == wanted:
            return {"Code": "OK", "Message": "OK", "Success": True, "Data": _data(call, found)}
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": {}}


def _data(call: Call, found: SenderRequest) -> dict[str, object]:
    answer, country = data(call, found), found.record.get("CompanyRegisteredCountry")
    record = found.record if country is None else found.record | {"CompanyRegisteredCountry": [country]}
    return answer | {"AliUid": str(call.account.account_id), "AuditRecord": record}
