"""QueryChatappPhoneNumbers: lists the senders of the account, and where each is told what became of its messages.

Source: SDK alibabacloud-cams20200606. What it leaves open is our choice: the words of ``Status`` for a Viber sender are
in ``STATUSES``; senders belong to the account, whichever space the call names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chatgate.domain.account import Sender, Standing
from chatgate.errors import NOT_OWNER, ApiError
from chatgate.operations.base import Call, Desk, Webhook
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Choice, String

NAME = "QueryChatappPhoneNumbers"
CALLS_PER_SECOND = 10  # published metadata of CAMS (2024)

STATUSES = {
    Standing.APPROVED: "CONNECTED",
    Standing.PAUSED: "RESTRICTED",
    Standing.PROHIBITED: "BANNED",
    Standing.PENDING: "PENDING",
    Standing.REJECTED: "DISCONNECTED",
}

PARAMETERS = (
    String("CustSpaceId", description="A space of the account.", example="282514865123580001"),
    Choice("Status", values=tuple(STATUSES.values()), description="Only with this status.", example="CONNECTED"),
    String("IsvCode", description="Not used."),
)

NUMBER = (
    Field("PhoneNumber", description="The sender: From of the calls.", example="27549"),
    Field("Status", description="`CONNECTED`: it may send.", example="CONNECTED"),
    Field("CodeVerificationStatus", description="Whether it was approved once.", example="VERIFIED"),
    Field("StatusCallbackUrl", description="Where reports go.", example="https://shop.example.com/viber/status"),
    Field("UpCallbackUrl", description="Where replies go.", example="https://shop.example.com/viber/replies"),
)
RESPONSE = (SUCCESS, Field("PhoneNumbers", Kind.ARRAY, description="The senders.", fields=NUMBER))


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return the senders. Raises ApiError when the call is refused."""
    values = params.parse(PARAMETERS, call.params)
    if values["CustSpaceId"] is not None and values["CustSpaceId"] not in call.account.spaces:
        raise ApiError(NOT_OWNER, param="CustSpaceId")
    webhooks = await desk.listening(call)
    numbers = [
        _number(sender, webhooks)
        for sender in call.account.senders.values()
        if values["Status"] in (None, STATUSES[sender.standing])
    ]
    return {"Code": "OK", "Message": "OK", "Success": True, "PhoneNumbers": numbers}


def _number(sender: Sender, webhooks: Sequence[Webhook]) -> dict[str, str]:
    return {
        "PhoneNumber": sender.sender, "Status": STATUSES[sender.standing],
        "CodeVerificationStatus": "VERIFIED" if sender.standing.was_approved else "NOT_VERIFIED",
        "StatusCallbackUrl": _url(sender, "status", webhooks), "UpCallbackUrl": _url(sender, "inbound", webhooks),
    }  # fmt: skip


def _url(sender: Sender, kind: str, webhooks: Sequence[Webhook]) -> str:
    """Return where news of a sender go: its own endpoint, else the account's."""
    urls = {webhook.sender: webhook.url for webhook in webhooks if webhook.kind == kind}
    return urls.get(sender.sender) or urls.get("") or ""
