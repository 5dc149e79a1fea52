"""SendChatappMessage: one message to one receiver.

``parameters`` is what it takes, ``checks`` what is checked and in which order; this file says what the outcome means:

- A fault refuses the call, and nothing is stored.
- With ``FallBackRule=sentFailed`` and a fallback, a lenient fault does not: the message is accepted, fails with the
  first such fault, and falls back. What was wrong keeps its neutral value (the defaults of ``form.Form``).
- A paused or prohibited sender or template never refuses a call: the message is accepted, fails, and may fall back.

Source: page "Send Viber messages".
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.domain.message import Draft, Failure, RetryKey
from chatgate.errors import ApiError
from chatgate.operations.base import Call, Desk
from chatgate.operations.send_chatapp_message.checks import LENIENT, STRICT
from chatgate.operations.send_chatapp_message.form import Form
from chatgate.operations.send_chatapp_message.parameters import PARAMETERS
from chatgate.protocol.fields import Field

__all__ = ["CHANGES", "NAME", "PARAMETERS", "RESPONSE", "compose", "execute"]

NAME = "SendChatappMessage"
CHANGES = True
RESPONSE = (Field("MessageId", description="The message.", example="61851ccb2f1365b16aee0001"),)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Accept the message of a call. Raises ApiError when the call is refused or could not be stored."""
    draft, retry = compose(call, desk.default_ttl)
    message_id = await desk.accept(call, draft, retry)
    return {"Code": "OK", "Message": "OK", "MessageId": message_id}


def compose(call: Call, default_ttl: int) -> tuple[Draft, RetryKey | None]:
    """Return the message that a call asks for, and what makes another call the same call.

    Pure. ``default_ttl`` (seconds) is used when the call names no ``Ttl``. Raises ApiError for the first fault.
    """
    form = Form(call, default_ttl)
    for check in STRICT:
        check(form)
    for check in LENIENT:
        try:
            check(form)
        except ApiError as fault:
            if not form.lenient:
                raise
            form.failure = form.failure or Failure(code=fault.code, reason=fault.message)
    return form.draft(), form.retry_key(form.recipient)
