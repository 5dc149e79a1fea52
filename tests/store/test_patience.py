"""A database that stands still: a call is refused in time, and what was refused has not happened, then or later."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from sqlalchemy import Connection, Engine, event

from chatgate.errors import OutcomeUnknown, StoreUnavailable
from chatgate.store import database
from chatgate.store.committer import LOOK_EVERY, Committer
from tests.store.test_committer import put, put_too, stored

PATIENCE = 0.5


class Gate:
    """What stands still until it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._open = threading.Event()

    def wait(self) -> None:
        self.reached.set()
        assert self._open.wait(20)

    def open(self) -> None:
        self._open.set()

    def call(self, connection: Connection, items: Sequence[bytes]) -> list[int]:
        """Store each, and wait before the commit; in ``calls``."""
        answers = put(connection, items)
        self.wait()
        return answers

    def work(self, connection: Connection, items: Sequence[bytes]) -> list[int]:
        """The same, for nobody outside."""
        return self.call(connection, items)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = database.open_writer(url)
    yield engine
    engine.dispose()


@pytest.fixture
async def committer(engine: Engine, gate: Gate) -> AsyncIterator[Committer]:
    opened = Committer(engine, on_fatal=pytest.fail, calls=(put, gate.call), patience=PATIENCE)
    yield opened
    gate.open()
    await opened.close()


async def refused(future: asyncio.Future[int], kind: type[StoreUnavailable] = StoreUnavailable) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        await asyncio.wait_for(asyncio.shield(future), 10)
    assert raised.type is kind


async def standing_still(gate: Gate, future: asyncio.Future[int]) -> asyncio.Future[int]:
    """Return the future when its verb stands still."""
    assert await asyncio.to_thread(gate.reached.wait, 10)
    return future


async def test_the_call_that_stands_still_and_those_behind_it(committer: Committer, gate: Gate, kind: str) -> None:
    """SQLite does not stand still by itself: what runs there is waited for, and the answer is true."""
    first = await standing_still(gate, committer.run(gate.call, b"first"))
    await refused(committer.run(put, b"second"))
    if kind == "postgresql":
        await refused(first)
    else:
        assert not first.done()
    gate.open()
    assert await committer.run(put_too, b"third") == "too third"
    kept = {b"third"} if kind == "postgresql" else {b"first", b"third"}
    assert await committer.run(stored, None) == kept


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_locked_by_another_program(committer: Committer, url: str) -> None:
    other = database.open_writer(url)
    with other.connect() as connection, connection.begin():
        await refused(committer.run(put, b"a"))
    other.dispose()
    assert await committer.run(put_too, b"b") == "too b"
    assert await committer.run(stored, None) == {b"b"}


async def test_work_is_not_rolled_back_for_the_sake_of_a_call(committer: Committer, gate: Gate) -> None:
    work = await standing_still(gate, committer.run(gate.work, b"work"))
    await refused(committer.run(put, b"call"))
    assert not work.done()
    gate.open()
    assert await work == 1
    assert await committer.run(stored, None) == {b"work"}


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_work_that_shared_a_transaction_with_a_call_then_has_its_own(committer: Committer, gate: Gate) -> None:
    both = [committer.run(gate.work, b"work"), committer.run(put, b"call")]
    for future in both:
        await refused(future)
    gate.open()
    assert await committer.run(stored, None) == set()
    slow = Gate()
    both = [committer.run(slow.work, b"work again"), committer.run(put, b"call again")]
    assert await both[1] == 1
    await standing_still(slow, both[0])
    await refused(committer.run(put, b"third"))
    slow.open()
    assert await both[0] == 1
    assert await committer.run(stored, None) == {b"work again", b"call again"}


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_who_was_committed_before_it_stood_still_hears_it(committer: Committer, gate: Gate) -> None:
    """A poisoned item makes each run alone; the first is committed already."""
    first = committer.run(put, b"a")
    poisoned = committer.run(put, b"poison")
    await refused(committer.run(gate.call, b"b"))
    assert await first == 1
    with pytest.raises(ValueError, match="poison"):
        await poisoned
    gate.open()
    assert await committer.run(stored, None) == {b"a"}


async def test_a_commit_under_way(committer: Committer, gate: Gate, engine: Engine, kind: str) -> None:
    """The disk's is waited for: its answer is true. PostgreSQL may never answer; then nobody knows."""

    @event.listens_for(engine, "commit")
    def stand_still(_connection: Connection) -> None:
        gate.wait()

    committing = await standing_still(gate, committer.run(put, b"a"))
    await refused(committer.run(put, b"b"))
    if kind == "postgresql":
        await refused(committing, OutcomeUnknown)
    else:
        assert not committing.done()
    gate.open()
    assert await committer.run(stored, None) == {b"a"}
    assert kind == "postgresql" or await committing == 1


async def test_this_process_stood_still_during_a_commit(committer: Committer, gate: Gate, engine: Engine) -> None:
    """When it goes on it is late, but the database's answer is at hand, and is heard."""

    @event.listens_for(engine, "commit")
    def stand_still(_connection: Connection) -> None:
        gate.wait()

    committing = await standing_still(gate, committer.run(put, b"a"))
    time.sleep(PATIENCE + LOOK_EVERY)  # on the loop: it stands still
    asyncio.get_running_loop().call_later(LOOK_EVERY / 2, gate.open)  # after the first look
    assert await asyncio.wait_for(committing, 10) == 1


async def test_a_commit_breaks(committer: Committer, engine: Engine, kind: str) -> None:
    """SQLite has then rolled it back. PostgreSQL may have committed it before it broke."""

    @event.listens_for(engine, "commit")
    def break_off(_connection: Connection) -> None:
        event.remove(engine, "commit", break_off)
        raise OSError("gone")

    await refused(committer.run(put, b"a"), OutcomeUnknown if kind == "postgresql" else StoreUnavailable)
    assert await committer.run(put, b"b") == 1


async def test_a_quick_call_hears_its_answer(committer: Committer) -> None:
    """Also after others were late, and again and again."""
    for number in range(20):
        assert await committer.run(put, b"%d" % number) == 1
        await asyncio.sleep(PATIENCE / 10)


async def test_all_were_refused_before_their_turn(engine: Engine) -> None:
    """The process stood still between a call and its hand-over; closing ends all the same."""
    opened = Committer(engine, on_fatal=pytest.fail, calls=(put,), patience=-1)
    late = opened.run(put, b"late")
    opened._look()
    await refused(late)
    await asyncio.wait_for(opened.close(), 10)
