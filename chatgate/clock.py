"""Time as a value that is handed in.

Inside, an instant is an ``int``: milliseconds since 1970, UTC. It becomes an aware ``datetime`` where people read it.
Domain code takes ``now`` as an argument and never asks.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock(Protocol):
    """What asks for the time depends on this."""

    def now(self) -> Instant:
        """Return the current instant, in milliseconds."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        return time.time_ns() // 1_000_000


class HandClock:
    """A clock that stands still until it is moved; for tests."""

    def __init__(self, now: Instant = 1_740_830_400_000) -> None:
        self._now = now

    def now(self) -> Instant:
        return self._now

    def advance(self, milliseconds: int) -> None:
        self._now += milliseconds

    def set(self, now: Instant) -> None:
        self._now = now


def as_text(instant: Instant) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
