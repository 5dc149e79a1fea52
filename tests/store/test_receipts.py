"""Receipts of known messages: promise P13, whatever their order and number."""

from __future__ import annotations

import asyncio
from itertools import permutations, product

import pytest

from chatgate.clock import SECOND, HandClock
from chatgate.domain.lifecycle import RANK, RECEIPT_EVENTS, RESTING, TRANSITIONS
from chatgate.domain.message import Failure, Status
from chatgate.domain.receipt import ReceiptStatus
from tests.store.journey import LANE, SERVICE, UNKNOWN_WAIT, Journey, receipt

LASTING = tuple(RECEIPT_EVENTS)
"""The receipts that are about a message."""

RESULT = {status: TRANSITIONS[Status.SENT][event] for status, event in RECEIPT_EVENTS.items()}

SEQUENCES = [sequence for length in (1, 2, 3) for sequence in product(LASTING, repeat=length)]
SEQUENCES += [(*sequence, sequence[0], sequence[-1]) for sequence in permutations(LASTING)]
"""All of up to three, and every order of all four with two said again."""


def highest(sequence: tuple[ReceiptStatus, ...]) -> Status:
    return max((RESULT[status] for status in sequence), key=RANK.__getitem__)


def effects(sequence: tuple[ReceiptStatus, ...]) -> list[str]:
    """A receipt applies when nothing of its rank or above came before."""
    reached, told = 0, []
    for status in sequence:
        rank = RANK[RESULT[status]]
        told.append("applied" if rank > reached else "ignored")
        reached = max(reached, rank)
    return told


async def test_every_order_one_by_one(journey: Journey) -> None:
    """The final status is that of the highest rank, in whatever order and how often receipts come."""
    keys = await send(journey, len(SEQUENCES))
    told: list[list[str]] = [[] for _ in SEQUENCES]
    for turn in range(max(map(len, SEQUENCES))):
        coming = [place for place, sequence in enumerate(SEQUENCES) if turn < len(sequence)]
        answers = await journey.receive_together(*(receipt(str(p), SEQUENCES[p][turn]) for p in coming))
        for place, effect in zip(coming, answers, strict=True):
            told[place].append(effect)
    assert [await journey.status(key) for key in keys] == [highest(sequence) for sequence in SEQUENCES]
    assert told == [effects(sequence) for sequence in SEQUENCES]


async def test_every_order_in_one_request(journey: Journey) -> None:
    keys = await send(journey, len(SEQUENCES))
    arriving = (
        journey.receive(*(receipt(str(place), status) for status in sequence))
        for place, sequence in enumerate(SEQUENCES)
    )
    assert await asyncio.gather(*arriving) == [effects(sequence) for sequence in SEQUENCES]
    assert [await journey.status(key) for key in keys] == [highest(sequence) for sequence in SEQUENCES]


async def test_every_order_in_one_transaction(journey: Journey) -> None:
    """Each receipt in a request of its own, all in one commit, the messages' receipts interleaved."""
    keys = await send(journey, len(SEQUENCES))
    turns = [
        (place, sequence[turn]) for turn in range(6) for place, sequence in enumerate(SEQUENCES) if turn < len(sequence)
    ]
    await journey.receive_together(*(receipt(str(place), status) for place, status in turns))
    assert [await journey.status(key) for key in keys] == [highest(sequence) for sequence in SEQUENCES]


async def send(journey: Journey, number: int) -> list[int]:
    """Bring messages to ``sent``, their tokens "0", "1", ...; answer their keys."""
    keys = await asyncio.gather(*(journey.accept(recipient=f"6391700{n:05}") for n in range(number)))
    claimed = {message.id: message for message in (await journey.claim(limit=number)).to_send}
    await asyncio.gather(*(journey.record(claimed[key], "sent", token=str(n)) for n, key in enumerate(keys)))
    return keys


@pytest.mark.parametrize("status", LASTING)
async def test_applied(journey: Journey, clock: HandClock, status: ReceiptStatus) -> None:
    key = await journey.sent("t")
    clock.advance(7)
    came = receipt("t", status, at=clock.now() - 5, code="CODE", reason="Why.", service_id=SERVICE, recipient="1")
    assert await journey.receive(came) == ["applied"]
    story = await journey.story(key)
    assert (story.message.status, story.message.due_at) == (RESULT[status], None)
    assert story.status_at == clock.now() - 5
    failed = RESULT[status] in (Status.FAILED, Status.EXPIRED)
    assert story.message.failure == (Failure(code="CODE", reason="Why.") if failed else None)
    (stored,) = story.receipts
    assert (stored.provider, stored.token, stored.status, stored.effect) == (LANE, "t", status, "applied")
    assert (stored.at, stored.received_at) == (clock.now() - 5, clock.now())
    assert (stored.code, stored.reason, stored.account_id) == ("CODE", "Why.", 7)


