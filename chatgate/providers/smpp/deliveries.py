"""What the centre delivers: receipts are stored and then acknowledged; what phones write is acknowledged.

Receipts that wait are stored together, so that one commit serves many. A receipt that could not be stored is answered
with a temporary error: the centre keeps it and delivers it again.
"""

from __future__ import annotations

import asyncio

import msgspec
import smpp34
import structlog

from chatgate.clock import Clock
from chatgate.domain.receipt import Receipt
from chatgate.errors import StoreUnavailable
from chatgate.providers.base import TakeReceipts
from chatgate.providers.smpp import receipts, statuses
from chatgate.providers.smpp.options import Dialect
from chatgate.providers.smpp.session import Session

log = structlog.get_logger(__name__)

AT_ONCE = 100
"""Receipts stored together."""
MOST_WAITING = 1000
"""Beyond, the centre is told that the queue is full, and delivers later."""


class _Waiting(msgspec.Struct, frozen=True):
    session: Session
    sequence: int
    receipt: Receipt


class Deliveries:
    """Hand ``put`` to the session; ``run`` does the storing."""

    def __init__(self, provider: str, dialect: Dialect, clock: Clock) -> None:
        self._provider = provider
        self._dialect = dialect
        self._clock = clock
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MOST_WAITING)

    def put(self, session: Session, sequence: int, delivered: smpp34.DeliverSm) -> None:
        """Take a deliver_sm; it is answered now, or after it was stored."""
        receipt = None
        if receipts.is_receipt(delivered):
            at = self._clock.now()
            receipt = receipts.read(delivered, provider=self._provider, dialect=self._dialect, at=at)
        if receipt is None:
            session.acknowledge(sequence, statuses.OK)
        elif self._waiting.full():
            session.acknowledge(sequence, statuses.QUEUE_FULL)
        else:
            self._waiting.put_nowait(_Waiting(session, sequence, receipt))

    async def run(self, take: TakeReceipts) -> None:
        """Store and acknowledge, for ever."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < AT_ONCE and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            status = await self._store(take, [waiting.receipt for waiting in batch])
            for waiting in batch:
                waiting.session.acknowledge(waiting.sequence, status)

    async def _store(self, take: TakeReceipts, batch: list[Receipt]) -> int:
        try:
            await take(batch)
        except StoreUnavailable:
            log.warning("smpp.receipts_not_stored", provider=self._provider, count=len(batch))
            return statuses.SYSTEM_ERROR
        except Exception:
            log.exception("smpp.receipts_failed", provider=self._provider, count=len(batch))
            return statuses.SYSTEM_ERROR
        return statuses.OK
