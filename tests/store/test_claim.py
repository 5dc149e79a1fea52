from __future__ import annotations

import asyncio

import psycopg
import pytest

from chatgate.clock import MINUTE, SECOND, HandClock
from chatgate.domain.message import Label, Outcome, Status
from chatgate.store.acceptance import ACCEPT_LEASE
from chatgate.store.store import Store
from tests.store.conftest import Open, Tamper
from tests.store.journey import LEASE, TTL, UNKNOWN_WAIT, Journey

DAMAGE = "UPDATE messages SET draft = ? WHERE id = ?"


async def test_claimed(journey: Journey, clock: HandClock) -> None:
    key = await journey.accept()
    clock.advance(5)
    message = await journey.claim_one()
    assert message.id == key
    assert (message.status, message.attempt, message.due_at) == (Status.SENDING, 1, clock.now() + LEASE)
    assert message == await journey.message(key)
    assert (await journey.story(key)).status_at == clock.now()


async def test_the_longest_due_first(journey: Journey, clock: HandClock) -> None:
    """Not the oldest: the leased message is older, but its time comes last."""
    leased = await journey.accept(leased=True)
    keys = []
    for _ in range(4):
        clock.advance(1)
        keys.append(await journey.accept())
    clock.advance(ACCEPT_LEASE)
    taken = [await journey.claim(limit=2) for _ in range(3)]
    assert [{message.id for message in claimed.to_send} for claimed in taken] == [
        set(keys[:2]), set(keys[2:]), {leased},
    ]  # fmt: skip


async def test_limit(journey: Journey) -> None:
    for _ in range(3):
        await journey.accept()
    taken = [await journey.claim(limit=2) for _ in range(3)]
    assert [(len(claimed.to_send), claimed.more) for claimed in taken] == [(2, True), (1, False), (0, False)]


async def test_lanes_are_apart(journey: Journey) -> None:
    here, there = await journey.accept(), await journey.accept(lane="other")
    assert [message.id for message in (await journey.claim()).to_send] == [here]
    assert [message.id for message in (await journey.claim(lane="other")).to_send] == [there]


async def test_two_lanes_in_one_batch(journey: Journey) -> None:
    here, there = await journey.accept(), await journey.accept(lane="other")
    one, other, again = await asyncio.gather(journey.claim(), journey.claim(lane="other"), journey.claim())
    assert [[message.id for message in claimed.to_send] for claimed in (one, other, again)] == [[here], [there], []]


async def test_leased_is_not_claimed_before_its_lease_ends(journey: Journey, clock: HandClock) -> None:
    key = await journey.accept(leased=True)
    clock.advance(ACCEPT_LEASE - 1)
    assert (await journey.claim()).to_send == []
    clock.advance(1)
    assert (await journey.claim_one()).id == key


async def test_expired_is_not_sent(journey: Journey, clock: HandClock) -> None:
    key = await journey.accept(ttl=30)
    clock.advance(30 * SECOND)
    claimed = await journey.claim()
    assert (claimed.to_send, claimed.settled) == ([], 1)
    story = await journey.story(key)
    assert (story.message.status, story.message.due_at) == (Status.EXPIRED, None)
    assert story.message.failure is not None
    assert story.message.failure.code == "SRVC_TIMEOUT"
    assert [(note.event, note.at) for note in story.notes] == [("ran out", clock.now())]
    assert story.attempts == []


async def test_sent_the_last_millisecond_before_it_expires(journey: Journey, clock: HandClock) -> None:
    await journey.accept(ttl=30)
    clock.advance(30 * SECOND - 1)
    await journey.claim_one()


async def test_sent_without_receipt_expires_within_the_promised_minute(journey: Journey, clock: HandClock) -> None:
    key = await journey.sent("t")
    clock.set((await journey.message(key)).expires_at)
    assert (await journey.claim()).settled == 0  # the provider's own last receipt may still come
    clock.advance(MINUTE - 1)
    assert (await journey.claim()).settled == 1
    assert await journey.status(key) is Status.EXPIRED


async def test_lapsed_lease_is_a_lost_attempt(journey: Journey, clock: HandClock) -> None:
    message = await journey.sending()
    started = clock.now()
    clock.advance(LEASE - 1)
    assert (await journey.claim()).settled == 0
    clock.advance(1)
    claimed = await journey.claim()
    assert (claimed.to_send, claimed.settled) == ([], 1)
    story = await journey.story(message.id)
    assert (story.message.status, story.message.attempt, story.message.losses) == (Status.UNKNOWN, 1, 1)
    assert story.message.due_at == clock.now() + UNKNOWN_WAIT
    (lost,) = story.attempts
    assert (lost.number, lost.outcome, lost.code) == (1, "unknown", "LeaseRanOut")
    assert (lost.started_at, lost.ended_at) == (started, clock.now())


async def test_unknown_transaction_is_sent_once_more_exactly_once(journey: Journey, clock: HandClock) -> None:
    first = await journey.unknown(label=Label.TRANSACTION)
    clock.advance(UNKNOWN_WAIT - 1)
    assert (await journey.claim()).to_send == []
    clock.advance(1)
    second = await journey.claim_one()
    assert (second.id, second.attempt, second.losses) == (first.id, 2, 1)
    assert [note.event for note in (await journey.story(first.id)).notes] == ["sent once more"]
    assert await journey.record(second, Outcome.UNKNOWN) is Status.UNKNOWN
    assert (await journey.message(first.id)).due_at == first.expires_at
    clock.set(first.expires_at)
    claimed = await journey.claim()
    assert (claimed.to_send, claimed.settled) == ([], 1)
    story = await journey.story(first.id)
    assert (story.message.status, story.message.due_at, story.message.losses) == (Status.UNKNOWN, None, 2)
    assert [note.event for note in story.notes] == ["sent once more", "ran out"]


