"""UpdatePhoneWebhook: where an account is told about one sender, and where replies to it go.

A sender's own endpoint comes before the account's. What is not given stays as it is, as in ``update_account_webhook``.
Source: SDK alibabacloud-cams20200606.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.operations.base import Call, Desk
from chatgate.operations.update_account_webhook import FLAGS, SPACE, STATUS_URL, check_space_and_queue, webhooks
from chatgate.protocol import params
from chatgate.protocol.params import String

NAME = "UpdatePhoneWebhook"
CHANGES = True
CALLS_PER_SECOND = 10  # published metadata of CAMS (2024)

UP_URL = String(
    "UpCallbackUrl",
    maximum_length=2000,
    description="Where replies are posted. Empty: nowhere. Not given: as before.",
    example="https://shop.example.com/viber/inbound",
)

PARAMETERS = (
    SPACE,
    String("PhoneNumber", required=True, description="The sender: From of the calls.", example="27549"),
    STATUS_URL,
    UP_URL,
    *FLAGS,
)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Set the endpoints of a sender. Raises ApiError when the call is refused; then nothing was changed."""
    values = params.parse(PARAMETERS, call.params)
    check_space_and_queue(call, values)
    sender = values["PhoneNumber"]
    if sender not in call.account.senders:
        raise errors.invalid("PhoneNumber", "PhoneNumber is not a sender of the account.")
    kinds = {STATUS_URL.name: "status", UP_URL.name: "inbound"}
    await desk.set_webhooks(call, webhooks(call, values, sender=sender, kinds=kinds))
    return {"Code": "OK", "Message": "OK"}
