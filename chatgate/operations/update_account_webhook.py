"""UpdateAccountWebhook: where an account is told what became of its messages.

Source: SDK alibabacloud-cams20200606; cams facts 5.6. An empty URL, or ``HttpFlag=N``, takes the endpoint away (ours).
Queues are not built: ``QueueFlag=Y`` is refused, so that nobody waits for one.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.callbacks import guard
from chatgate.errors import NOT_OWNER, ApiError
from chatgate.operations.base import Call, Desk, Webhook
from chatgate.protocol import params
from chatgate.protocol.params import Choice, String

NAME = "UpdateAccountWebhook"

SPACE = String("CustSpaceId", required=True, description="The space.", example="282514865123580001")
STATUS_URL = String(
    "StatusCallbackUrl",
    maximum_length=2000,
    description="Where reports are posted. Not given: nowhere.",
    example="https://shop.example.com/viber/status",
)
FLAGS = (
    Choice("HttpFlag", values=("Y", "N"), description="N: reports are not posted.", example="Y"),
    Choice("QueueFlag", values=("Y", "N"), description="Only N: there are no queues.", example="N"),
)

PARAMETERS = (SPACE, STATUS_URL, *FLAGS)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    values = params.parse(PARAMETERS, call.params)
    check_space_and_queue(call, values)
    await desk.set_webhooks(call, [Webhook(sender="", kind="status", url=url(values, "StatusCallbackUrl"))])
    return {"Code": "OK", "Message": "OK"}


def check_space_and_queue(call: Call, values: Mapping[str, object]) -> None:
    """Refuse a space of another account, and a queue."""
    if values["CustSpaceId"] not in call.account.spaces:
        raise ApiError(NOT_OWNER)
    if values["QueueFlag"] == "Y":
        raise errors.invalid("QueueFlag", "Queues are not available; reports are posted to a URL.")


def url(values: Mapping[str, object], name: str) -> str | None:
    """Return a callback URL of the call, None where there is to be none."""
    given = values[name]
    if given is None or values["HttpFlag"] == "N":
        return None
    if (why := guard.check_url(str(given))) != "":
        raise errors.invalid(name, f"{name} cannot be used: {why}.")
    return str(given)
