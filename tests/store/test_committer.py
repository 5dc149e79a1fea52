"""Group commit, with verbs of its own: what a caller hears, and what has then happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from chatgate.errors import StoreUnavailable
from chatgate.store import database, rows
from chatgate.store.committer import MAX_BATCH, Committer, Verb
from chatgate.store.tables import nonces


@pytest.fixture
async def committer(url: str) -> AsyncIterator[Committer]:
    engine = database.open_writer(url)
    opened = Committer(engine, on_fatal=pytest.fail)
    yield opened
    await opened.close()
    engine.dispose()


def put(connection: Connection, items: Sequence[bytes]) -> list[int]:
    """Store each; answer how many shared the transaction's call. ``poison`` is refused by the verb."""
    for item in items:
        rows.insert(connection, nonces, ("key",), [(item,)])
        if item.startswith(b"poison"):
            raise ValueError(item)
    return [len(items)] * len(items)


def put_too(connection: Connection, items: Sequence[bytes]) -> list[str]:
    put(connection, items)
    return [f"too {item.decode()}" for item in items]


def stored(connection: Connection, items: Sequence[None]) -> list[set[bytes]]:
    return [{bytes(key) for key in connection.execute(select(nonces.c.key)).scalars()}] * len(items)


async def test_gathered_in_one_transaction(committer: Committer) -> None:
    answers = await asyncio.gather(*(committer.run(put, b"%d" % n) for n in range(10)))
    assert answers == [10] * 10
    assert len(await committer.run(stored, None)) == 10


async def test_answers_go_to_their_callers(committer: Committer) -> None:
    """Two verbs mixed in one batch."""
    verbs: list[Verb[bytes, Any]] = [put, put_too]
    answers = await asyncio.gather(*(committer.run(verbs[n % 2], b"%d" % n) for n in range(6)))
    assert answers == [3, "too 1", 3, "too 3", 3, "too 5"]


async def test_no_batch_is_larger_than_the_limit(committer: Committer) -> None:
    answers = await asyncio.gather(*(committer.run(put, b"%d" % n) for n in range(MAX_BATCH + 1)))
    assert sorted(answers) == [1] + [MAX_BATCH] * MAX_BATCH


async def test_callers_gather_while_a_transaction_runs(committer: Committer) -> None:
    first = committer.run(put, b"first")
    while committer.queued != 0:
        await asyncio.sleep(0)
    others = [committer.run(put, b"%d" % n) for n in range(5)]
    assert committer.queued == 5
    assert await first == 1
    assert await asyncio.gather(*others) == [5] * 5
    assert committer.queued == 0


@pytest.mark.parametrize("place", [0, 3, 6])
async def test_a_poisoned_item_fails_alone(committer: Committer, place: int) -> None:
    items = [b"%d" % n for n in range(7)]
    items[place] = b"poison"
    answers = await asyncio.gather(*(committer.run(put, item) for item in items), return_exceptions=True)
    assert [isinstance(answer, ValueError) for answer in answers] == [item == b"poison" for item in items]
    assert await committer.run(stored, None) == set(items) - {b"poison"}


