"""When the SMS goes out instead, and when it is called off: a second state machine, coupled to the message's.

Rules:

1. At most one SMS a message: ``FIRED`` is left by nothing, and the store moves to it by one compare-and-set.
2. A committed delivery calls it off; a delivery that comes after it fired changes nothing here (the recipient has both,
   which is noted).
3. Whatever would fire it more than ``LATE_LIMIT`` after it should have fired holds it instead, for an operator.
4. Somebody who blocked the sender gets no promotional SMS, unless the space says that consent exists.

Source: page "Send Viber messages", ``FallBackDuration`` and ``FallBackRule``. ``docs/state-machine.md`` is drawn from
this table.
"""

from __future__ import annotations

from enum import StrEnum

from chatgate.clock import MINUTE, SECOND, Instant
from chatgate.domain.message import (
    Content,
    Draft,
    FallbackOrder,
    FallbackState,
    Label,
    Message,
    MessageKind,
    MessageType,
    Status,
)

LATE_LIMIT = 15 * MINUTE
"""How late a fallback may fire by itself. After a longer outage it is held for an operator: a storm of old messages
helps nobody (promise P16)."""

SMS_TTL = 24 * 3600
"""Seconds that the SMS centre may try: a day, as SMS centres usually do. Ours."""

ARRIVED = (Status.DELIVERED, Status.READ)
ENDED = (Status.FAILED, Status.EXPIRED, Status.UNKNOWN)
"""The statuses that mean something for a fallback; ``UNKNOWN`` at rest only: its time is over, and nobody knows."""

BLOCKED = "SRVC_USER_BLOCKED"
"""The failure of a message whose recipient blocked the sender."""


class FallbackEvent(StrEnum):
    """What can happen to a fallback."""

    DUE = "its time came"
    LATE = "its time passed long ago"
    FAILED = "the message failed"
    BLOCKED = "the recipient blocked the sender"
    DELIVERED = "the message was delivered"
    RELEASED = "an operator released it"
    DROPPED = "an operator dropped it"
    UNREADABLE = "the stored message cannot be read"


_CALLS_OFF = {
    event: FallbackState.CALLED_OFF
    for event in (FallbackEvent.BLOCKED, FallbackEvent.DELIVERED, FallbackEvent.UNREADABLE)
}

TRANSITIONS: dict[FallbackState, dict[FallbackEvent, FallbackState]] = {
    FallbackState.ARMED: {
        FallbackEvent.DUE: FallbackState.FIRED,
        FallbackEvent.FAILED: FallbackState.FIRED,
        FallbackEvent.LATE: FallbackState.HELD,
        **_CALLS_OFF,
    },
    FallbackState.HELD: {
        FallbackEvent.RELEASED: FallbackState.FIRED,
        FallbackEvent.DROPPED: FallbackState.CALLED_OFF,
        **_CALLS_OFF,
    },
    FallbackState.FIRED: {},
    FallbackState.CALLED_OFF: {},
}


def advance(state: FallbackState, event: FallbackEvent) -> FallbackState | None:
    """Return the state after ``event``, None where nothing changes."""
    return TRANSITIONS[state].get(event)


def on_status(message: Message, status: Status, failure_code: str | None, now: Instant) -> FallbackEvent | None:
    """Return what a new status of ``message`` means for its fallback (the coupling of the two machines)."""
    if status in ARRIVED:
        return FallbackEvent.DELIVERED
    if status not in ENDED:
        return None
    if failure_code == BLOCKED and not may_text_blocked(message):
        return FallbackEvent.BLOCKED
    # Without an outage a failure is known when the message's time is over, and before the fallback's time comes.
    latest = message.expires_at if message.fallback_at is None else min(message.expires_at, message.fallback_at)
    return FallbackEvent.LATE if now - latest > LATE_LIMIT else FallbackEvent.FAILED


def on_time(fallback_at: Instant, now: Instant) -> FallbackEvent:
    """Return what it means that the fallback's time has come."""
    return FallbackEvent.LATE if now - fallback_at > LATE_LIMIT else FallbackEvent.DUE


def may_text_blocked(message: Message) -> bool:
    """Whether an SMS may go to somebody who blocked the Viber sender."""
    order = message.draft.fallback
    return message.draft.label is not Label.PROMOTION or (order is not None and order.consent)


def due_at(accepted_at: Instant, order: FallbackOrder) -> Instant | None:
    """Return when the fallback fires without a delivered receipt; None: only on failure."""
    return None if order.duration is None else accepted_at + order.duration * SECOND


def sms(parent: Draft, order: FallbackOrder) -> Draft:
    """Return the SMS that is sent instead: an ordinary message."""
    return Draft(
        account_id=parent.account_id, space_id=parent.space_id, channel="sms", sender=order.sms_sender,
        service_id=order.sms_sender, recipient=parent.recipient, kind=MessageKind.MESSAGE,
        message_type=MessageType.TEXT, label=parent.label, content=Content(text=order.content), ttl=SMS_TTL,
        task_id=parent.task_id,
    )  # fmt: skip


def time_to_live(ttl: int | None, order: FallbackOrder | None, *, clamp: bool) -> int | None:
    """Return the Viber message's time to live in seconds, so that nobody gets both if it can be helped.

    Without a Ttl in the call it is the fallback's time. A longer one is honoured, unless the space says ``clamp``.
    """
    duration = order.duration if order is not None else None
    if duration is None:
        return ttl
    return duration if ttl is None else min(ttl, duration) if clamp else ttl
