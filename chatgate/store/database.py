"""Opening a database: what SQLite and PostgreSQL disagree on, and nothing else.

SQLite (the embedded default) comes from ``pysqlite3``, which bundles its own library: the interpreter's own may carry
the WAL-reset bug (3.7.0 to 3.51.2), so anything below 3.51.3 is refused. WAL with ``synchronous=FULL``: a commit is on
disk when it returns; group commit makes that cheap.

Errors of either tell the statement, never its values: they are numbers and texts of people (``hide_parameters``).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, QueuePool

from chatgate.errors import SettingError

OLDEST_SQLITE = (3, 51, 3)
"""First release without the WAL-reset bug (sqlite.org release notes, 2026-03-13)."""

LOCK_WAIT = 5_000
"""Milliseconds that SQLite waits for another process's lock."""

DEAD_PEER = 10
"""Seconds after which an unanswering PostgreSQL server counts as gone. Without it a cut network holds the committer for
as long as TCP tries again (a quarter of an hour)."""

STALLED = 5
"""Seconds after which PostgreSQL rolls back a transaction in which our process says nothing: one that was stopped must
not keep other nodes from the rows that it locked."""


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'chatgate.db'}"


def open_writer(url: str) -> Engine:
    """Return the engine that the committer writes through; raises SettingError when the address is not usable."""
    return _sqlite(url, write=True) if _is_sqlite(url) else _postgresql(url, pool=NullPool)


def open_reader(url: str) -> Engine:
    """Return the engine for reading; on SQLite its connections cannot write (nor checkpoint)."""
    return _sqlite(url, write=False) if _is_sqlite(url) else _postgresql(url, pool=QueuePool)


def refuse_old_sqlite(version: tuple[int, int, int]) -> None:
    """Raise SettingError for a SQLite library with the WAL-reset bug."""
    if version < OLDEST_SQLITE:
        found, needed = (".".join(map(str, numbers)) for numbers in (version, OLDEST_SQLITE))
        raise SettingError(f"SQLite {found} can corrupt a database (the WAL-reset bug); {needed} or newer is needed.")


def _is_sqlite(url: str) -> bool:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingError(
            "The database address is not understood; write sqlite:///path/to/file or postgresql://user:password@host/name."
        ) from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingError(f"The database {parsed.get_backend_name()!r} is not supported; use SQLite or PostgreSQL.")
    return parsed.get_backend_name() == "sqlite"


def _sqlite(url: str, *, write: bool) -> Engine:
    from pysqlite3 import dbapi2  # type: ignore[import-untyped]

    refuse_old_sqlite(dbapi2.sqlite_version_info)
    if write:
        _make_private(make_url(url).database)
    engine = create_engine(
        url,
        module=dbapi2,
        hide_parameters=True,
        poolclass=NullPool if write else QueuePool,
        connect_args={"check_same_thread": False, "cached_statements": 256},
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are ours: BEGIN below, not the driver's guess
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {LOCK_WAIT}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute("PRAGMA cache_size = -32768")
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")
        if not write:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _make_private(path: str | None) -> None:
    """Make the file for its owner alone, before SQLite makes it for everybody; its side files take its mode."""
    if path and path != ":memory:":
        with suppress(OSError):  # what cannot be made is told when it is opened
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _postgresql(url: str, *, pool: type[NullPool] | type[QueuePool]) -> Engine:
    settings = f"-c synchronous_commit=on -c timezone=UTC -c idle_in_transaction_session_timeout={STALLED}s"
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        poolclass=pool,
        pool_pre_ping=pool is QueuePool,
        connect_args={
            "connect_timeout": 5, "options": settings, "tcp_user_timeout": DEAD_PEER * 1000,
            "keepalives_idle": DEAD_PEER, "keepalives_interval": 3, "keepalives_count": 3,
        },
    )  # fmt: skip
