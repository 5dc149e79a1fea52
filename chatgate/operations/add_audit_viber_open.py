"""AddAuditViberOpen: the account applies for sending by Viber; the operator decides.

Source: SDK alibabacloud-cams20200606. ``Data`` is documented as a map without keys: ``RequestNo`` is what
UpdateAuditRequest is documented to return. ``AuditResult`` is the reviewer's: what a caller says of it is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatgate import errors
from chatgate.domain import sender_request
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import JsonObject, Parameter, String

NAME = "AddAuditViberOpen"
CHANGES = True

LONGEST_RECORD = 65_536
"""Characters of ``AuditRecord``; ours."""

SPACE = String("CustSpaceId", required=True, description="A space of the account.", example="282514865123580001")
AUDIT_RESULT = String("AuditResult", description="Not used: the operator decides.", example="unAudit")
RECORD = "Who applies, as the partner wants to know it."

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    JsonObject("AuditRecord", description=RECORD, example='{"BusinessAccountName":"Shop"}'),
    AUDIT_RESULT,
)

FILED = Field(
    "Data",
    Kind.OBJECT,
    description="What was filed.",
    fields=(Field("RequestNo", description="Its number.", example="5f0c6b0a9d3c4e2f8a7b6c5d"),),
)
RESPONSE = (SUCCESS, FILED)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """File a request. Raises ApiError when the call is refused; then nothing was filed."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    request_no = await desk.senders.file(
        call, values["CustSpaceId"], sender_request.OPEN, read_record(call, values["AuditRecord"])
    )
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": {"RequestNo": request_no}}


def read_record(call: Call, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what an AuditRecord says. Raises ApiError when it is wrong."""
    if len(call.params.get("AuditRecord", "")) > LONGEST_RECORD:
        raise errors.invalid("AuditRecord", f"AuditRecord must have at most {LONGEST_RECORD} characters.")
    return sender_request.read_record(given or {})
