"""SendChatappMessage: turns a call into a message that the store accepts.

``parameters`` is what it takes, ``checks`` what is checked and in which order; this file says what the outcome means:

- A fault refuses the call, and nothing is stored.
- With ``FallBackRule=sentFailed`` and a fallback, a lenient fault does not: the message is accepted, fails with the
  first such fault, and falls back. What was wrong keeps its neutral value (the defaults of ``checks.Form``).
- A paused or prohibited sender or template never refuses a call: the message is accepted, fails, and may fall back.

Source: page "Send Viber messages".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from chatgate.domain.account import Standing
from chatgate.domain.message import Draft, Failure, RetryKey
from chatgate.errors import ApiError
from chatgate.operations.base import Call, Desk
from chatgate.operations.send_chatapp_message.checks import LENIENT, STRICT, Form
from chatgate.operations.send_chatapp_message.parameters import PARAMETERS

__all__ = ["CHANGES", "NAME", "PARAMETERS", "compose", "execute"]

NAME = "SendChatappMessage"
CHANGES = True

# Ours: the codes of the partner name other things.
SENDER_FAILURES = {
    Standing.PAUSED: Failure(code="SenderPaused", reason="The sender is paused."),
    Standing.PROHIBITED: Failure(code="SenderProhibited", reason="The sender is prohibited."),
}
TEMPLATE_FAILURES = {
    Standing.PAUSED: Failure(code="TemplatePaused", reason="The template is paused."),
    Standing.PROHIBITED: Failure(code="TemplateProhibited", reason="The template is prohibited."),
}


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
    return _draft(form), _retry_key(form)


def _draft(form: Form) -> Draft:
    failure = form.failure or SENDER_FAILURES.get(form.sender.standing)
    if failure is None and form.template is not None:
        failure = TEMPLATE_FAILURES.get(form.template.standing)
    return Draft(
        account_id=form.call.account.account_id,
        space_id=form.space.space_id,
        channel=form.channel.NAME,
        sender=form.sender_id,
        service_id=form.sender.service_id,
        recipient=form.recipient,
        kind=form.kind,
        message_type=form.message_type,
        label=form.label,
        content=form.content,
        ttl=form.ttl,
        template_code=form.template_code,
        language=form.language,
        partner_template=form.partner_template,
        tag=form.tag,
        tracking_data=form.tracking_data,
        task_id=form.task_id,
        fallback=form.fallback,
        failure=failure,
    )


def _retry_key(form: Form) -> RetryKey | None:
    if form.call.idempotency_key is not None:
        kind, word = "key", form.call.idempotency_key
    elif form.space.retry_by_task and form.task_id is not None:
        kind, word = "task", f"{form.recipient}\0{form.task_id}"
    else:
        return None
    business = msgspec.json.encode(sorted(form.call.params.items()))
    return RetryKey(
        key=hashlib.sha256(f"{kind}\0{form.space.space_id}\0{word}".encode()).digest(),
        fingerprint=hashlib.sha256(business).digest(),
    )
