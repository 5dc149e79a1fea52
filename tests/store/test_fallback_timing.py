"""Promise P16: one SMS once its time has come, and not before."""

from __future__ import annotations

import pytest

from chatgate.clock import SECOND, HandClock
from tests.store.fallbacks import AFTER, ARMED, FIRED, Failing
from tests.store.journey import ORDER, Journey, order


async def queued(journey: Journey, **changes: object) -> int:
    return await journey.accept(**changes)


async def being_sent(journey: Journey, **changes: object) -> int:
    return (await journey.sending(**changes)).id


async def sent(journey: Journey, **changes: object) -> int:
    return await journey.sent("t", **changes)


async def unknown(journey: Journey, **changes: object) -> int:
    return (await journey.unknown(**changes)).id


every_wait = pytest.mark.parametrize("wait", [queued, being_sent, sent, unknown])


@every_wait
async def test_fires_at_its_time_and_not_before(journey: Journey, clock: HandClock, wait: Failing) -> None:
    key = await wait(journey, fallback=ORDER)
    clock.advance(AFTER - 1)
    assert await journey.fire() == 0
    assert (await journey.fallback(key), await journey.sms(key)) == (ARMED, [])
    clock.advance(1)
    assert await journey.fire() == 1
    assert (await journey.fallback(key), len(await journey.sms(key))) == (FIRED, 1)
    assert await journey.fire() == 0


async def test_without_time_only_on_failure(journey: Journey, clock: HandClock) -> None:
    key = await journey.sent("t", fallback=order(duration=None))
    clock.advance(43_200 * SECOND)
    assert await journey.fire() == 0
    assert await journey.fallback(key) is ARMED


async def test_the_longest_due_first_and_no_more_than_asked(journey: Journey, clock: HandClock) -> None:
    keys = [await journey.accept(fallback=order(duration=duration)) for duration in (300, 100, 200)]
    clock.advance(300 * SECOND)
    for limit, moved, fired in [(2, 2, {keys[1], keys[2]}), (2, 1, set(keys)), (2, 0, set(keys))]:
        assert await journey.fire(limit=limit) == moved
        assert {key for key in keys if await journey.fallback(key) is FIRED} == fired


async def test_ordered_as_accepted(journey: Journey, clock: HandClock) -> None:
    """Its time counts from the acceptance, however late the message is sent."""
    key = await journey.accept(fallback=ORDER)
    clock.advance(AFTER - 1)
    await journey.record(await journey.claim_one(), "sent", token="t")
    clock.advance(1)
    assert await journey.fire() == 1
    assert len(await journey.sms(key)) == 1
