"""First attempts of messages that a node holds by its accept lease."""

from __future__ import annotations

import asyncio

from chatgate.clock import HandClock
from chatgate.domain.message import Status
from chatgate.store.acceptance import ACCEPT_LEASE, Release
from tests.store.conftest import Open
from tests.store.journey import LEASE, Journey


async def test_ours(journey: Journey, clock: HandClock) -> None:
    beginning = await journey.accept_leased()
    assert await journey.store.begin(beginning)
    story = await journey.story(beginning.message_id)
    message = story.message
    assert (message.status, message.attempt, message.due_at) == (Status.SENDING, 1, clock.now() + LEASE)
    assert story.status_at == clock.now()


async def test_only_once(journey: Journey) -> None:
    beginning = await journey.accept_leased()
    assert await journey.store.begin(beginning)
    assert not await journey.store.begin(beginning)


async def test_twice_in_one_batch(journey: Journey) -> None:
    beginning = await journey.accept_leased()
    begun = await asyncio.gather(*(journey.store.begin(beginning) for _ in range(2)))
    assert begun == [True, False]


async def test_in_other_hands(journey: Journey, clock: HandClock) -> None:
    """The lease lapsed and another dispatcher claimed the message."""
    beginning = await journey.accept_leased()
    clock.advance(ACCEPT_LEASE)
    assert len((await journey.claim()).to_send) == 1
    assert not await journey.store.begin(beginning)


async def test_in_other_hands_in_the_same_millisecond(journey: Journey, clock: HandClock) -> None:
    """Another node's lease ends when ours would: still only one of the two may send."""
    kept, lost = await journey.accept_leased(), await journey.accept_leased(lane="other")
    clock.advance(ACCEPT_LEASE)
    claimed = (await journey.claim(lane="other")).to_send
    now = journey.clock.now()
    ours = [journey.beginning(b.message_id, b.lease) for b in (kept, lost)]
    assert claimed[0].due_at == now + LEASE == ours[1].until
    assert await asyncio.gather(*(journey.store.begin(one) for one in ours)) == [True, False]


async def test_after_the_lease_lapsed_but_nobody_came(journey: Journey, clock: HandClock) -> None:
    beginning = await journey.accept_leased()
    clock.advance(ACCEPT_LEASE + 1)
    assert await journey.store.begin(journey.beginning(beginning.message_id, beginning.lease))
    assert (await journey.claim()).to_send == []


async def test_one_of_a_batch_is_lost(journey: Journey, clock: HandClock) -> None:
    beginnings = [await journey.accept_leased() for _ in range(5)]
    await journey.store.release(
        Release(message_id=beginnings[2].message_id, lease=beginnings[2].lease, now=clock.now())
    )
    assert len((await journey.claim()).to_send) == 1
    begun = await asyncio.gather(*(journey.store.begin(one) for one in beginnings))
    assert begun == [True, True, False, True, True]
    assert [await journey.status(one.message_id) for one in beginnings] == [Status.SENDING] * 5
    assert [(await journey.message(one.message_id)).attempt for one in beginnings] == [1] * 5


async def test_release(journey: Journey, clock: HandClock) -> None:
    """A node that stops gives its messages back: the next claim finds them at once."""
    beginning = await journey.accept_leased()
    assert (await journey.claim()).to_send == []
    await journey.store.release(Release(message_id=beginning.message_id, lease=beginning.lease, now=clock.now()))
    assert [message.id for message in (await journey.claim()).to_send] == [beginning.message_id]


async def test_what_was_given_back_is_not_ours_any_more(journey: Journey, clock: HandClock) -> None:
    beginning = await journey.accept_leased()
    await journey.store.release(Release(message_id=beginning.message_id, lease=beginning.lease, now=clock.now()))
    assert not await journey.store.begin(beginning)
    assert await journey.status(beginning.message_id) is Status.ACCEPTED


async def test_release_of_a_message_in_other_hands_changes_nothing(journey: Journey, clock: HandClock) -> None:
    beginning = await journey.accept_leased()
    assert await journey.store.begin(beginning)
    await journey.store.release(Release(message_id=beginning.message_id, lease=beginning.lease, now=clock.now()))
    assert (await journey.message(beginning.message_id)).due_at == beginning.until


async def test_two_nodes_begin(journey: Journey, open_store: Open) -> None:
    """However it comes that two nodes think they hold the same 50 messages, each begins in one place."""
    other = await open_store()
    beginnings = [await journey.accept_leased() for _ in range(50)]
    ours = asyncio.gather(*(journey.store.begin(one) for one in beginnings))
    theirs = asyncio.gather(*(other.begin(one) for one in reversed(beginnings)))
    here, there = await ours, list(reversed(await theirs))
    assert [a + b for a, b in zip(here, there, strict=True)] == [1] * 50
