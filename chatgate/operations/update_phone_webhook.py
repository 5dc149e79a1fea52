"""UpdatePhoneWebhook: where an account is told about one sender, and where replies to it go.

Source: SDK alibabacloud-cams20200606; cams facts 5.6. A sender's own endpoint comes before the account's.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.operations.base import Call, Desk, Webhook
from chatgate.operations.update_account_webhook import FLAGS, SPACE, STATUS_URL, check_space_and_queue, url
from chatgate.protocol import params
from chatgate.protocol.params import String

NAME = "UpdatePhoneWebhook"

PARAMETERS = (
    SPACE,
    String("PhoneNumber", required=True, description="The sender: From of the calls.", example="27549"),
    STATUS_URL,
    String(
        "UpCallbackUrl",
        maximum_length=2000,
        description="Where replies of recipients are posted. Not given: nowhere.",
        example="https://shop.example.com/viber/inbound",
    ),
    *FLAGS,
)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    values = params.parse(PARAMETERS, call.params)
    check_space_and_queue(call, values)
    sender = str(values["PhoneNumber"])
    if sender not in call.account.senders:
        raise errors.invalid("PhoneNumber", "PhoneNumber is not a sender of the account.")
    webhooks = [
        Webhook(sender=sender, kind="status", url=url(values, "StatusCallbackUrl")),
        Webhook(sender=sender, kind="inbound", url=url(values, "UpCallbackUrl")),
    ]
    await desk.set_webhooks(call, webhooks)
    return {"Code": "OK", "Message": "OK"}
