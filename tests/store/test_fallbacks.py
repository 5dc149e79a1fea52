"""Promise P16: at most one SMS instead of a message, at the right time, and none where it is not wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatgate.clock import MINUTE, SECOND, HandClock
from chatgate.domain.fallback import LATE_LIMIT, SMS_TTL
from chatgate.domain.lifecycle import RECEIPT_EVENTS, REST_MARGIN
from chatgate.domain.message import Content, Failure, FallbackState, Label, Message, MessageType, Outcome, Status
from chatgate.domain.receipt import ReceiptStatus
from chatgate.store.store import Store
from tests.store.conftest import Open, Tamper
from tests.store.journey import LEASE, ORDER, PHONE, SERVICE, UNKNOWN_WAIT, Journey, order, receipt

ARMED, FIRED, CALLED_OFF, HELD = FallbackState
PAUSED = Failure(code="SenderPaused", reason="The sender is paused.")
AFTER = 600 * SECOND
"""Its time, as ordered by ``ORDER``."""

phones = count(639_170_000_000)


async def events(journey: Journey, key: int) -> list[str]:
    return [note.event for note in (await journey.story(key)).notes]


# --- it fires on failure ---------------------------------------------------------------------------------------------


async def accepted_as_failed(journey: Journey, **changes: object) -> int:
    return await journey.accept(failure=PAUSED, **changes)


async def refused(journey: Journey, **changes: object) -> int:
    message = await journey.sending(**changes)
    assert await journey.record(message, "refused", code="SRVC_NOT_VIBER_USER") is Status.FAILED
    return message.id


async def told_undelivered(journey: Journey, **changes: object) -> int:
    key = await journey.sent("t", **changes)
    assert await journey.receive(receipt("t", "undelivered")) == ["applied"]
    return key


async def told_expired(journey: Journey, **changes: object) -> int:
    key = await journey.sent("t", **changes)
    assert await journey.receive(receipt("t", "expired")) == ["applied"]
    return key


async def told_before_its_token(journey: Journey, **changes: object) -> int:
    message = await journey.sending(**changes)
    assert await journey.receive(receipt("t", "undelivered")) == ["parked"]
    await journey.record(message, "sent", token="t")
    return message.id


async def ran_out_in_the_queue(journey: Journey, **changes: object) -> int:
    key = await journey.accept(**changes)
    journey.clock.set((await journey.message(key)).expires_at)
    assert (await journey.claim()).settled == 1
    return key


async def ran_out_without_receipt(journey: Journey, **changes: object) -> int:
    key = await journey.sent("t", **changes)
    journey.clock.set((await journey.message(key)).expires_at + REST_MARGIN)
    assert (await journey.claim()).settled == 1
    return key


async def unknown_at_rest(journey: Journey, **changes: object) -> int:
    message = await journey.unknown(**changes)
    journey.clock.set(message.expires_at)
    assert (await journey.claim()).settled == 1
    assert await journey.status(message.id) is Status.UNKNOWN
    return message.id


Failing = Callable[..., Awaitable[int]]

FAILING: list[Failing] = [
    accepted_as_failed, refused, told_undelivered, told_expired, told_before_its_token, ran_out_in_the_queue,
    ran_out_without_receipt, unknown_at_rest,
]  # fmt: skip

every_failure = pytest.mark.parametrize("fail", FAILING)
without_time = pytest.mark.parametrize("duration", [None, 43_200])
"""Also without FallBackDuration; else before it is over."""


@every_failure
@without_time
async def test_fires_when_the_message_fails(journey: Journey, fail: Failing, duration: int | None) -> None:
    key = await fail(journey, fallback=order(duration=duration))
    parent = await journey.message(key)
    (sms,) = await journey.sms(key)
    assert (parent.fallback_state, parent.fallback_at) == (FIRED, None)
    assert (sms.status, sms.attempt, sms.due_at) == (Status.ACCEPTED, 0, journey.clock.now())
    assert (sms.accepted_at, sms.expires_at) == (journey.clock.now(), journey.clock.now() + SMS_TTL * SECOND)
    assert (sms.account_id, sms.parent_id, sms.request_id) == (parent.account_id, key, parent.request_id)
    assert (sms.sender, sms.draft.sender, sms.draft.service_id) == ("27549", "Shop", "Shop")
    assert (sms.draft.channel, sms.draft.recipient) == ("sms", PHONE)
    assert (sms.draft.message_type, sms.draft.content) == (MessageType.TEXT, Content(text=ORDER.content))
    assert (sms.fallback_state, sms.fallback_at, sms.failure) == (None, None, None)
    assert (await events(journey, key))[-1] == "fallback fired"
    assert (await journey.claim(lane="other")).to_send == []
    assert [message.id for message in (await journey.claim(lane="sms")).to_send] == [sms.id]


@every_failure
async def test_fires_once(journey: Journey, clock: HandClock, fail: Failing) -> None:
    key = await fail(journey, fallback=order(duration=3600))
    await journey.receive(receipt("t", "expired"), receipt("t", "undelivered"))
    clock.advance(3600 * SECOND)
    assert await journey.fire() == 0
    assert await journey.decide(release=True) == 0
    assert len(await journey.sms(key)) == 1


@every_failure
async def test_without_a_fallback_nothing_fires(journey: Journey, fail: Failing) -> None:
    key = await fail(journey)
    assert (await journey.fallback(key), await journey.sms(key)) == (None, [])


async def test_failed_twice_in_one_transaction(journey: Journey) -> None:
    """Expired, then undelivered: two changes of the message, one SMS."""
    key = await journey.sent("t", fallback=ORDER)
    assert await journey.receive(receipt("t", "expired"), receipt("t", "undelivered")) == ["applied", "applied"]
    assert len(await journey.sms(key)) == 1


@pytest.mark.parametrize("lane", ["sms", "another"])
async def test_goes_to_the_lane_of_the_order(journey: Journey, lane: str) -> None:
    await journey.accept(failure=PAUSED, fallback=order(lane=lane))
    claimed = await journey.claim(lane=lane)
    assert [message.draft.channel for message in claimed.to_send] == ["sms"]


async def test_deferred_and_unknown_are_no_failures_yet(journey: Journey, clock: HandClock) -> None:
    deferred = await journey.sending(fallback=ORDER)
    assert await journey.record(deferred, "deferred") is Status.ACCEPTED
    unknown = await journey.unknown(fallback=ORDER, recipient="639170000002")
    lost = await journey.sending(fallback=ORDER, recipient="639170000003")
    clock.advance(LEASE)
    await journey.claim()
    assert [await journey.fallback(one.id) for one in (deferred, unknown, lost)] == [ARMED] * 3


async def test_what_is_not_stored_fires_nothing(journey: Journey) -> None:
    acceptance = journey.acceptance(failure=PAUSED, fallback=ORDER)
    await journey.store.accept(acceptance)
    assert (await journey.store.accept(acceptance)).nonce_used
    assert len(await journey.sms(acceptance.key)) == 1


@every_failure
async def test_the_failure_of_the_sms_fires_nothing(journey: Journey, clock: HandClock, fail: Failing) -> None:
    key = await fail(journey, fallback=order(duration=3600))
    (claimed,) = (await journey.claim(lane="sms")).to_send
    await journey.record(claimed, "refused", code="Refused")
    clock.advance(3600 * SECOND)
    await journey.fire()
    (sms,) = await journey.sms(key)
    assert (sms.status, await journey.sms(sms.id)) == (Status.FAILED, [])


# --- it fires by its time --------------------------------------------------------------------------------------------


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


# --- a delivery calls it off -----------------------------------------------------------------------------------------


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


# --- both arrived ----------------------------------------------------------------------------------------------------


async def both_sent(journey: Journey, name: str = "") -> int:
    """A message whose SMS is sent too; their tokens are ``viber`` and ``sms``."""
    key = await journey.sent(f"viber{name}", fallback=ORDER, recipient=str(next(phones)))
    journey.clock.advance(AFTER)
    assert await journey.fire() == 1
    (claimed,) = (await journey.claim(lane="sms")).to_send
    await journey.record(claimed, "sent", token=f"sms{name}")
    return key


@pytest.mark.parametrize("arrivals", [("viber", "sms"), ("sms", "viber")])
@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_both_arrived_is_noted_once(journey: Journey, arrivals: tuple[str, str], status: str) -> None:
    key = await both_sent(journey)
    await journey.receive(receipt(arrivals[0], status))
    assert "both arrived" not in await events(journey, key)
    await journey.receive(receipt(arrivals[1], status))
    assert (await events(journey, key)).count("both arrived") == 1
    await journey.receive(receipt("viber", "read"), receipt("sms", "read"))
    assert (await events(journey, key)).count("both arrived") == 1
    (sms,) = await journey.sms(key)
    assert await events(journey, sms.id) == []


async def test_both_arrived_in_one_transaction(journey: Journey) -> None:
    key = await both_sent(journey)
    await journey.receive_together(receipt("sms", "delivered"), receipt("viber", "delivered"), receipt("sms", "read"))
    assert (await events(journey, key)).count("both arrived") == 1


async def test_both_arrived_on_two_nodes(journey: Journey, open_store: Open) -> None:
    other = await open_store()
    for round_ in range(15):
        key = await both_sent(journey, str(round_))
        there = other.apply_receipts(journey.arrival([receipt(f"sms{round_}", "delivered")], other))
        await asyncio.gather(journey.receive(receipt(f"viber{round_}", "delivered")), there)
        assert (await events(journey, key)).count("both arrived") == 1


async def test_one_arrived(journey: Journey) -> None:
    key = await both_sent(journey)
    await journey.receive(receipt("viber", "undelivered"), receipt("sms", "delivered"))
    assert "both arrived" not in await events(journey, key)


# --- much too late: an operator decides ------------------------------------------------------------------------------


async def held(journey: Journey, **changes: object) -> int:
    key = await journey.sent(f"t{next(phones)}", **{"fallback": ORDER, **changes})
    journey.clock.advance(AFTER + LATE_LIMIT + 1)
    assert await journey.fire() == 1
    assert (await journey.fallback(key), await journey.sms(key)) == (HELD, [])
    return key


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


# --- who blocked the sender ------------------------------------------------------------------------------------------


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
    sql = "INSERT INTO senders (account_id, channel, sender, service_id, standing) VALUES (7, 'viber', '27549', ?, ?)"
    tamper(sql, SERVICE, "approved")


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


# --- several nodes, and drafts that nobody can read ------------------------------------------------------------------


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


# --- whatever happens ------------------------------------------------------------------------------------------------

STEPS = st.one_of(
    st.just(("claim", None)),
    st.tuples(st.just("end"), st.sampled_from(Outcome)),
    st.tuples(st.just("receipt"), st.sampled_from(list(RECEIPT_EVENTS))),
    st.just(("fire", None)),
    st.tuples(st.just("decide"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([SECOND, LEASE, UNKNOWN_WAIT, AFTER, LATE_LIMIT])),
)


@given(
    label=st.sampled_from(Label), duration=st.sampled_from([None, 60, 600]), steps=st.lists(STEPS, max_size=12)
)  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_happens(
    journey: Journey, label: Label, duration: int | None, steps: list[tuple[str, object]]
) -> None:
    key = await journey.accept(label=label, ttl=900, recipient=str(next(phones)), fallback=order(duration=duration))
    walk = Walk(journey, key)
    for what, how in steps:
        await walk.take(what, how)
        await walk.look()


class Walk:
    """One message with a fallback, and what must hold after each step."""

    def __init__(self, journey: Journey, key: int) -> None:
        self.journey = journey
        self.key = key
        self.attempt: Message | None = None
        self.state: FallbackState | None = ARMED
        self.delivered_first = False

    async def take(self, what: str, how: object) -> None:
        token = f"{self.key}"
        if what == "wait":
            assert isinstance(how, int)
            self.journey.clock.advance(how)
        elif what == "claim":
            for message in (await self.journey.claim()).to_send:
                self.attempt = message
        elif what == "fire":
            await self.journey.fire()
        elif what == "decide":
            await self.journey.decide(release=bool(how))
        elif self.attempt is not None and isinstance(how, Outcome):
            await self.journey.record(self.attempt, how, token=token if how is Outcome.SENT else None)
        elif self.attempt is not None:
            await self.journey.receive(receipt(token, ReceiptStatus(str(how))))

    async def look(self) -> None:
        message, children = await self.journey.message(self.key), await self.journey.sms(self.key)
        state = message.fallback_state
        assert len(children) == (state is FIRED)
        if self.state in (FIRED, CALLED_OFF):
            assert state is self.state
        arrived = message.status in (Status.DELIVERED, Status.READ)
        self.delivered_first = self.delivered_first or (arrived and state is not FIRED)
        assert not (self.delivered_first and state is FIRED)
        assert not (arrived and state in (ARMED, HELD))
        assert not (message.status in (Status.FAILED, Status.EXPIRED) and state is ARMED)
        assert (message.fallback_at is None) or state is ARMED
        self.state = state
