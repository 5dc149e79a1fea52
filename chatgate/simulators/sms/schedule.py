"""When the fate of a part is known: a heap of due parts, driven by the clock that was handed in.

While it runs, a timer of the event loop looks at the clock whenever something should be due, and at least once a
second, since a clock may be moved. ``run_due`` does the same by hand.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from chatgate.clock import SECOND, Clock, Instant
from chatgate.simulators.sms.records import Part

LONGEST_SLEEP = SECOND
AT_ONCE = 500
"""Parts handled before other work gets its turn."""


class Schedule:
    """``ahead(sender)`` says by how many milliseconds a sender is ahead; call ``moved`` when it changes."""

    def __init__(self, clock: Clock, ahead: Callable[[str], int], act: Callable[[Part], None]) -> None:
        self._clock = clock
        self._ahead = ahead
        self._act = act
        self._rows: list[tuple[Instant, int, Part]] = []
        """Due in the clock's time, order, part."""
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def put(self, part: Part) -> None:
        """Add a part that has a due time."""
        self._count += 1
        heapq.heappush(self._rows, (self._due(part), self._count, part))
        if self._rows[0][1] == self._count:
            self._arm()

    def moved(self) -> None:
        """Take note that the time of somebody was moved."""
        self._rows = [(self._due(part), order, part) for _, order, part in self._rows]
        heapq.heapify(self._rows)
        self._arm()

    def next_due(self, sender: str | None) -> Instant | None:
        """Return when a sender (``None``: any) has something due next, in the clock's time."""
        if sender is None:
            return self._rows[0][0] if self._rows else None
        return min((due for due, _, part in self._rows if part.sender == sender), default=None)

    def run_due(self, at_most: int | None = None) -> None:
        """Do all that is due now."""
        now = self._clock.now()
        while at_most != 0 and self._rows and self._rows[0][0] <= now:
            self._act(heapq.heappop(self._rows)[2])
            at_most = None if at_most is None else at_most - 1

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arm()

    def stop(self) -> None:
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, part: Part) -> Instant:
        assert part.due is not None
        return part.due - self._ahead(part.sender)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._loop is not None and self._rows:
            sleep = min(max(self._rows[0][0] - self._clock.now(), 0), LONGEST_SLEEP)
            self._timer = self._loop.call_later(sleep / SECOND, self._tick)

    def _tick(self) -> None:
        self._timer = None
        try:
            self.run_due(AT_ONCE)
        finally:
            self._arm()
