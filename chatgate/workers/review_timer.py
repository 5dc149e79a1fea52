"""Approves templates whose delayed review is over. Any number of nodes may run it: the store approves each once.

While the clock is not steady none is approved: that cannot be taken back.
"""

from __future__ import annotations

from chatgate.clock import Clock
from chatgate.store.store import Store
from chatgate.store.templates import ReviewSweep

APPROVE_EVERY = 1.0
"""Seconds."""
AT_ONCE = 100


class ReviewTimer:
    """``approve`` is run by a ``Loop``."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def approve(self) -> None:
        """Approve everything that is due."""
        approved = AT_ONCE
        while approved == AT_ONCE:
            now = self._clock.now()
            if not self._clock.is_steady():
                return
            approved = await self._store.approve_due(ReviewSweep(now=now, limit=AT_ONCE))
