"""What may happen to a message: the state machine, as one table.

Rules:

1. Every change of status is looked up here; nothing else decides one. What the table does not list changes nothing.
2. ``RANK`` orders the states of rest: unknown < expired < failed < delivered < read. A later receipt of a higher rank
   still wins, however late it comes, and rank never goes down (promise P13).
3. ``due_at`` says when a message next needs attention and why follows from its status alone (``on_due``). There is one
   clock per message, so that no second sweep can disagree with the first.

The tables are pure data; ``docs/state-machine.md`` is drawn from them.
"""

from __future__ import annotations

from enum import StrEnum

from chatgate.clock import MINUTE, Instant
from chatgate.domain.message import Label, Message, Outcome, Status
from chatgate.domain.receipt import ReceiptStatus


class Event(StrEnum):
    """What can happen."""

    CLAIMED = "claimed"
    """A dispatcher committed a new attempt; from now on a byte may leave."""
    SENT = "sent"
    REFUSED = "refused"
    DEFERRED = "deferred"
    LOST = "lost"
    """The outcome of the attempt is unknown: no reply, or the process died while it was open."""
    HELD = "held"
    """A rule of ours stopped it before a send (paused sender, poison)."""
    RAN_OUT = "ran out"
    """Its time to live passed, by our clock."""
    DELIVERED = "receipt: delivered"
    READ = "receipt: read"
    EXPIRED = "receipt: expired"
    UNDELIVERED = "receipt: undelivered"


_RECEIPTS = {
    Event.DELIVERED: Status.DELIVERED,
    Event.READ: Status.READ,
    Event.EXPIRED: Status.EXPIRED,
    Event.UNDELIVERED: Status.FAILED,
}

TRANSITIONS: dict[Status, dict[Event, Status]] = {
    Status.ACCEPTED: {
        Event.CLAIMED: Status.SENDING,
        Event.HELD: Status.FAILED,
        Event.RAN_OUT: Status.EXPIRED,
        # A receipt for a message that went back to the queue (deferred) means that an earlier try did get through.
        **_RECEIPTS,
    },
    Status.SENDING: {
        Event.SENT: Status.SENT,
        Event.REFUSED: Status.FAILED,
        Event.DEFERRED: Status.ACCEPTED,
        Event.LOST: Status.UNKNOWN,
        Event.HELD: Status.FAILED,
        Event.RAN_OUT: Status.EXPIRED,
        **_RECEIPTS,
    },
    Status.SENT: {Event.RAN_OUT: Status.EXPIRED, **_RECEIPTS},
    # Sent once more by the policy (CLAIMED), or resolved by a late reply or a receipt. RAN_OUT leaves it where it is:
    # at rest as unknown.
    Status.UNKNOWN: {
        Event.CLAIMED: Status.SENDING,
        Event.SENT: Status.SENT,
        Event.REFUSED: Status.FAILED,
        Event.DEFERRED: Status.ACCEPTED,
        **_RECEIPTS,
    },
    Status.EXPIRED: {Event.UNDELIVERED: Status.FAILED, Event.DELIVERED: Status.DELIVERED, Event.READ: Status.READ},
    Status.FAILED: {Event.DELIVERED: Status.DELIVERED, Event.READ: Status.READ},
    Status.DELIVERED: {Event.READ: Status.READ},
    Status.READ: {},
}

RANK: dict[Status, int] = {
    Status.ACCEPTED: 0,
    Status.SENDING: 0,
    Status.SENT: 0,
    Status.UNKNOWN: 1,
    Status.EXPIRED: 2,
    Status.FAILED: 3,
    Status.DELIVERED: 4,
    Status.READ: 5,
}

RESTING = frozenset({Status.EXPIRED, Status.FAILED, Status.DELIVERED, Status.READ})
"""States that wait for nothing. (Unknown rests too once its time to live is over.)"""

OUTCOME_EVENTS: dict[Outcome, Event] = {
    Outcome.SENT: Event.SENT,
    Outcome.REFUSED: Event.REFUSED,
    Outcome.DEFERRED: Event.DEFERRED,
    Outcome.THROTTLED: Event.DEFERRED,
    Outcome.UNKNOWN: Event.LOST,
}

RECEIPT_EVENTS: dict[ReceiptStatus, Event] = {
    ReceiptStatus.DELIVERED: Event.DELIVERED,
    ReceiptStatus.READ: Event.READ,
    ReceiptStatus.EXPIRED: Event.EXPIRED,
    ReceiptStatus.UNDELIVERED: Event.UNDELIVERED,
}

REST_MARGIN = MINUTE // 2
"""How long after its time to live a sent message still waits for the provider's last receipt. Within the promised
minute, with room for the sweep."""


def advance(status: Status, event: Event) -> Status | None:
    """Return the status after ``event``, or None where nothing changes."""
    after = TRANSITIONS[status].get(event)
    return None if after is status else after


class Due(StrEnum):
    """What a message needs when its ``due_at`` has come."""

    SEND = "send"
    """Claim it and make an attempt."""
    SEND_AGAIN = "send again"
    """The outcome of the last attempt is unknown and the policy allows one more."""
    LOST = "lost"
    """Its claimer died with an attempt open: the outcome is unknown."""
    RUN_OUT = "run out"
    """Its time is over."""
    REST = "rest"
    """Unknown, and its time is over: it stays so."""


def on_due(message: Message, now: Instant) -> Due:
    """Return what a due message needs. Depends on nothing but the message and the time."""
    over = now >= message.expires_at
    if message.status is Status.SENDING:
        return Due.LOST
    if message.status is Status.UNKNOWN:
        return Due.REST if over else Due.SEND_AGAIN
    if message.status is Status.SENT or over:
        return Due.RUN_OUT
    return Due.SEND


class UnknownPolicy(StrEnum):
    """What to do with an unknown outcome that no receipt resolves. One setting per label."""

    SEND_AGAIN = "send_again"
    """Send once more after a short wait: a duplicate is better than a missing one-time password."""
    HOLD = "hold"
    """Wait for a receipt until the time to live is over: a duplicate advertisement is worse than none."""


DEFAULT_UNKNOWN_POLICY = {Label.TRANSACTION: UnknownPolicy.SEND_AGAIN, Label.PROMOTION: UnknownPolicy.HOLD}
