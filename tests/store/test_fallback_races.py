"""Promise P16: at most one SMS, whichever of several nodes comes first."""

from __future__ import annotations

import asyncio

from chatgate.clock import HandClock
from chatgate.domain.message import Status
from chatgate.store.store import Store
from tests.store.conftest import Open
from tests.store.fallbacks import AFTER, CALLED_OFF, FIRED, held, phones
from tests.store.journey import ORDER, Journey, receipt


async def test_failure_timer_and_nodes_race(journey: Journey, clock: HandClock, open_store: Open) -> None:
    """Whoever comes first fires it; the others change nothing."""
    other = await open_store()
    for round_ in range(15):
        key = await journey.sent(f"{round_}", fallback=ORDER, recipient=str(next(phones)))
        clock.advance(AFTER)
        failure = other.apply_receipts(journey.arrival([receipt(f"{round_}", "undelivered")], other))
        await asyncio.gather(journey.fire(), failure, journey.fire(other), journey.fire(), journey.decide(release=True))
        await journey.fire()
        assert (await journey.fallback(key), len(await journey.sms(key))) == (FIRED, 1)


async def test_delivery_and_timer_race(journey: Journey, clock: HandClock, open_store: Open) -> None:
    """Whichever commits first: a delivery and no SMS, or both, and then it says so."""
    other = await open_store()
    for round_ in range(15):
        key = await journey.sent(f"{round_}", fallback=ORDER, recipient=str(next(phones)))
        clock.advance(AFTER)
        delivery = other.apply_receipts(journey.arrival([receipt(f"{round_}", "delivered")], other))
        await asyncio.gather(journey.fire(), delivery)
        state, children = await journey.fallback(key), await journey.sms(key)
        assert (state, len(children)) in [(FIRED, 1), (CALLED_OFF, 0)]
        assert await journey.status(key) is Status.DELIVERED


async def test_two_nodes_release_the_same(journey: Journey, open_store: Open) -> None:
    other = await open_store()
    keys = [await held(journey) for _ in range(10)]
    there = Journey(other, journey.clock)
    moved = await asyncio.gather(journey.decide(release=True), there.decide(release=False))
    assert sum(moved) == 10
    for key in keys:
        assert len(await journey.sms(key)) == (await journey.fallback(key) is FIRED)


async def test_many_nodes_fire_many(journey: Journey, clock: HandClock, open_store: Open) -> None:
    other = await open_store()
    keys = [await journey.accept(fallback=ORDER) for _ in range(60)]
    clock.advance(AFTER)

    async def sweep(store: Store) -> int:
        total = 0
        while moved := await journey.fire(store, limit=7):
            total += moved
        return total

    moved = await asyncio.gather(*(sweep(store) for store in (journey.store, other) for _ in range(2)))
    assert sum(moved) + await journey.fire() == 60
    assert [len(await journey.sms(key)) for key in keys] == [1] * 60
