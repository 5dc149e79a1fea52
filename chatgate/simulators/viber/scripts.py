"""What a recipient does, as data: how a send to it is answered, and what then happens on the phone, and when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

import msgspec

from chatgate.clock import MINUTE, SECOND, Instant
from chatgate.simulators.viber.durations import milliseconds


class Do(StrEnum):
    """One thing that happens on a phone and is told by a callback."""

    DELIVERED = "delivered"
    SEEN = "seen"
    EXPIRED = "expired"
    SUBSCRIBED = "subscribed"
    """The user unblocks the sender."""
    UNSUBSCRIBED = "unsubscribed"
    """The user blocks the sender: later sends get status 8."""
    REPLY = "reply"
    """The user writes a text."""


class Fault(StrEnum):
    """A way for a send to go wrong below the JSON."""

    UNAVAILABLE = "unavailable"
    """HTTP 503; nothing is accepted."""
    RESET = "reset"
    """The message is accepted, then the connection is reset without a reply."""
    HANG = "hang"
    """Nothing for ``Timing.hang``, then accepted and answered. If the caller hangs up before, nothing is accepted."""


class Wait(StrEnum):
    """A wait whose length is a setting (``Timing``) or comes from the message."""

    DELIVERY = "delivery"
    SEEN = "seen"
    REPLY = "reply"
    TTL = "ttl"
    """Until the message's time to live is over, exactly; counted from its acceptance."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Lengths in milliseconds; pairs are the shortest and the longest."""

    delivery: tuple[int, int] = (500, 1500)
    seen: tuple[int, int] = (2 * SECOND, 4 * SECOND)
    reply: tuple[int, int] = (1 * SECOND, 2 * SECOND)
    hang: int = 30 * SECOND
    callback_timeout: int = 5 * SECOND
    retries: tuple[int, ...] = (1 * SECOND, 10 * SECOND, 30 * SECOND, 1 * MINUTE + 30 * SECOND)
    """Waits between the attempts of one callback (8x8's schedule; Viber's is not public)."""


class Step(msgspec.Struct, frozen=True):
    """One thing to happen, so long after the step before it (the first: after acceptance)."""

    do: Do
    after: str = Wait.DELIVERY
    """A duration (``2s``) or a word of ``Wait``."""
    text: str = ""
    """What the user writes; for replies."""

    def __post_init__(self) -> None:
        if self.after not in set(Wait):
            milliseconds(self.after)


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recipient's behaviour."""

    answers: tuple[int | Fault, ...] = (0,)
    """Answer to the first, second, … send of one service; the last one repeats. 0 accepts."""
    steps: tuple[Step, ...] = ()
    """What happens after an accepted send; nothing is silence forever."""

    def __post_init__(self) -> None:
        if not self.answers:
            raise ValueError("answers: at least one is needed")

    @property
    def unblocks(self) -> bool:
        """Whether the user lifts a block: such a send is not stopped by one."""
        return any(step.do is Do.SUBSCRIBED for step in self.steps)


def plan(
    script: Script, *, timing: Timing, random: Random, accepted_at: Instant, ttl: int
) -> list[tuple[Step, Instant]]:
    """Return each step with its instant. ``ttl`` is in milliseconds."""
    ranges = {Wait.DELIVERY: timing.delivery, Wait.SEEN: timing.seen, Wait.REPLY: timing.reply}
    planned = []
    at = accepted_at
    for step in script.steps:
        if step.after == Wait.TTL:
            at = accepted_at + ttl
        elif step.after in ranges:
            at += random.randint(*ranges[Wait(step.after)])
        else:
            at += milliseconds(step.after)
        planned.append((step, at))
    return planned
