"""Promise P16: no advertising by SMS to those who blocked the sender."""

from __future__ import annotations

import pytest

from chatgate.clock import HandClock
from chatgate.domain.fallback import LATE_LIMIT
from chatgate.domain.message import FallbackState, Label
from tests.store.conftest import Tamper
from tests.store.fallbacks import AFTER, CALLED_OFF, FIRED, Failing, held, told_undelivered
from tests.store.journey import ORDER, PHONE, SERVICE, Journey, order, receipt


async def unsubscribed_before(journey: Journey, **changes: object) -> int:
    await journey.receive(receipt("", "unsubscribed", service_id=SERVICE, recipient=PHONE))
    return await told_undelivered(journey, **changes)


async def refused_as_blocked(journey: Journey, **changes: object) -> int:
    message = await journey.sending(**changes)
    await journey.record(message, "refused", code="SRVC_USER_BLOCKED")
    return message.id


@pytest.fixture(autouse=True)
async def owner(tamper: Tamper) -> None:
    """The account that unsubscriptions are about."""
    sql = "INSERT INTO senders (account_id, channel, sender, service_id, standing) VALUES (7, 'viber', ?, ?, ?)"
    tamper(sql, "27549", SERVICE, "approved")
    tamper(sql, "27550", "another", "approved")


@pytest.mark.parametrize("blocked", [refused_as_blocked, unsubscribed_before])
@pytest.mark.parametrize(
    ("label", "consent", "state"),
    [
        (Label.PROMOTION, False, CALLED_OFF),
        (Label.PROMOTION, True, FIRED),
        (Label.TRANSACTION, False, FIRED),
        (Label.TRANSACTION, True, FIRED),
    ],
)
async def test_who_blocked_the_sender(
    journey: Journey, blocked: Failing, label: Label, consent: bool, state: FallbackState
) -> None:
    key = await blocked(journey, label=label, fallback=order(consent=consent))
    assert await journey.fallback(key) is state
    assert len(await journey.sms(key)) == (state is FIRED)


@pytest.mark.parametrize(("label", "fired"), [(Label.PROMOTION, False), (Label.TRANSACTION, True)])
async def test_who_unsubscribed_since_gets_none_by_time(
    journey: Journey, clock: HandClock, label: Label, fired: bool
) -> None:
    key = await journey.sent("t", label=label, fallback=ORDER)
    await journey.receive(receipt("", "unsubscribed", service_id=SERVICE, recipient=PHONE))
    clock.advance(AFTER)
    assert await journey.fire() == 1
    assert (await journey.fallback(key), len(await journey.sms(key))) == (FIRED if fired else CALLED_OFF, fired)


async def test_who_blocked_the_sender_gets_none_from_an_operator_either(journey: Journey) -> None:
    unsubscribed = await held(journey, label=Label.PROMOTION)
    await journey.receive(receipt("", "unsubscribed", service_id=SERVICE, recipient=PHONE))
    assert await journey.decide(release=True) == 1
    assert (await journey.fallback(unsubscribed), await journey.sms(unsubscribed)) == (CALLED_OFF, [])


async def test_refused_as_blocked_while_it_is_held(journey: Journey, clock: HandClock) -> None:
    message = await journey.sending(label=Label.PROMOTION, fallback=ORDER)
    clock.advance(AFTER + LATE_LIMIT + 1)
    await journey.fire()
    await journey.record(message, "refused", code="SRVC_USER_BLOCKED")
    assert await journey.decide(release=True) == 0
    assert (await journey.fallback(message.id), await journey.sms(message.id)) == (CALLED_OFF, [])


async def test_who_subscribed_again_gets_it(journey: Journey) -> None:
    for at, status in [(1, "unsubscribed"), (2, "subscribed")]:
        await journey.receive(receipt("", status, service_id=SERVICE, recipient=PHONE, at=at))
    key = await told_undelivered(journey, label=Label.PROMOTION, fallback=ORDER)
    assert await journey.fallback(key) is FIRED


async def test_an_old_subscription_that_comes_late_does_not_undo_it(journey: Journey) -> None:
    for at, status in [(2, "unsubscribed"), (3, "unsubscribed"), (1, "unsubscribed"), (2, "subscribed")]:
        await journey.receive(receipt("", status, service_id=SERVICE, recipient=PHONE, at=at))
    key = await told_undelivered(journey, label=Label.PROMOTION, fallback=ORDER)
    assert await journey.fallback(key) is CALLED_OFF


@pytest.mark.parametrize("other", [{"recipient": "639170000002"}, {"service_id": "another"}])
async def test_somebody_else_unsubscribed(journey: Journey, other: dict[str, str]) -> None:
    await journey.receive(receipt("", "unsubscribed", **{"service_id": SERVICE, "recipient": PHONE, **other}))
    key = await told_undelivered(journey, label=Label.PROMOTION, fallback=ORDER)
    assert await journey.fallback(key) is FIRED