async def test_two_poisoned_items_each_hear_their_own_error(committer: Committer) -> None:
    items = [b"a", b"poison 1", b"b", b"poison 2"]
    answers = await asyncio.gather(*(committer.run(put, item) for item in items), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["1", "b'poison 1'", "1", "b'poison 2'"]


async def test_what_the_database_refuses_fails_alone(committer: Committer) -> None:
    await committer.run(put, b"taken")
    answers = await asyncio.gather(
        committer.run(put, b"a"), committer.run(put, b"taken"), committer.run(put_too, b"b"), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [int, IntegrityError, str]
    assert await committer.run(stored, None) == {b"taken", b"a", b"b"}


async def test_a_lone_poisoned_item(committer: Committer) -> None:
    with pytest.raises(ValueError, match="poison"):
        await committer.run(put, b"poison")
    assert await committer.run(stored, None) == set()
    assert await committer.run(put, b"a") == 1


def outage(connection: Connection, items: Sequence[bytes]) -> list[None]:
    """Store each, then find the database gone."""
    put(connection, items)
    raise OSError("the database is away")


async def test_outage(committer: Committer) -> None:
    """Every caller of the transaction hears it, and nothing is stored; the next one works."""
    wishes: list[tuple[Verb[bytes, Any], bytes]] = [(put, b"a"), (outage, b"b"), (put_too, b"c")]
    answers = await asyncio.gather(*(committer.run(*wish) for wish in wishes), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 3
    assert len({id(answer) for answer in answers}) == 3  # an error raised in two tasks mixes up their tracebacks
    assert await committer.run(stored, None) == set()
    assert await committer.run(put, b"a") == 1


async def test_outage_while_each_runs_alone(committer: Committer) -> None:
    """What was committed before the outage is told as done, what was not, as not."""
    wishes: list[tuple[Verb[bytes, Any], bytes]] = [(put, b"a"), (put, b"poison"), (outage, b"b"), (put_too, b"c")]
    first = committer.run(put, b"0")
    await asyncio.sleep(0)
    answers = await asyncio.gather(*(committer.run(*wish) for wish in wishes), return_exceptions=True)
    assert await first == 1
    # In a batch the poison is met first, so that each runs alone; then the database is gone at the third.
    assert [type(answer) for answer in answers] == [int, ValueError, StoreUnavailable, StoreUnavailable]
    assert await committer.run(stored, None) == {b"0", b"a"}


async def test_a_caller_that_gives_up(committer: Committer) -> None:
    """Its neighbours hear their answers, and nobody waits for ever."""
    futures = [committer.run(put, b"%d" % n) for n in range(3)]
    futures[1].cancel()
    assert await futures[0] == await futures[2] == 3
    assert await committer.run(put, b"3") == 1


async def test_close_finishes_what_was_asked(url: str) -> None:
    engine = database.open_writer(url)
    committer = Committer(engine, on_fatal=pytest.fail)
    futures = [committer.run(put, b"%d" % n) for n in range(MAX_BATCH * 2 + 1)]
    await committer.close()
    assert all(future.done() for future in futures)
    assert len(await asyncio.gather(*futures)) == len(futures)
    with engine.connect() as connection:
        assert len(stored(connection, [None])[0]) == len(futures)
    engine.dispose()


async def test_after_close(url: str) -> None:
    """A late caller is refused; it does not wait for ever. Closing twice is closing once."""
    engine = database.open_writer(url)
    committer = Committer(engine, on_fatal=pytest.fail)
    closing = asyncio.ensure_future(committer.close())
    await asyncio.sleep(0)
    late = committer.run(put, b"late")
    await closing
    await committer.close()
    for future in (late, committer.run(put, b"later")):
        with pytest.raises(StoreUnavailable, match="closed"):
            await future
    engine.dispose()


async def test_heavy_wishes_and_all_others_take_turns(committer: Committer) -> None:
    """Who waits beside heavy wishes is held up by one of them, not by all; none is left behind."""
    done: list[str] = []

    def wish(name: str, *, heavy: bool = False) -> asyncio.Future[int]:
        future = committer.run(put, name.encode(), heavy=heavy)
        future.add_done_callback(lambda _: done.append(name))
        return future

    wishes = [wish(f"heavy {n}", heavy=True) for n in range(4)]
    wishes += [wish(f"light {n}") for n in range(MAX_BATCH + 2)]
    assert committer.queued == len(wishes)
    answers = await asyncio.gather(*wishes)
    assert answers == [1] * 4 + [MAX_BATCH] * MAX_BATCH + [2, 2]
    assert [name for name in done if not name.startswith("light")] == [f"heavy {n}" for n in range(4)]
    assert [done.index(f"heavy {n}") for n in range(4)] == [MAX_BATCH, MAX_BATCH + 3, MAX_BATCH + 4, MAX_BATCH + 5]
    assert committer.queued == 0


async def test_closing_finishes_heavy_wishes(url: str) -> None:
    engine = database.open_writer(url)
    opened = Committer(engine, on_fatal=pytest.fail)
    wishes = [opened.run(put, b"%d" % n, heavy=True) for n in range(3)]
    await opened.close()
    assert await asyncio.gather(*wishes) == [1, 1, 1]
    engine.dispose()
