from __future__ import annotations

import asyncio

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from chatgate.clock import SECOND, HandClock
from chatgate.domain.message import Content, Failure, Status
from chatgate.store import database
from chatgate.store.acceptance import ACCEPT_LEASE
from chatgate.store.calls import nonce_key
from chatgate.store.store import Store
from chatgate.store.tables import notes
from tests.store.conftest import Open
from tests.store.journey import ACCOUNT, DRAFT, PHONE, TTL, Journey


def nonce(text: str, access_key_id: str = "key") -> bytes:
    return nonce_key(access_key_id, text, 1_740_830_400_000)


async def test_stored(journey: Journey, clock: HandClock) -> None:
    accepted = await journey.try_accept(nonce=nonce("a"))
    assert accepted.stored
    story = await journey.story(accepted.key)
    assert story.message.draft == DRAFT
    assert story.message.status is Status.ACCEPTED
    assert story.message.attempt == 0
    assert story.message.accepted_at == clock.now() == story.status_at
    assert story.message.expires_at == clock.now() + TTL * SECOND
    assert story.message.due_at == clock.now()
    assert story.message.failure is None
    assert story.request_id == "REQUEST"
    assert (story.attempts, story.receipts, story.notes) == ([], [], [])


async def test_why_it_was_allowed_is_told(journey: Journey, url: str) -> None:
    """Once, and nothing is left of a call that stored nothing."""
    accepted = await journey.try_accept(nonce=nonce("a"), allowed_by="alice may call.")
    assert (await journey.try_accept(nonce=nonce("a"), allowed_by="alice may call.")).nonce_used
    (note,) = (await journey.story(accepted.key)).notes
    assert (note.event, note.detail) == ("allowed", "alice may call.")
    engine = database.open_reader(url)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(notes)).scalar() == 1
    engine.dispose()


async def test_leased(journey: Journey, clock: HandClock) -> None:
    key = await journey.accept(leased=True)
    assert (await journey.message(key)).due_at == clock.now() + ACCEPT_LEASE


async def test_read_by_another_node(journey: Journey, open_store: Open) -> None:
    key = await journey.accept()
    other = await open_store()
    story = await other.story(ACCOUNT, key)
    assert story is not None
    assert story.message == await journey.message(key)
    assert other.message_ids.public(key) == journey.store.message_ids.public(key)


async def test_known_failure_is_at_rest(journey: Journey) -> None:
    """A paused sender: accepted, failed, never claimed."""
    failure = Failure(code="SenderPaused", reason="The sender is paused.")
    key = await journey.accept(failure=failure)
    message = await journey.message(key)
    assert (message.status, message.due_at, message.failure) == (Status.FAILED, None, failure)
    journey.clock.advance(TTL * 2 * SECOND)
    claimed = await journey.claim()
    assert (claimed.to_send, claimed.settled) == ([], 0)


async def test_used_nonce(journey: Journey) -> None:
    first = await journey.try_accept(nonce=nonce("a"))
    again = await journey.try_accept(nonce=nonce("a"))
    assert first.stored
    assert again.nonce_used
    assert not again.stored
    assert await journey.store.story(None, again.key) is None


async def test_nonce_belongs_to_its_access_key(journey: Journey) -> None:
    await journey.accept(nonce=nonce("a", "one"))
    await journey.accept(nonce=nonce("a", "other"))


async def test_used_nonce_on_another_node(journey: Journey, open_store: Open) -> None:
    await journey.accept(nonce=nonce("a"))
    other = Journey(await open_store(), journey.clock)
    assert (await other.try_accept(nonce=nonce("a"))).nonce_used
    assert await other.store.spend_nonce(nonce("a")) is False
    assert await other.store.spend_nonce(nonce("b")) is True
    assert (await journey.try_accept(nonce=nonce("b"))).nonce_used


async def test_same_nonce_twice_in_one_batch(journey: Journey) -> None:
    answers = await asyncio.gather(*(journey.try_accept(nonce=nonce("a")) for _ in range(3)))
    assert [answer.stored for answer in answers] == [True, False, False]
    assert [await journey.store.story(None, answer.key) is None for answer in answers] == [False, True, True]


@pytest.mark.parametrize("place", [0, 17, 39])
async def test_one_replay_in_a_group_commit(journey: Journey, place: int) -> None:
    """Only the replay is refused; its neighbours are stored, and their nonces are spent."""
    await journey.accept(nonce=nonce("used"))
    names = [str(n) for n in range(40)]
    names[place] = "used"
    answers = await asyncio.gather(*(journey.try_accept(nonce=nonce(name)) for name in names))
    assert [answer.nonce_used for answer in answers] == [name == "used" for name in names]
    for answer in answers:
        assert (await journey.store.story(None, answer.key) is not None) == answer.stored
    again = await asyncio.gather(*(journey.try_accept(nonce=nonce(name)) for name in names))
    assert all(answer.nonce_used for answer in again)


async def test_messages_with_and_without_nonce_in_one_batch(journey: Journey) -> None:
    """A fallback has no call of its own; its neighbours' nonces must not be taken for its."""
    await journey.accept(nonce=nonce("used"))
    nonces = [None, nonce("used"), None, nonce("fresh"), None]
    answers = await asyncio.gather(*(journey.try_accept(nonce=one) for one in nonces))
    assert [answer.stored for answer in answers] == [True, False, True, True, True]


async def test_two_nodes_race_for_nonces(journey: Journey, open_store: Open) -> None:
    """Two nodes get the same 30 calls at once, in opposite order: each call is stored exactly once."""
    other = Journey(await open_store(), journey.clock)
    names = [nonce(str(n)) for n in range(30)]
    ours = asyncio.gather(*(journey.try_accept(nonce=one) for one in names))
    theirs = asyncio.gather(*(other.try_accept(nonce=one) for one in reversed(names)))
    here, there = await ours, list(reversed(await theirs))
    assert [a.stored + b.stored for a, b in zip(here, there, strict=True)] == [1] * 30


async def test_an_error_tells_nothing_of_the_message(journey: Journey) -> None:
    """Errors end up in logs: no number, no text (promise P23)."""
    acceptance = journey.acceptance(content=Content(text="secret words"))
    await journey.store.accept(acceptance)
    with pytest.raises(IntegrityError) as caught:
        await journey.store.accept(msgspec.structs.replace(acceptance, nonce=nonce("another")))
    assert "messages" in str(caught.value)
    for marker in ("secret words", PHONE):
        assert marker not in str(caught.value)


async def test_a_thousand_at_once(journey: Journey, store: Store) -> None:
    """More than one transaction holds: all are answered, all are there."""
    keys = await asyncio.gather(*(journey.accept(nonce=nonce(str(n))) for n in range(1000)))
    assert len(set(keys)) == 1000
    assert (await store.backlog(journey.clock.now())).due == 1000
