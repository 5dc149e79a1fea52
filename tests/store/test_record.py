"""Ends of attempts."""

from __future__ import annotations

import asyncio

import pytest

from chatgate.clock import MINUTE, SECOND, HandClock
from chatgate.domain import lifecycle, retry
from chatgate.domain.message import Failure, Outcome, Status
from tests.store.journey import LANE, LEASE, UNKNOWN_WAIT, Journey, receipt

STATUS = {
    Outcome.SENT: Status.SENT,
    Outcome.REFUSED: Status.FAILED,
    Outcome.DEFERRED: Status.ACCEPTED,
    Outcome.THROTTLED: Status.ACCEPTED,
    Outcome.UNKNOWN: Status.UNKNOWN,
}


@pytest.mark.parametrize("outcome", Outcome)
async def test_outcome(journey: Journey, clock: HandClock, outcome: Outcome) -> None:
    message = await journey.sending()
    clock.advance(3)
    token = "t" if outcome is Outcome.SENT else None
    assert await journey.record(message, outcome, token=token, code="CODE", reason="Why.") is STATUS[outcome]
    story = await journey.story(message.id)
    now = clock.now()
    assert story.message.status is STATUS[outcome]
    assert story.status_at == now
    assert (
        story.message.due_at
        == {
            Outcome.SENT: message.expires_at + lifecycle.REST_MARGIN,
            Outcome.REFUSED: None,
            Outcome.DEFERRED: now + retry.backoff(1, 0.0),
            Outcome.THROTTLED: now + retry.backoff(1, 0.0),
            Outcome.UNKNOWN: now + UNKNOWN_WAIT,
        }[outcome]
    )
    assert story.message.losses == (outcome is Outcome.UNKNOWN)
    expected = Failure(code="CODE", reason="Why.") if outcome is Outcome.REFUSED else None
    assert story.message.failure == expected
    (attempt,) = story.attempts
    assert (attempt.number, attempt.provider, attempt.outcome, attempt.token) == (1, LANE, outcome, token)
    assert (attempt.code, attempt.reason, attempt.ended_at) == ("CODE", "Why.", now)
    assert await journey.store.find_token(LANE, "t") == (message.id if token else None)


async def test_all_outcomes_in_one_batch(journey: Journey) -> None:
    for _ in Outcome:
        await journey.accept()
    claimed = (await journey.claim()).to_send
    ends = zip(claimed, Outcome, strict=True)
    answers = await asyncio.gather(*(journey.record(m, o, token="t" if o == "sent" else None) for m, o in ends))
    assert answers == list(STATUS.values())
    assert [await journey.status(message.id) for message in claimed] == list(STATUS.values())


async def test_sent_without_token(journey: Journey) -> None:
    message = await journey.sending()
    assert await journey.record(message, "sent") is Status.SENT


@pytest.mark.parametrize("outcome", Outcome)
async def test_a_late_end_of_an_old_attempt_changes_nothing(
    journey: Journey, clock: HandClock, outcome: Outcome
) -> None:
    """The first attempt hung beyond its lease; the second is open when the first one's end arrives."""
    first = await journey.sending()
    clock.advance(LEASE)
    await journey.claim()
    clock.advance(UNKNOWN_WAIT)
    second = await journey.claim_one()
    before = await journey.message(first.id)
    assert await journey.record(first, outcome, token="old" if outcome == "sent" else None) is None
    assert await journey.message(first.id) == before
    assert await journey.record(second, "sent", token="new") is Status.SENT
    attempts = (await journey.story(first.id)).attempts
    assert [(attempt.number, attempt.outcome) for attempt in attempts] == [(1, outcome), (2, "sent")]


