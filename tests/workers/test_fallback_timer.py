from __future__ import annotations

import asyncio

from chatgate.clock import SECOND, HandClock
from chatgate.domain.fallback import LATE_LIMIT
from chatgate.domain.message import FallbackState
from chatgate.store.search import Filter
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.workers.fallback_timer import AT_ONCE, FallbackTimer
from tests.store.journey import ACCOUNT, ORDER, Journey, order


async def test_everything_that_is_due_in_one_round(store: Store, clock: HandClock) -> None:
    """Also what is more than one sweep takes, and nothing else."""
    journey, metrics = Journey(store, clock), Metrics()
    count = AT_ONCE + 1
    await asyncio.gather(*(journey.accept(fallback=ORDER) for _ in range(count)))
    later = await journey.accept(fallback=order(duration=601))
    timer = FallbackTimer(store, clock, metrics)
    await timer.fire()
    assert metrics.registry.get_sample_value("chatgate_fallbacks_total") == 0
    clock.advance(600 * SECOND)
    await timer.fire()
    messages = await store.list_messages(Filter(account_id=ACCOUNT, limit=1000))
    assert len([message for message in messages if message.parent_id is not None]) == count
    assert await journey.fallback(later) is FallbackState.ARMED
    assert metrics.registry.get_sample_value("chatgate_fallbacks_total") == count


async def test_much_too_late(store: Store, clock: HandClock) -> None:
    journey = Journey(store, clock)
    key = await journey.accept(fallback=ORDER)
    clock.advance(600 * SECOND + LATE_LIMIT + 1)
    await FallbackTimer(store, clock, Metrics()).fire()
    assert (await journey.fallback(key), await journey.sms(key)) == (FallbackState.HELD, [])
