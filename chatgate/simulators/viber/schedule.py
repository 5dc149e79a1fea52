"""When things are done: the due queue, driven by the clock that was handed in.

While it runs, a timer of the event loop looks at the clock whenever something should be due, and at least once a
second, since a clock may be moved. ``run_due`` does the same by hand.
"""

from __future__ import annotations

import asyncio

from chatgate.clock import SECOND, Clock, Instant
from chatgate.simulators.viber.due_queue import Action, DueQueue, Row
from chatgate.simulators.viber.world import World

LONGEST_SLEEP = SECOND
AT_ONCE = 500
"""Actions done before other work gets its turn."""


class Schedule:
    """All waiting of the partner."""

    def __init__(self, clock: Clock, world: World) -> None:
        self._clock = clock
        self._world = world
        self._queue = DueQueue(world.ahead)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: Instant = 0

    def now(self, service_id: int) -> Instant:
        """Return the time of a service."""
        return self._clock.now() + self._world.ahead(service_id)

    def at(self, service_id: int, instant: Instant, action: Action) -> Row:
        """Do something at an instant of the service's time."""
        row = self._queue.put(service_id, instant, action)
        self._arm()
        return row

    def after(self, service_id: int, milliseconds: int, action: Action) -> Row:
        return self.at(service_id, self.now(service_id) + milliseconds, action)

    def cancel(self, row: Row) -> None:
        self._queue.cancel(row)

    def moved(self, service_id: int | None) -> None:
        """Take note that the time of one service (``None``: of all) was moved."""
        self._queue.moved(service_id)
        self._arm()

    def next_due(self, service_id: int | None) -> Instant | None:
        """Return when something is due next, in the clock's time."""
        return self._queue.next_due(service_id)

    def run_due(self, at_most: int | None = None) -> None:
        """Do all that is due now."""
        while at_most != 0 and (action := self._queue.pop(self._clock.now())) is not None:
            action()
            at_most = None if at_most is None else at_most - 1

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arm()

    def stop(self) -> None:
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        due = self._queue.next_due()
        if self._loop is None or due is None or (self._timer is not None and self._timer_at <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        sleep = min(max(due - self._clock.now(), 0), LONGEST_SLEEP)
        self._timer_at = due
        self._timer = self._loop.call_later(sleep / 1000, self._tick)

    def _tick(self) -> None:
        self._timer = None
        try:
            self.run_due(AT_ONCE)
        finally:
            self._arm()