async def test_the_token_of_an_old_attempt_counts_all_the_same(journey: Journey, clock: HandClock) -> None:
    first = await journey.unknown()
    clock.advance(UNKNOWN_WAIT)
    second = await journey.claim_one()
    await journey.record(first, "sent", token="old")
    await journey.record(second, "sent", token="new")
    assert await journey.store.find_token(LANE, "old") == await journey.store.find_token(LANE, "new") == first.id


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.SENT, Status.SENT),
        (Outcome.REFUSED, Status.FAILED),
        (Outcome.DEFERRED, Status.ACCEPTED),
        (Outcome.THROTTLED, Status.ACCEPTED),
        (Outcome.UNKNOWN, None),
    ],
)
async def test_a_late_end_resolves_unknown(
    journey: Journey, clock: HandClock, outcome: Outcome, status: Status | None
) -> None:
    """The lease ran out (a stopped process, a database that was away), then the process told what it knows."""
    message = await journey.sending()
    clock.advance(LEASE)
    await journey.claim()
    assert await journey.status(message.id) is Status.UNKNOWN
    assert await journey.record(message, outcome, token="t" if outcome == "sent" else None) is status
    story = await journey.story(message.id)
    assert story.message.status is (status or Status.UNKNOWN)
    assert story.message.losses == (status is None)
    assert [attempt.outcome for attempt in story.attempts] == [outcome]
    assert [attempt.provider for attempt in story.attempts] == [LANE]


async def test_a_late_end_after_the_time_to_live_still_comes_to_rest(journey: Journey, clock: HandClock) -> None:
    message = await journey.unknown()
    clock.set(message.expires_at)
    await journey.claim()
    assert await journey.record(message, "deferred") is Status.ACCEPTED
    assert (await journey.claim()).to_send == []
    assert await journey.status(message.id) is Status.EXPIRED


async def test_recorded_twice(journey: Journey) -> None:
    message = await journey.sending()
    assert await journey.record(message, "sent", token="t") is Status.SENT
    assert await journey.record(message, "sent", token="t") is None
    assert len((await journey.story(message.id)).attempts) == 1


@pytest.mark.parametrize("outcome", Outcome)
async def test_a_receipt_overtook_the_reply(journey: Journey, outcome: Outcome) -> None:
    first = await journey.unknown()
    journey.clock.advance(UNKNOWN_WAIT)
    second = await journey.claim_one()
    await journey.record(first, "sent", token="t")
    assert await journey.receive(receipt("t", "delivered")) == ["applied"]
    assert await journey.record(second, outcome) is None
    message = await journey.message(first.id)
    assert (message.status, message.due_at, message.failure) == (Status.DELIVERED, None, None)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [(None, SECOND // 2), (10 * SECOND, 10 * SECOND), (1, SECOND // 2), (-5, SECOND // 2), (10**9, 5 * MINUTE)],
)
async def test_deferred_for_as_long_as_the_provider_asks(journey: Journey, asked: int | None, wait: int) -> None:
    message = await journey.sending()
    await journey.record(message, "throttled", retry_after=asked)
    assert (await journey.message(message.id)).due_at == journey.clock.now() + wait


async def test_deferred_again_and_again(journey: Journey, clock: HandClock) -> None:
    key = await journey.accept()
    for number in range(1, 8):
        message = await journey.claim_one()
        assert message.attempt == number
        await journey.record(message, "deferred")
        due_at = (await journey.message(key)).due_at
        assert due_at == clock.now() + retry.backoff(number, 0.0)
        clock.set(due_at)
    assert len((await journey.story(key)).attempts) == 7


async def test_deferred_beyond_its_time_to_live(journey: Journey, clock: HandClock) -> None:
    message = await journey.sending(ttl=30)
    assert await journey.record(message, "deferred", retry_after=MINUTE) is Status.ACCEPTED
    assert (await journey.message(message.id)).due_at == message.expires_at
    clock.set(message.expires_at)
    assert (await journey.claim()).to_send == []
    assert await journey.status(message.id) is Status.EXPIRED


async def test_a_failure_is_forgotten_when_the_message_goes_on(journey: Journey) -> None:
    message = await journey.sending()
    await journey.record(message, "refused", code="X", reason="no")
    await journey.record(message, "sent", token="t")  # two words of one attempt: the first one's status stands
    assert await journey.status(message.id) is Status.FAILED
    await journey.receive(receipt("t", "delivered"))
    assert (await journey.message(message.id)).failure is None


async def test_a_token_that_the_provider_gave_twice(journey: Journey) -> None:
    """Receipts of a reused token go to the message that had it first; nothing fails."""
    first, second = await journey.sent("t"), await journey.sent("t")
    assert await journey.store.find_token(LANE, "t") == first
    assert await journey.status(second) is Status.SENT
