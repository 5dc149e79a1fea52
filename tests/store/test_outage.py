"""Promise P2, no false yes: what the database cannot commit is never answered as done. When it is back, all goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pysqlite3 import dbapi2  # type: ignore[import-untyped]
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from chatgate.clock import HandClock
from chatgate.errors import StoreUnavailable
from chatgate.store import database, rows
from chatgate.store.acceptance import Accepted
from chatgate.store.committer import Committer
from chatgate.store.store import Store
from tests.store.conftest import RING, Tamper
from tests.store.journey import Journey

only_sqlite = pytest.mark.parametrize("kind", ["sqlite"])
only_postgresql = pytest.mark.parametrize("kind", ["postgresql"])


def run(store: Store, sql: str) -> asyncio.Future[None]:
    """Run SQL on the writing connection."""

    def verb(connection: Connection, items: Sequence[str]) -> list[None]:
        for item in items:
            connection.exec_driver_sql(item)
        return [None] * len(items)

    return store._committer.run(verb, sql)


async def hear(calls: Sequence[asyncio.Future[Any]]) -> list[type]:
    """Wait for all; answer what kind of answer each got."""
    return [type(answer) for answer in await asyncio.gather(*calls, return_exceptions=True)]


# --- SQLite ----------------------------------------------------------------------------------------------------------


@only_sqlite
async def test_disk_full(journey: Journey) -> None:
    """No room: 503 for all in the transaction, nothing stored; reading goes on; room again: all goes on."""
    before = [await journey.accept() for _ in range(3)]
    await run(journey.store, "PRAGMA max_page_count = 1")  # the file may not grow any more
    big = [journey.try_accept(nonce=b"%d" % n, tracking_data="x" * 10_000) for n in range(50)]
    answers = await asyncio.gather(*big, return_exceptions=True)
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    assert [await journey.status(key) for key in before] == ["accepted"] * 3
    assert (await journey.store.backlog(journey.clock.now())).due == 3
    # The limit ended with the connection, as a full disk does when room is made. No nonce was spent by the failure.
    again = [await journey.try_accept(nonce=b"%d" % n) for n in range(50)]
    assert all(answer.stored for answer in again)


@only_sqlite
async def test_locked_by_another_process(journey: Journey, tmp_path: Path) -> None:
    key = await journey.accept()
    await run(journey.store, "PRAGMA busy_timeout = 1")
    other = dbapi2.connect(tmp_path / "chatgate.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        await journey.accept()
    assert await journey.status(key) == "accepted"  # reading waits for nobody
    other.execute("ROLLBACK")
    await journey.accept()
    other.close()


def failing_disk(connection: Connection, items: Sequence[None]) -> list[None]:
    raise OperationalError("COMMIT", {}, dbapi2.OperationalError("disk I/O error"))


@only_sqlite
async def test_after_an_io_error_nothing_more_is_written(url: str, clock: HandClock) -> None:
    """Not by those who wait already, nor by those who come later; the process is told to end."""
    reasons: list[str] = []
    store = await Store.open(url, clock=clock, key_ring=RING, on_fatal=reasons.append)
    journey = Journey(store, clock)
    failing = store._committer.run(failing_disk, None)
    await asyncio.sleep(0)  # handed over: what follows waits for the next transaction
    waiting = [asyncio.ensure_future(journey.try_accept()) for _ in range(3)]
    assert await hear([failing, *waiting]) == [StoreUnavailable] * 4
    with pytest.raises(StoreUnavailable):
        await journey.accept()
    with pytest.raises(StoreUnavailable):
        await store.ready(1)
    assert (await store.backlog(clock.now())).due == 0
    assert len(reasons) == 1
    await store.close()


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.fixture
def cut(url: str) -> Callable[[], int]:
    """Terminates every connection to the database but its own; answers how many there were."""

    def terminate() -> int:
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        return len(found)

    return terminate


@only_postgresql
async def test_connections_terminated(journey: Journey, cut: Callable[[], int]) -> None:
    """Each time at most one transaction fails; then all goes on, without a restart."""
    keys = [await journey.accept()]
    for round_ in range(3):
        assert cut() >= 1
        answers = await hear([asyncio.ensure_future(journey.try_accept()) for _ in range(5)])
        assert set(answers) in ({StoreUnavailable}, {Accepted})
        keys.append(await journey.accept(nonce=b"%d" % round_))
    assert [await journey.status(key) for key in keys] == ["accepted"] * 4


@only_postgresql
async def test_readers_do_not_even_notice(journey: Journey, cut: Callable[[], int]) -> None:
    key = await journey.accept()
    for _ in range(3):
        assert await journey.status(key) == "accepted"
        cut()


@only_postgresql
async def test_connection_lost_within_a_transaction(journey: Journey, cut: Callable[[], int]) -> None:
    """All that shared the transaction hear it; none of them is stored."""
    accepting = [asyncio.ensure_future(journey.try_accept(nonce=b"%d" % n)) for n in range(5)]
    await asyncio.sleep(0)
    suicide = run(journey.store, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert await hear([*accepting, suicide]) == [StoreUnavailable] * 6
    assert (await journey.store.backlog(journey.clock.now())).due == 0
    again = [await journey.try_accept(nonce=b"%d" % n) for n in range(5)]
    assert all(answer.stored for answer in again)


@only_postgresql
async def test_read_only_server(journey: Journey, tamper: Tamper) -> None:
    """After a failover the old address may lead to a standby: 503, and all goes on when it is promoted."""
    await run(journey.store, "SET default_transaction_read_only = on")  # until the connection is opened again
    assert await hear([asyncio.ensure_future(journey.try_accept()) for _ in range(3)]) == [StoreUnavailable] * 3
    await journey.accept()


@only_postgresql
async def test_deadlock_between_nodes(url: str) -> None:
    """Two nodes that lock two rows in opposite order: one is rolled back and tried again, and nobody hears of it."""
    engines = [database.open_writer(url) for _ in range(2)]
    committers = [Committer(engine, on_fatal=pytest.fail) for engine in engines]
    tries: list[int] = []

    def lock(connection: Connection, items: Sequence[tuple[int, int]]) -> list[bool]:
        for first, second in items:
            tries.append(first)
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (first,))
            connection.exec_driver_sql("SELECT pg_sleep(0.05)")
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (second,))
        return [True] * len(items)

    wishes = zip(committers, [(1, 2), (2, 1)], strict=True)
    assert await asyncio.gather(*(committer.run(lock, wish) for committer, wish in wishes)) == [True, True]
    assert len(tries) == 3
    for committer, engine in zip(committers, engines, strict=True):
        await committer.close()
        engine.dispose()


@only_postgresql
async def test_percent_and_question_mark_in_sql(journey: Journey) -> None:
    def verb(connection: Connection, items: Sequence[str]) -> list[int]:
        sql = "UPDATE messages SET request_id = ? WHERE request_id LIKE 'REQ%'"
        return [rows.execute(connection, sql, [(item,) for item in items])]

    key = await journey.accept()
    assert await journey.store._committer.run(verb, "100% sure?") == 1
    assert (await journey.story(key)).request_id == "100% sure?"


async def test_nobody_answers(tmp_path: Path) -> None:
    """A server that is down: refused, each time anew."""
    engine = database.open_writer(f"postgresql://postgres@/x?host={tmp_path}")
    committer = Committer(engine, on_fatal=pytest.fail)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await committer.run(failing_disk, None)
    await committer.close()
    engine.dispose()