@pytest.mark.parametrize("status", LASTING)
async def test_a_message_at_rest_is_never_claimed(journey: Journey, clock: HandClock, status: ReceiptStatus) -> None:
    key = await journey.sent("t")
    await journey.receive(receipt("t", status))
    clock.advance(30 * 24 * 3600 * SECOND)
    assert (await journey.claim()).settled == 0
    assert await journey.status(key) in RESTING


async def test_failure_without_code(journey: Journey) -> None:
    expired, undelivered = await journey.sent("a"), await journey.sent("b")
    await journey.receive(receipt("a", "expired"), receipt("b", "undelivered"))
    codes = [(await journey.message(key)).failure for key in (expired, undelivered)]
    assert codes == [Failure(code="SRVC_TIMEOUT", reason=""), Failure(code="Undelivered", reason="")]


async def test_a_failure_is_forgotten_when_a_later_receipt_ranks_higher(journey: Journey) -> None:
    key = await journey.sent("t")
    await journey.receive(receipt("t", "undelivered", code="X"))
    await journey.receive(receipt("t", "delivered"))
    assert (await journey.message(key)).failure is None


async def test_a_receipt_for_a_message_back_in_the_queue_stops_the_next_try(journey: Journey, clock: HandClock) -> None:
    """A timed-out first try got through after all; the second was deferred."""
    first = await journey.unknown()
    clock.advance(UNKNOWN_WAIT)
    second = await journey.claim_one()
    await journey.record(first, "sent", token="t")
    await journey.record(second, "deferred")
    await journey.receive(receipt("t", "delivered"))
    clock.advance(UNKNOWN_WAIT)
    assert (await journey.claim()).to_send == []
    assert await journey.status(first.id) is Status.DELIVERED


async def test_receipts_of_both_attempts(journey: Journey, clock: HandClock) -> None:
    first = await journey.unknown()
    clock.advance(UNKNOWN_WAIT)
    second = await journey.claim_one()
    await journey.record(first, "sent", token="one")
    await journey.record(second, "sent", token="two")
    together = (receipt("two", "undelivered"), receipt("one", "delivered"), receipt("two", "expired"))
    assert await journey.receive(*together) == ["applied", "applied", "ignored"]
    assert await journey.status(first.id) is Status.DELIVERED


async def test_two_accounts_in_one_batch(journey: Journey) -> None:
    ours, theirs = await journey.sent("ours"), await journey.sent("theirs", account_id=8)
    told = await journey.receive_together(receipt("ours", "delivered"), receipt("theirs", "undelivered", code="X"))
    assert told == ["applied", "applied"]
    assert [await journey.status(key) for key in (ours, theirs)] == [Status.DELIVERED, Status.FAILED]
    assert [(await journey.story(key)).receipts[0].account_id for key in (ours, theirs)] == [7, 8]


async def test_tokens_of_two_providers(journey: Journey) -> None:
    """The same token of another provider is another message's, in one batch as well as alone."""
    key = await journey.sent("t")
    stranger = receipt("t", "undelivered", provider="another")
    assert await journey.receive(stranger, receipt("t", "delivered")) == ["parked", "applied"]
    assert await journey.status(key) is Status.DELIVERED
    assert len((await journey.story(key)).receipts) == 1


@pytest.mark.parametrize("token", ["", "t"])
@pytest.mark.parametrize("status", [ReceiptStatus.SUBSCRIBED, ReceiptStatus.UNSUBSCRIBED])
async def test_what_is_not_about_a_message_is_stored(journey: Journey, status: ReceiptStatus, token: str) -> None:
    key = await journey.sent("t")
    came = receipt(token, status, service_id=SERVICE, recipient="639170000001")
    assert await journey.receive(came, receipt("t", "read")) == ["ignored", "applied"]
    assert await journey.status(key) is Status.READ
    assert (await journey.store.backlog(journey.clock.now())).parked_receipts == 0


async def test_an_empty_request(journey: Journey) -> None:
    assert await journey.receive() == []


async def test_extremes(journey: Journey) -> None:
    """Time stamps and texts that no sane provider sends are stored as they came."""
    key = await journey.sent("t")
    long = "x" * 100_000
    odd = receipt("t", "undelivered", at=-1, code="\N{SNOWMAN}'\"%s?\\", reason=long)
    assert await journey.receive(odd) == ["applied"]
    assert (await journey.message(key)).failure == Failure(code="\N{SNOWMAN}'\"%s?\\", reason=long)
    assert (await journey.story(key)).status_at == -1
