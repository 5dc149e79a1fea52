"""Promise P16: one SMS as soon as a message fails, however it fails."""

from __future__ import annotations

import pytest

from chatgate.clock import SECOND, HandClock
from chatgate.domain.fallback import SMS_TTL
from chatgate.domain.lifecycle import REST_MARGIN
from chatgate.domain.message import Content, Failure, MessageType, Status
from tests.store.fallbacks import ARMED, FIRED, Failing, events, told_undelivered
from tests.store.journey import LEASE, ORDER, PHONE, Journey, order, receipt

PAUSED = Failure(code="SenderPaused", reason="The sender is paused.")


async def accepted_as_failed(journey: Journey, **changes: object) -> int:
    return await journey.accept(failure=PAUSED, **changes)


async def refused(journey: Journey, **changes: object) -> int:
    message = await journey.sending(**changes)
    assert await journey.record(message, "refused", code="SRVC_NOT_VIBER_USER") is Status.FAILED
    return message.id


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
