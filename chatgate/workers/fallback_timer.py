"""Fires the fallbacks whose time has come. Any number of nodes may run it: the store moves each of them once.

While the clock is not steady none fires: nobody knows whose time has come.
"""

from __future__ import annotations

from chatgate.clock import Clock
from chatgate.store.fallbacks import Sweep
from chatgate.store.store import Store
from chatgate.telemetry import Metrics

FIRE_EVERY = 0.5
"""Seconds; a fallback is promised within two of its time."""
AT_ONCE = 200


class FallbackTimer:
    """``fire`` is run by a ``Loop``."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics

    async def fire(self) -> None:
        """Move everything that is due."""
        moved = AT_ONCE
        while moved == AT_ONCE:
            now = self._clock.now()
            if not self._clock.is_steady():
                return
            sweep = Sweep(now=now, limit=AT_ONCE, keys=self._store.keys.next)
            moved = await self._store.fire_fallbacks(sweep)
            self._metrics.fallbacks.inc(moved)
