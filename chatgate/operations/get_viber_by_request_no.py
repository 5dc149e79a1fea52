"""GetViberByRequestNo: one request for a sender, and what became of it.

Source: SDK alibabacloud-cams20200606: all fields are strings, times are milliseconds. Words of ``State`` are ours but
for its example ``A``: every request has it. A request of another account is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.domain.sender_request import SenderRequest
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Parameter, String

NAME = "GetViberByRequestNo"

STATE = "A"

PARAMETERS: tuple[Parameter, ...] = (
    String("CustSpaceId", description="The space that it was filed for. Not given: any of the account."),
    String("RequestNo", required=True, description="The request.", example="5f0c6b0a9d3c4e2f8a7b6c5d"),
)

REQUEST = (
    Field("Id", description="Its number.", example="5f0c6b0a9d3c4e2f8a7b6c5d"),
    Field("RequestNo", description="Its number.", example="5f0c6b0a9d3c4e2f8a7b6c5d"),
    Field("RequestType", description="What was applied for.", example="viberOpen"),
    Field("State", description="`A`.", example=STATE),
    Field("AuditResult", description="`unAudit`, `pass` or `fail`.", example="pass"),
    Field("AuditTime", description="When it was decided, in milliseconds; empty: not yet.", example="1740830400000"),
    Field("Reason", description="Why it was decided so."),
    Field("MaapServiceNo", description="The Viber service id that was granted.", example="27549"),
    Field("SubscriberCode", description="Empty."),
    Field("Creator", description="AccessKeyId of who filed it.", example="LTAI5tExample"),
    Field("Modifier", description="Who changed it last.", example="LTAI5tExample"),
    Field("GmtCreate", description="When it was filed, in milliseconds.", example="1740830400000"),
    Field("GmtModifier", description="When it was changed last, in milliseconds.", example="1740830400000"),
    Field("AuditRecord", Kind.OBJECT, description="As it was filed."),
)
RESPONSE = (SUCCESS, Field("Data", Kind.OBJECT, description="The request.", fields=REQUEST))


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return a request. Raises ApiError when the call is refused, or there is none."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    found = await desk.senders.request(call, values["RequestNo"])
    if found is None or values["CustSpaceId"] not in (None, found.space_id):
        raise errors.invalid("RequestNo", "The account has no such request.")
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": data(call, found)}


def data(call: Call, found: SenderRequest) -> dict[str, object]:
    """Return a request as it is answered."""
    return {
        "Id": found.request_no, "RequestNo": found.request_no, "RequestType": found.request_type, "State": STATE,
        "AuditResult": found.result, "AuditTime": "" if found.audited_at is None else str(found.audited_at),
        "Reason": found.reason, "MaapServiceNo": found.service_id or "", "SubscriberCode": "",
        "Creator": found.creator, "Modifier": found.modifier, "GmtCreate": str(found.created_at),
        "GmtModifier": str(found.changed_at), "AuditRecord": found.record,
    }  # fmt: skip
