"""What becomes of a message in a lane: every outcome, every way to be interrupted."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from chatgate.clock import SECOND, HandClock, Instant
from chatgate.domain.lifecycle import REST_MARGIN
from chatgate.domain.message import Label, Message, Outcome, SendResult, Status
from chatgate.domain.receipt import ReceiptStatus
from chatgate.outbound import Outbound
from chatgate.providers.base import HttpProvider
from chatgate.wire import HttpRequest
from chatgate.workers.lane import NANOSECONDS
from tests.drafts import NUMBER, TEXT, draft
from tests.workers.conftest import Make
from tests.workers.stand import (
    DEFERRED,
    LEASE,
    REFUSED,
    REPLY_TIMEOUT,
    THROTTLED,
    UNKNOWN,
    UNKNOWN_WAIT,
    Scripted,
    Ticks,
    eventually,
    promotion,
    sends,
)

# --- outcomes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handed", [True, False])
async def test_sent(make: Make, handed: bool) -> None:
    provider = Scripted()
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand() if handed else (await stand.accept()).id
    message = await stand.becomes(key, Status.SENT)
    assert provider.sends == [(key, 1)]
    assert message.due_at == message.expires_at + REST_MARGIN
    (attempt,) = (await stand.story(key)).attempts
    assert (attempt.provider, attempt.token, attempt.outcome) == ("viber", f"token-{key}-1", "sent")
    assert stand.counted("attempts_total", provider="viber", outcome="sent") == 1


@pytest.mark.parametrize("handed", [True, False])
async def test_the_attempt_is_committed_before_a_byte_leaves(make: Make, handed: bool) -> None:
    provider, seen = Scripted(), list[tuple[Status, int]]()
    stand = make(provider)

    async def look(message: Message) -> None:
        stored = await stand.message(message.id)
        seen.append((stored.status, stored.attempt))

    provider.on_send = look
    stand.lane.start()
    key = await stand.hand() if handed else (await stand.accept()).id
    await stand.becomes(key, Status.SENT)
    assert seen == [(Status.SENDING, 1)]


async def test_refused(make: Make) -> None:
    provider = Scripted()
    provider.answers.append(REFUSED)
    stand = make(provider)
    stand.lane.start()
    message = await stand.becomes(await stand.hand(), Status.FAILED)
    assert message.failure is not None
    assert (message.failure.code, message.failure.reason) == ("SRVC_NOT_VIBER_USER", "No Viber.")
    assert message.due_at is None


@pytest.mark.parametrize(("answer", "wait"), [(DEFERRED, 500), (THROTTLED, 7000)])
async def test_not_accepted_is_tried_again_when_it_is_due(
    make: Make, clock: HandClock, answer: SendResult, wait: int
) -> None:
    provider = Scripted()
    provider.answers.append(answer)
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand()
    await sends(provider, 1)
    message = await stand.becomes(key, Status.ACCEPTED, attempt=1)
    assert message.due_at == clock.now() + wait
    clock.advance(wait - 1)
    await stand.looked()
    assert provider.sends.count((key, 2)) == 0
    clock.advance(1)
    await stand.becomes(key, Status.SENT, attempt=2)
    assert provider.sends.count((key, 2)) == 1


async def test_a_provider_that_raises_leaves_an_unknown_outcome(make: Make) -> None:
    provider = Scripted()
    provider.answers.append(RuntimeError(f"{NUMBER} {TEXT}"))
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand(promotion())
    await stand.becomes(key, Status.UNKNOWN)
    (attempt,) = (await stand.story(key)).attempts
    assert (attempt.code, attempt.reason) == ("RuntimeError", "The provider module failed.")
    await stand.becomes(await stand.hand(), Status.SENT)  # the slot lives on


async def test_what_cannot_be_encoded_is_quarantined(make: Make) -> None:
    class Poisoned(HttpProvider):
        def encode(self, message: Message, now: Instant) -> HttpRequest:
            raise ValueError(f"{NUMBER} {TEXT}")

    outbound = Outbound(connect_timeout=1, reply_timeout=1)
    stand = make(Poisoned("viber", Scripted().settings, outbound))
    stand.lane.start()
    message = await stand.becomes(await stand.hand(), Status.FAILED)
    assert message.failure is not None
    assert (message.failure.code, message.failure.reason) == (
        "Quarantined",
        "The message cannot be written: ValueError.",
    )
    await outbound.close()


# --- unknown outcomes ------------------------------------------------------------------------------------------------


async def test_unknown_transaction_is_sent_once_more_and_only_once(make: Make, clock: HandClock) -> None:
    provider = Scripted()
    provider.answers.extend([UNKNOWN, UNKNOWN])
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand()
    message = await stand.becomes(key, Status.UNKNOWN)
    assert message.due_at == clock.now() + UNKNOWN_WAIT
    clock.advance(UNKNOWN_WAIT)
    message = await stand.becomes(key, Status.UNKNOWN, attempt=2)
    assert (message.due_at, message.losses) == (message.expires_at, 2)
    clock.set(message.expires_at - 1)
    await stand.looked()
    assert [sent for sent in provider.sends if sent[0] == key] == [(key, 1), (key, 2)]
    assert "sent once more" in [note.event for note in (await stand.story(key)).notes]


async def test_unknown_promotion_is_held_and_comes_to_rest(make: Make, clock: HandClock) -> None:
    provider = Scripted()
    provider.answers.append(UNKNOWN)
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand(promotion())
    message = await stand.becomes(key, Status.UNKNOWN)
    assert message.due_at == message.expires_at
    clock.set(message.expires_at)

    async def at_rest() -> bool:
        return (await stand.message(key)).due_at is None

    await eventually(at_rest)
    assert (await stand.message(key)).status is Status.UNKNOWN
    assert provider.sends == [(key, 1)]


@pytest.mark.parametrize("label", Label)
async def test_a_receipt_resolves_an_unknown_outcome(make: Make, clock: HandClock, label: Label) -> None:
    provider = Scripted()
    provider.answers.append(UNKNOWN)
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand(draft(label=label))
    await stand.becomes(key, Status.UNKNOWN)
    assert await stand.receive(key, "a-token-that-no-reply-brought") == ["applied"]
    await stand.becomes(key, Status.DELIVERED)
    clock.advance(UNKNOWN_WAIT)
    await stand.looked()
    assert [sent for sent in provider.sends if sent[0] == key] == [(key, 1)]


async def test_a_receipt_may_overtake_the_reply(make: Make) -> None:
    provider = Scripted()
    provider.answers.append(gate := asyncio.Event())
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand()
    await sends(provider, 1)
    assert await stand.receive(key, f"token-{key}-1", ReceiptStatus.READ) == ["parked"]
    gate.set()
    await stand.becomes(key, Status.READ)


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("handed", [True, False])
async def test_nothing_is_sent_after_its_time(make: Make, clock: HandClock, handed: bool) -> None:
    provider = Scripted()
    stand = make(provider)
    key = await stand.hand(draft(ttl=30)) if handed else (await stand.accept(draft(ttl=30))).id
    clock.advance(30 * SECOND)
    stand.lane.start()
    message = await stand.becomes(key, Status.EXPIRED)
    assert message.failure is not None
    assert message.failure.code == "SRVC_TIMEOUT"
    assert provider.sends == []


@pytest.mark.parametrize("handed", [True, False])
async def test_time_is_looked_at_right_before_the_request(make: Make, clock: HandClock, handed: bool) -> None:
    """The time runs out while the message waits for its turn within the rate."""
    provider, ticks = Scripted(rate=1, max_in_flight=2), Ticks()
    stand = make(provider, monotonic=ticks)
    stand.lane.start()
    first = await stand.hand()
    await stand.becomes(first, Status.SENT)
    ticks.now = Ticks.NEARLY_A_SECOND
    if handed:
        key = await stand.hand(draft(ttl=30))
        await asyncio.sleep(0.02)
    else:
        key = (await stand.accept(draft(ttl=30), leased=True)).id
        clock.advance(25 * SECOND)  # claimed so late that its lease is longer than its time
        await stand.becomes(key, Status.SENDING)
    clock.set((await stand.message(key)).expires_at)
    ticks.now = NANOSECONDS
    await stand.becomes(key, Status.EXPIRED)
    assert provider.sends == [(first, 1)]


async def test_a_claimed_message_that_waited_too_long_is_not_sent_under_a_dying_lease(
    make: Make, clock: HandClock
) -> None:
    """Its lease could run out while the request is open, and then somebody else would send it too."""
    provider, ticks = Scripted(rate=1, max_in_flight=2), Ticks()
    stand = make(provider, monotonic=ticks)
    stand.lane.start()
    first = await stand.hand()
    await stand.becomes(first, Status.SENT)
    ticks.now = Ticks.NEARLY_A_SECOND
    key = (await stand.accept()).id
    await stand.becomes(key, Status.SENDING)
    clock.advance(LEASE - REPLY_TIMEOUT + 1)
    ticks.now = NANOSECONDS
    message = await stand.becomes(key, Status.ACCEPTED)
    assert provider.sends == [(first, 1)]
    assert [attempt.code for attempt in (await stand.story(key)).attempts] == ["TooLate"]
    assert message.due_at is not None
    clock.set(message.due_at)
    ticks.now += NANOSECONDS
    await stand.becomes(key, Status.SENT, attempt=2)


def test_the_outcomes_of_this_page_are_all_there_are() -> None:
    told = {DEFERRED.outcome, THROTTLED.outcome, REFUSED.outcome, UNKNOWN.outcome, Outcome.SENT}
    assert told == set(Outcome)
    assert msgspec.structs.replace(UNKNOWN).token is None
