"""Forgets what is out of every window (nonces, retry keys, parked receipts), and measures what waits."""

from __future__ import annotations

from chatgate.clock import SECOND, Clock
from chatgate.store.store import Store
from chatgate.telemetry import Metrics

PRUNE_EVERY = 60.0
"""Seconds."""
MEASURE_EVERY = 5.0


class Pruner:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def prune(self) -> None:
        now = self._clock.now()
        if self._clock.is_steady():  # else what is still needed may seem to be old
            await self._store.prune(now)


class Gauges:
    """Keeps the gauges of the backlog up to date."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics

    async def measure(self) -> None:
        now = self._clock.now()
        backlog = await self._store.backlog(now)
        oldest = backlog.oldest_due_at
        self._metrics.backlog.set(backlog.due)
        self._metrics.oldest_due_seconds.set(0 if oldest is None else max(now - oldest, 0) / SECOND)
        self._metrics.parked_receipts.set(backlog.parked_receipts)
