"""ListViberServiceMessage: the Viber senders of the account, with what they were applied for.

Source: SDK alibabacloud-cams20200606. Senders belong to the account: every space of it lists the same. The words of
``State`` are in ``domain.sender_request``. Country ids are the countries as they were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatgate.channels import viber
from chatgate.domain.account import Sender
from chatgate.domain.sender_request import STATES
from chatgate.operations.add_audit_viber_open import SPACE
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Parameter

NAME = "ListViberServiceMessage"

PARAMETERS: tuple[Parameter, ...] = (SPACE,)

COUNTRIES = "213|DZ"
SERVICE = (
    Field("ServiceId", description="The Viber service id.", example="27549"),
    Field("State", description="`normal`, `stop`, `audit` or `fail`.", example="normal"),
    Field("BusinessAccountName", description="As it was applied for.", example="Shop"),
    Field("IndustryInvolved", description="As it was applied for.", example="Retail"),
    *(
        Field(name, Kind.ARRAY, description="As it was applied for.", example=COUNTRIES, of_texts=True)
        for name in (
            "MessageDestinationCountry", "MessageDestinationInternationalCountry", "DestinationCountryId",
            "DestinationInternationalCountryId",
        )
    ),
)  # fmt: skip
RESPONSE = (SUCCESS, Field("Data", Kind.ARRAY, description="The senders.", fields=SERVICE))


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return the senders. Raises ApiError when the call is refused."""
    params.parse(PARAMETERS, call.params)
    check_space(call)
    records: dict[str, Mapping[str, Any]] = {}
    for request in await desk.senders.requests(call):  # the newest first
        if request.sender is not None:
            records.setdefault(request.sender, request.record)
    own = [sender for sender in call.account.senders.values() if sender.channel == viber.NAME]
    data = [_entry(sender, records.get(sender.sender, {})) for sender in own]
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": data}


def _entry(sender: Sender, record: Mapping[str, Any]) -> dict[str, object]:
    local = record.get("MessageDestinationCountry", [])
    abroad = record.get("MessageDestinationInternationalCountry", [])
    return {
        "ServiceId": sender.service_id, "State": STATES[sender.standing],
        "BusinessAccountName": record.get("BusinessAccountName", ""),
        "IndustryInvolved": record.get("IndustryInvolved", ""),
        "MessageDestinationCountry": local, "MessageDestinationInternationalCountry": abroad,
        "DestinationCountryId": local, "DestinationInternationalCountryId": abroad,
    }  # fmt: skip
