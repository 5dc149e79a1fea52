"""Promise P3: the same retry key within 24 hours gives the same message, another request under it is refused."""

from __future__ import annotations

import asyncio

import pytest

from chatgate.clock import DAY, HandClock
from chatgate.store.acceptance import Accepted
from tests.store.conftest import Open
from tests.store.journey import Journey, retry_key


async def test_same_request(journey: Journey) -> None:
    first = await journey.try_accept(nonce=b"1", retry=retry_key("k"))
    again = await journey.try_accept(nonce=b"2", retry=retry_key("k"))
    assert first.stored
    assert again == Accepted(key=first.key, repeated=True)


async def test_repeat_stores_nothing_but_its_nonce(journey: Journey) -> None:
    await journey.accept(nonce=b"1", retry=retry_key("k"))
    await journey.try_accept(nonce=b"2", retry=retry_key("k"))
    assert (await journey.store.backlog(journey.clock.now())).due == 1
    assert (await journey.try_accept(nonce=b"2")).nonce_used


async def test_other_request(journey: Journey) -> None:
    await journey.accept(retry=retry_key("k"))
    refused = await journey.try_accept(retry=retry_key("k", "another request"))
    assert refused.mismatch
    assert not refused.repeated
    assert not refused.stored
    assert (await journey.store.backlog(journey.clock.now())).due == 1


async def test_keys_of_two_accounts(journey: Journey) -> None:
    await journey.accept(retry=retry_key("k"))
    await journey.accept(retry=retry_key("k"), account_id=8)


@pytest.mark.parametrize(("age", "repeated"), [(DAY - 1, True), (DAY, True), (DAY + 1, False)])
async def test_window(journey: Journey, clock: HandClock, age: int, repeated: bool) -> None:
    first = await journey.accept(retry=retry_key("k"))
    clock.advance(age)
    second = await journey.try_accept(retry=retry_key("k"))
    assert second.repeated == repeated
    assert (second.key == first) == repeated


async def test_window_begins_anew(journey: Journey, clock: HandClock) -> None:
    await journey.accept(retry=retry_key("k"))
    clock.advance(DAY + 1)
    second = await journey.accept(retry=retry_key("k", "another request"))
    clock.advance(DAY)
    assert (await journey.try_accept(retry=retry_key("k", "another request"))).key == second


async def test_both_in_one_batch(journey: Journey) -> None:
    first, again, other = await asyncio.gather(
        journey.try_accept(retry=retry_key("k")),
        journey.try_accept(retry=retry_key("k")),
        journey.try_accept(retry=retry_key("k", "another request")),
    )
    assert first.stored
    assert again == Accepted(key=first.key, repeated=True)
    assert other.mismatch
    assert await journey.story(first.key)


async def test_used_nonce_is_told_before_the_retry_key(journey: Journey) -> None:
    """A replay must not learn the MessageId of the call that it copies, nor take a retry key for itself."""
    first = await journey.accept(nonce=b"1", retry=retry_key("k"))
    replay = await journey.try_accept(nonce=b"1", retry=retry_key("k"))
    assert replay.nonce_used
    assert replay.key != first
    assert (await journey.try_accept(nonce=b"1", retry=retry_key("other"))).nonce_used
    await journey.accept(nonce=b"2", retry=retry_key("other"))


async def test_two_nodes_race(journey: Journey, open_store: Open) -> None:
    """The same 20 retries reach two nodes at once, in opposite order: one message each, both callers get its id."""
    other = Journey(await open_store(), journey.clock)
    names = [retry_key(str(n)) for n in range(20)]
    ours = asyncio.gather(*(journey.try_accept(retry=one) for one in names))
    theirs = asyncio.gather(*(other.try_accept(retry=one) for one in reversed(names)))
    here, there = await ours, list(reversed(await theirs))
    for a, b in zip(here, there, strict=True):
        assert a.key == b.key
        assert a.stored != b.stored
        assert await journey.story(a.key)
