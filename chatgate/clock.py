"""Time as a value that is handed in.

Inside, an instant is an ``int``: milliseconds since 1970, UTC. It becomes an aware ``datetime`` where people read it.
Domain code takes ``now`` as an argument and never asks.

A machine's clock can be set while the program runs, by hours. The monotonic clock is not set with it, which shows the
jump: from then on the clock is not *steady*, and nothing that compares stored instants with now is done until somebody
trusts it again (``workers.clock_keeper``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


JUMP = 5 * SECOND
"""A change of the wall clock against the monotonic one beyond which it counts as set. A leap second and what time
synchronisation corrects in its daily work are below. Ours."""

NANOSECONDS = 1_000_000
"""In a millisecond."""


class Clock(Protocol):
    """What asks for the time depends on this."""

    def now(self) -> Instant:
        """Return the current instant, in milliseconds."""
        ...

    def is_steady(self) -> bool:
        """Whether stored instants may be compared with now. To be asked after ``now``: it then holds for what that
        returned."""
        ...


@dataclass(frozen=True, slots=True)
class Jump:
    """How far a clock was set since it was last trusted."""

    by: int
    """Milliseconds, all jumps together; below zero: back."""
    at: int
    """Nanoseconds of the monotonic clock at the last of them."""


class SystemClock:
    """The machine's clock. ``now`` is for any thread, the rest for the thread of the event loop."""

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, monotonic: Callable[[], int] = time.monotonic_ns
    ) -> None:
        """Both in nanoseconds."""
        self._wall = wall
        self._monotonic = monotonic
        self._offset = self._compared()
        self.jump: Jump | None = None
        """What has happened since the clock was last trusted."""

    def now(self) -> Instant:
        return self._wall() // NANOSECONDS

    def is_steady(self) -> bool:
        offset = self._compared()
        by = (offset - self._offset) // NANOSECONDS
        self._offset = offset
        if abs(by) > JUMP:
            before = 0 if self.jump is None else self.jump.by
            self.jump = Jump(by=before + by, at=self._monotonic())
        return self.jump is None

    def quiet_for(self) -> int:
        """Return the milliseconds since the last jump; 0 where there was none since the clock was trusted."""
        return 0 if self.jump is None else (self._monotonic() - self.jump.at) // NANOSECONDS

    def trust(self) -> None:
        """Take the time as true."""
        self.jump = None

    def _compared(self) -> int:
        """Return how far the wall clock is ahead of the monotonic one, both read at the same moment."""
        while True:
            before = self._monotonic()
            wall = self._wall()
            if self._monotonic() - before < SECOND * NANOSECONDS:  # else the process was stopped in between
                return wall - before


class HandClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, now: Instant = 1_740_830_400_000) -> None:
        self._now = now
        self.steady = True

    def now(self) -> Instant:
        return self._now

    def is_steady(self) -> bool:
        return self.steady

    def advance(self, milliseconds: int) -> None:
        self._now += milliseconds

    def set(self, now: Instant) -> None:
        self._now = now


def as_text(instant: Instant) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
