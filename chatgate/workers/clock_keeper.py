"""Watches the machine's clock: alarm when it was set, a minute of distrust, then the new time is true.

In that minute lanes, fallbacks, callbacks and the pruner do nothing (each asks ``Clock.is_steady``): a clock that was
set by mistake is usually set right soon, and then nothing has happened. Calls are taken as ever.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog

from chatgate.clock import MINUTE, SECOND, Instant, Jump, SystemClock
from chatgate.store.instants import SetBack
from chatgate.store.store import Store
from chatgate.telemetry import Metrics

KEEP_EVERY = 0.5
"""Seconds."""

DISTRUST = MINUTE
"""How long a clock must keep its pace after it was set: a correction that follows an error comes within it, and every
request that was open at the jump has ended. Ours."""

NOTHING = Jump(by=0, at=0)

log = structlog.get_logger(__name__)


class _Noticed(NamedTuple):
    at: Instant
    key: int


class ClockKeeper:
    """``keep`` is run by a ``Loop``."""

    def __init__(self, store: Store, clock: SystemClock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._told = NOTHING
        self._noticed: _Noticed | None = None

    async def keep(self) -> None:
        """Look at the clock, and do what is due about it. Tried again in the next round when the database is away."""
        if self._clock.is_steady() or (jump := self._clock.jump) is None:
            return
        self._tell(jump)
        if self._noticed is None:
            key = self._store.keys.next()
            self._noticed = _Noticed(await self._store.latest_time(self._clock.now()), key)
        if self._clock.quiet_for() >= DISTRUST:
            moved = await self._set_back(-jump.by, self._noticed)
            if self._clock.jump is jump:  # else it was set once more just now; what was moved is not moved again
                self._trust(moved)

    def _tell(self, jump: Jump) -> None:
        if jump.at != self._told.at:
            log.critical("clock.jumped", seconds=(jump.by - self._told.by) / SECOND)
            self._metrics.clock_jumps.inc()
            self._metrics.clock_distrusted.set(1)
            self._told = jump

    async def _set_back(self, by: int, noticed: _Noticed) -> int:
        if by <= 0:
            return 0
        now = self._clock.now()
        return await self._store.set_back(SetBack(by=by, noticed_at=noticed.at, noticed_key=noticed.key, now=now))

    def _trust(self, moved: int) -> None:
        self._clock.trust()
        self._told, self._noticed = NOTHING, None
        self._metrics.clock_distrusted.set(0)
        log.warning("clock.trusted", count=moved)
