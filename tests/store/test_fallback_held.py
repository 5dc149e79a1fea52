"""Promise P16: an SMS that would come much too late is held, and an operator decides."""

from __future__ import annotations

import pytest

from chatgate.clock import MINUTE, SECOND, HandClock
from chatgate.domain.fallback import LATE_LIMIT
from chatgate.domain.message import Status
from tests.store.fallbacks import AFTER, ARMED, CALLED_OFF, FIRED, HELD, events, held
from tests.store.journey import ORDER, Journey, order


async def test_a_quarter_of_an_hour_late_still_fires(journey: Journey, clock: HandClock) -> None:
    key = await journey.sent("t", fallback=ORDER)
    clock.advance(AFTER + LATE_LIMIT)
    assert await journey.fire() == 1
    assert (await journey.fallback(key), len(await journey.sms(key))) == (FIRED, 1)


async def test_later_it_is_held(journey: Journey, clock: HandClock) -> None:
    key = await held(journey)
    assert await events(journey, key) == ["fallback held"]
    clock.advance(AFTER)
    assert await journey.fire() == 0
    assert await journey.fallback(key) is HELD


@pytest.mark.parametrize("duration", [None, 600, 3600])
async def test_what_ran_out_during_an_outage_is_held_too(
    journey: Journey, clock: HandClock, duration: int | None
) -> None:
    """Which of the two sweeps comes first after an outage must not matter: no storm of old messages."""
    for sent_before in (False, True):
        changes = {"ttl": 600, "fallback": order(duration=duration)}
        key = await (journey.sent(f"t{duration}", **changes) if sent_before else journey.accept(**changes))
        clock.advance(3 * 3600 * SECOND)
        assert (await journey.claim()).settled == 1
        assert (await journey.status(key), await journey.fallback(key)) == (Status.EXPIRED, HELD)
        assert await journey.sms(key) == []


async def test_what_is_held_stays_so_when_the_message_fails(journey: Journey) -> None:
    key = await held(journey, ttl=7200)
    journey.clock.set((await journey.message(key)).expires_at + MINUTE)
    assert (await journey.claim()).settled == 1
    assert (await journey.fallback(key), await journey.sms(key)) == (HELD, [])


async def test_released(journey: Journey) -> None:
    key = await held(journey)
    assert await journey.decide(release=True) == 1
    (sms,) = await journey.sms(key)
    assert (await journey.fallback(key), sms.due_at) == (FIRED, journey.clock.now())
    assert await journey.decide(release=True) + await journey.decide(release=False) == 0
    assert await events(journey, key) == ["fallback held", "fallback fired"]


async def test_dropped(journey: Journey) -> None:
    key = await held(journey)
    assert await journey.decide(release=False) == 1
    assert (await journey.fallback(key), await journey.sms(key)) == (CALLED_OFF, [])
    assert await journey.decide(release=True) == 0
    assert await events(journey, key) == ["fallback held", "fallback called_off"]


async def test_decided_for_one_account(journey: Journey) -> None:
    key = await held(journey)
    assert await journey.decide(release=True, account_id=8) == 0
    assert await journey.fallback(key) is HELD
    assert await journey.decide(release=True, account_id=7) == 1


async def test_what_waits_for_its_time_is_not_decided(journey: Journey) -> None:
    key = await journey.sent("t", fallback=ORDER)
    assert await journey.decide(release=True) + await journey.decide(release=False) == 0
    assert await journey.fallback(key) is ARMED
