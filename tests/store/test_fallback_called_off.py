"""Promise P16: no SMS once the message is delivered."""

from __future__ import annotations

import pytest

from chatgate.clock import HandClock
from chatgate.domain.fallback import LATE_LIMIT
from chatgate.domain.message import FallbackState, Status
from tests.store.fallbacks import AFTER, ARMED, CALLED_OFF, FIRED, HELD, events, told_undelivered
from tests.store.journey import ORDER, Journey, receipt


@pytest.mark.parametrize("status", ["delivered", "read"])
@pytest.mark.parametrize("state", [ARMED, HELD])
async def test_called_off_by_a_delivery(journey: Journey, clock: HandClock, status: str, state: FallbackState) -> None:
    key = await journey.sent("t", fallback=ORDER)
    if state is HELD:
        clock.advance(AFTER + LATE_LIMIT + 1)
        await journey.fire()
    assert await journey.fallback(key) is state
    await journey.receive(receipt("t", status))
    clock.advance(AFTER)
    assert await journey.fire() + await journey.decide(release=True) == 0
    message = await journey.message(key)
    assert (message.fallback_state, message.fallback_at) == (CALLED_OFF, None)
    assert await journey.sms(key) == []
    assert (await events(journey, key))[-1] == "fallback called_off"


async def test_failed_and_then_delivered_in_one_transaction(journey: Journey) -> None:
    """Nobody gets an SMS for a failure that was taken back before it was known."""
    for token, last in [("a", "delivered"), ("b", "read")]:
        key = await journey.sent(token, fallback=ORDER)
        await journey.receive(receipt(token, "undelivered"), receipt(token, last))
        assert (await journey.fallback(key), await journey.sms(key)) == (CALLED_OFF, [])


async def test_a_failure_after_the_delivery_changes_nothing(journey: Journey) -> None:
    key = await journey.sent("t", fallback=ORDER)
    await journey.receive(receipt("t", "delivered"))
    await journey.receive(receipt("t", "undelivered"))
    assert (await journey.fallback(key), await journey.sms(key)) == (CALLED_OFF, [])


async def test_a_delivery_after_it_fired_changes_nothing(journey: Journey) -> None:
    key = await told_undelivered(journey, fallback=ORDER)
    assert await journey.receive(receipt("t", "delivered"), receipt("t", "read")) == ["applied", "applied"]
    assert await journey.status(key) is Status.READ
    (sms,) = await journey.sms(key)
    assert (await journey.fallback(key), sms.status) == (FIRED, Status.ACCEPTED)
    assert await events(journey, key) == ["fallback fired"]