async def test_deferred_between_two_losses_still_counts_the_first(journey: Journey, clock: HandClock) -> None:
    message = await journey.unknown()
    clock.advance(UNKNOWN_WAIT)
    assert await journey.record(await journey.claim_one(), Outcome.DEFERRED) is Status.ACCEPTED
    clock.advance(10 * SECOND)
    assert await journey.record(await journey.claim_one(), Outcome.UNKNOWN) is Status.UNKNOWN
    assert (await journey.message(message.id)).due_at == message.expires_at


async def test_unknown_promotion_is_held_then_at_rest(journey: Journey, clock: HandClock) -> None:
    message = await journey.unknown(label=Label.PROMOTION)
    assert (await journey.message(message.id)).due_at == message.expires_at
    clock.set(message.expires_at - 1)
    assert (await journey.claim()).to_send == []
    clock.advance(1)
    assert (await journey.claim()).settled == 1
    story = await journey.story(message.id)
    assert (story.message.status, story.message.due_at) == (Status.UNKNOWN, None)
    assert [note.event for note in story.notes] == ["ran out"]
    assert len(story.attempts) == 1


async def test_settle_only(journey: Journey, clock: HandClock) -> None:
    """A lane without a free slot sends nothing, but expires what is over and notices who died."""
    lost = (await journey.sending()).id
    over, fresh = await journey.accept(ttl=30), await journey.accept()
    clock.advance(LEASE)
    claimed = await journey.claim(settle_only=True)
    assert (claimed.to_send, claimed.settled) == ([], 2)
    assert [await journey.status(key) for key in (lost, over, fresh)] == ["unknown", "expired", "accepted"]


async def test_settle_only_leaves_what_can_be_sent(journey: Journey, clock: HandClock) -> None:
    await journey.unknown()
    await journey.accept()
    clock.advance(UNKNOWN_WAIT)
    assert (await journey.claim(settle_only=True)).settled == 0
    assert len((await journey.claim()).to_send) == 2


async def test_unreadable_is_quarantined_and_neighbours_go_on(journey: Journey, tamper: Tamper) -> None:
    drafts = ["", "{", "null", '{"account_id":7}', '{"kind":"carrier pigeon"}']
    good = [await journey.accept() for _ in drafts]
    bad = [await journey.accept() for _ in drafts]
    for key, stored in zip(bad, drafts, strict=True):
        tamper(DAMAGE, stored, key)
    claimed = await journey.claim()
    assert {message.id for message in claimed.to_send} == set(good)
    assert claimed.settled == len(bad)
    for key in bad:
        story = await journey.story(key)
        assert (story.message.status, story.message.due_at) == (Status.FAILED, None)
        assert story.message.failure is not None
        assert story.message.failure.code == "Quarantined"
        assert [note.event for note in story.notes] == ["held"]


async def test_unreadable_in_every_state_comes_to_rest(journey: Journey, clock: HandClock, tamper: Tamper) -> None:
    """Whatever state it was in when it became unreadable, it blocks no claim and is not sent."""
    keys = {
        Status.ACCEPTED: await journey.accept(leased=True),
        Status.SENDING: (await journey.sending()).id,
        Status.SENT: await journey.sent("t"),
        Status.UNKNOWN: (await journey.unknown()).id,
    }
    for key in keys.values():
        tamper(DAMAGE, "{", key)
    for _ in range(3):
        clock.advance(TTL * SECOND)
        assert (await journey.claim()).to_send == []
    assert {before: await journey.status(key) for before, key in keys.items()} == {
        Status.ACCEPTED: Status.EXPIRED,
        Status.SENDING: Status.UNKNOWN,
        Status.SENT: Status.EXPIRED,
        Status.UNKNOWN: Status.UNKNOWN,
    }
    assert [(await journey.message(key)).due_at for key in keys.values()] == [None] * 4


async def test_unreadable_unknown_is_not_sent_again(journey: Journey, clock: HandClock, tamper: Tamper) -> None:
    message = await journey.unknown()
    tamper(DAMAGE, "{", message.id)
    clock.advance(UNKNOWN_WAIT)
    claimed = await journey.claim()
    assert (claimed.to_send, claimed.settled) == ([], 1)
    assert await journey.status(message.id) is Status.UNKNOWN


async def test_two_nodes_never_claim_the_same(journey: Journey, open_store: Open) -> None:
    other = await open_store()
    keys = {await journey.accept() for _ in range(120)}
    taken: list[int] = []

    async def drain(store: Store) -> None:
        while claimed := (await journey.claim(store, limit=7)).to_send:
            taken.extend(message.id for message in claimed)

    await asyncio.gather(*(drain(store) for store in (journey.store, other) for _ in range(3)))
    assert len(taken) == 120
    assert set(taken) == keys


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_what_another_node_holds_is_passed_over(journey: Journey, url: str) -> None:
    """A claim never waits for another node's transaction: it takes the next."""
    held, free = await journey.accept(), await journey.accept()
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM messages WHERE id = %s FOR UPDATE", (held,))
        claimed = await asyncio.wait_for(journey.claim(), 10)
        assert [message.id for message in claimed.to_send] == [free]
    assert [message.id for message in (await journey.claim()).to_send] == [held]


async def test_two_nodes_settle_the_same(journey: Journey, open_store: Open) -> None:
    """What ran out is told once, though both nodes look at the same moment."""
    other = await open_store()
    keys = [await journey.accept(ttl=30) for _ in range(40)]
    journey.clock.advance(30 * SECOND)
    here, there = await asyncio.gather(journey.claim(), journey.claim(other))
    assert here.settled + there.settled == 40
    for key in keys:
        assert len((await journey.story(key)).notes) == 1
