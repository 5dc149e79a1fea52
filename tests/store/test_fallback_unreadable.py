"""Promise P16: a draft that nobody can read gives no SMS and holds up no other."""

from __future__ import annotations

from chatgate.clock import HandClock
from chatgate.domain.message import Status
from tests.store.conftest import Tamper
from tests.store.fallbacks import AFTER, CALLED_OFF, FIRED, events, held
from tests.store.journey import ORDER, Journey, receipt

DAMAGE = "UPDATE messages SET draft = ? WHERE id = ?"


async def test_unreadable_does_not_hold_up_others(journey: Journey, clock: HandClock, tamper: Tamper) -> None:
    bad = [await journey.accept(fallback=ORDER) for _ in range(3)]
    clock.advance(1)
    good = await journey.accept(fallback=ORDER)
    for key in bad:
        tamper(DAMAGE, "{", key)
    clock.advance(AFTER)
    moved = [await journey.fire(limit=2) for _ in range(3)]
    assert moved == [2, 2, 0]
    assert [await journey.fallback(key) for key in [*bad, good]] == [CALLED_OFF] * 3 + [FIRED]
    assert await events(journey, bad[0]) == ["fallback called_off"]


async def test_unreadable_that_fails_is_called_off(journey: Journey, tamper: Tamper) -> None:
    waiting = await journey.sent("t", fallback=ORDER)
    quarantined = await journey.accept(fallback=ORDER)
    for key in (quarantined, waiting):
        tamper(DAMAGE, "{", key)
    await journey.claim()
    await journey.receive(receipt("t", "undelivered"))
    for key in (quarantined, waiting):
        assert (await journey.status(key), await journey.fallback(key)) == (Status.FAILED, CALLED_OFF)
        assert await journey.sms(key) == []


async def test_unreadable_that_is_delivered_or_held(journey: Journey, clock: HandClock, tamper: Tamper) -> None:
    delivered = await journey.sent("t", fallback=ORDER)
    tamper(DAMAGE, "{", delivered)
    await journey.receive(receipt("t", "delivered"))
    assert await journey.fallback(delivered) is CALLED_OFF
    late = await held(journey)
    tamper(DAMAGE, "{", late)
    assert await journey.decide(release=True) == 1
    assert (await journey.fallback(late), await journey.sms(late)) == (CALLED_OFF, [])
