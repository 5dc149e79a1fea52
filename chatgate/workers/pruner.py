"""Forgets what is out of every window (nonces, retry keys, parked receipts, reports that were told, old decisions), and
measures what waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from chatgate.clock import SECOND, Clock, Instant
from chatgate.store.forgetting import Stride, Strode
from chatgate.store.store import Store
from chatgate.telemetry import Metrics

PRUNE_EVERY = 60.0
"""Seconds."""
MEASURE_EVERY = 5.0

STRIDE = 2_000
"""Rows that one transaction looks at."""
STRIDES = 120
"""Transactions of one table at a time: five times as many rows as the busiest account makes reports in a minute."""


class Pruner:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._after: dict[str, int] = {}
        """How far the walk over each table has come."""

    async def prune(self) -> None:
        now = self._clock.now()
        if self._clock.is_steady():  # else what is still needed may seem to be old
            await self._store.prune(now)
            await self._walk("callbacks", self._store.forget_callbacks, now)
            await self._walk("reviews", self._store.forget_reviews, now)

    async def _walk(self, table: str, step: Callable[[Stride], Awaitable[Strode]], now: Instant) -> None:
        after = self._after.get(table, 0)
        for _ in range(STRIDES):
            after = (await step(Stride(after=after, limit=STRIDE, now=now))).after
            if after == 0:
                break
        self._after[table] = after


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
