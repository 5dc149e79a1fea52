"""SendChatappMassMessage: one template to as many as a thousand receivers, accepted in one step: all or none.

The checks are those of SendChatappMessage, in this order; the first fault refuses the whole call, and the message names
the entry:

1. ``ChannelType``, ``From``
2. ``SenderList`` is given; has 1 to 1,000 objects; each has a ``To`` that is digits and a number
3. ``CustSpaceId``, the sender, ``FallBack*``
4. ``Label``, ``TemplateCode`` and ``Language``, ``Ttl``, ``Tag``, ``TaskId``
5. ``TemplateParams`` of each entry

With ``FallBackRule=sentFailed`` and a fallback, 4 and 5 are lenient: what 4 finds fails every message, what 5 finds
fails the message of that entry.

A call is the same as an earlier one (safe retries) by its ``Idempotency-Key``, or, where the space says so, by its
``TaskId`` and all its receivers.

Source: SDK alibabacloud-cams20200606; the order and what repeats a call are our choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from chatgate.domain.message import Draft, Failure, RetryKey
from chatgate.errors import ApiError
from chatgate.operations.base import Call, Desk
from chatgate.operations.send_chatapp_mass_message.parameters import PARAMETERS, SENDER_LIST, TEMPLATE_PARAMS, TO
from chatgate.operations.send_chatapp_message import form as every
from chatgate.operations.send_chatapp_message.form import Form
from chatgate.protocol import params
from chatgate.protocol.fields import Field

__all__ = ["CALLS_PER_SECOND", "CHANGES", "NAME", "PARAMETERS", "RESPONSE", "compose", "execute"]

NAME = "SendChatappMassMessage"
CHANGES = True
CALLS_PER_SECOND = 10  # published metadata of CAMS (2024)
RESPONSE = (Field("GroupMessageId", description="The mass sending.", example="61851ccb2f1365b16aee0002"),)

R = TypeVar("R")

Entry = Mapping[str, Any]

_STRICT: tuple[Callable[[Form], None], ...] = (every.space, every.sender, every.fallback_order)
_LENIENT: tuple[Callable[[Form], None], ...] = (every.label, every.template, every.ttl, every.tag, every.task_id)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Accept the messages of a call. Raises ApiError when the call is refused or could not be stored."""
    drafts, retry = compose(call, desk.default_ttl)
    group_id = await desk.accept_group(call, drafts, retry)
    return {"Code": "OK", "Message": "OK", "GroupMessageId": group_id}


def compose(call: Call, default_ttl: int) -> tuple[list[Draft], RetryKey | None]:
    """Return the messages that a call asks for, in the order of its entries, and what makes another call the same.

    Pure. ``default_ttl`` (seconds) is used when the call names no ``Ttl``. Raises ApiError for the first fault.
    """
    form = Form(call, default_ttl)
    every.channel_type(form)
    every.from_(form)
    entries: list[Entry] = params.value(SENDER_LIST, call.params)
    recipients = [_of_entry(number, _recipient, entry) for number, entry in enumerate(entries, 1)]
    for check in _STRICT:
        check(form)
    for check in _LENIENT:
        try:
            check(form)
        except ApiError as fault:
            if not form.lenient:
                raise
            form.failure = form.failure or Failure(code=fault.code, reason=fault.message)
    return _drafts(form, entries, recipients), form.retry_key("\0".join(["mass", *recipients]))


def _drafts(form: Form, entries: Sequence[Entry], recipients: Sequence[str]) -> list[Draft]:
    common = form.draft()

    def filled(entry: Entry) -> dict[str, object]:
        if form.template is None:
            return {}
        given = params.member(TEMPLATE_PARAMS, entry) or {}
        content, partner_template = every.filled(form, form.template, given)
        shape = form.template.message_type
        return {"content": content, "message_type": shape, "partner_template": partner_template}

    drafts = []
    for number, (entry, recipient) in enumerate(zip(entries, recipients, strict=True), 1):
        own: dict[str, object]
        try:
            own = _of_entry(number, filled, entry)
        except ApiError as fault:
            if not form.lenient:
                raise
            own = {"failure": form.failure or Failure(code=fault.code, reason=fault.message)}
        drafts.append(msgspec.structs.replace(common, recipient=recipient, **own))
    return drafts


def _recipient(entry: Entry) -> str:
    return every.check_number(params.member(TO, entry))


def _of_entry(number: int, check: Callable[[Entry], R], entry: Entry) -> R:
    """Return what a check finds in an entry; its refusal names the entry."""
    try:
        return check(entry)
    except ApiError as fault:
        raise ApiError(fault.row, f"Entry {number} of SenderList: {fault.message}", param=fault.param) from None
