"""UpdateAccountWebhook: where an account is told what became of its messages.

Source: SDK alibabacloud-cams20200606; what it leaves open is our choice:

- A URL that is not given stays as it is. An empty one, or ``HttpFlag=N``, takes the endpoint away.
- Endpoints belong to the account: it has one set, whichever of its spaces the call names.
- Queues are not built: ``QueueFlag=Y`` is refused, so that nobody waits for one.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.callbacks import guard
from chatgate.errors import MISSING, NOT_OWNER, ApiError
from chatgate.operations.base import Call, Desk, Webhook
from chatgate.protocol import params
from chatgate.protocol.params import Choice, String

NAME = "UpdateAccountWebhook"
CHANGES = True
CALLS_PER_SECOND = 10  # published metadata of CAMS (2024)

SPACE = String("CustSpaceId", required=True, description="A space of the account.", example="282514865123580001")
STATUS_URL = String(
    "StatusCallbackUrl",
    maximum_length=2000,
    description="Where reports are posted. Empty: nowhere. Not given: as before.",
    example="https://shop.example.com/viber/status",
)
FLAGS = (
    Choice("HttpFlag", values=("Y", "N"), description="N: reports are not posted.", example="Y"),
    Choice("QueueFlag", values=("Y", "N"), description="Only N: there are no queues.", example="N"),
)

PARAMETERS = (SPACE, STATUS_URL, *FLAGS)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Set the account's endpoint. Raises ApiError when the call is refused; then nothing was changed."""
    values = params.parse(PARAMETERS, call.params)
    check_space_and_queue(call, values)
    await desk.set_webhooks(call, webhooks(call, values, sender="", kinds={STATUS_URL.name: "status"}))
    return {"Code": "OK", "Message": "OK"}


def check_space_and_queue(call: Call, values: Mapping[str, object]) -> None:
    """Refuse a space of another account, and a queue."""
    if values["CustSpaceId"] not in call.account.spaces:
        raise ApiError(NOT_OWNER, param="CustSpaceId")
    if values["QueueFlag"] == "Y":
        raise errors.invalid("QueueFlag", "Queues are not available; reports are posted to a URL.")


def webhooks(call: Call, values: Mapping[str, object], *, sender: str, kinds: Mapping[str, str]) -> list[Webhook]:
    """Return what a call says about endpoints; ``kinds`` has the kind of each by the parameter that holds its URL.

    Raises ApiError when it says nothing, or names a URL that cannot be used.
    """
    off = values["HttpFlag"] == "N"
    said = [name for name in kinds if off or name in call.params]
    if not said:
        raise ApiError(MISSING, f"{' or '.join(kinds)} is needed, or HttpFlag=N.", param=next(iter(kinds)))
    return [Webhook(sender=sender, kind=kinds[name], url=None if off else _url(name, values[name])) for name in said]


def _url(name: str, given: object) -> str | None:
    if given is None:
        return None
    if (why := guard.check_url(str(given))) != "":
        raise errors.invalid(name, f"{name} cannot be used: {why}.")
    return str(given)
