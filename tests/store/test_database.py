"""What the two databases are told when they are opened."""

from __future__ import annotations

import pytest
from pysqlite3 import dbapi2  # type: ignore[import-untyped]
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from chatgate.errors import SettingError
from chatgate.store import database


@pytest.mark.parametrize("version", [(3, 7, 0), (3, 40, 1), (3, 51, 2)])
def test_old_sqlite_is_refused(version: tuple[int, int, int]) -> None:
    with pytest.raises(SettingError, match=r"3\.51\.3 or newer"):
        database.refuse_old_sqlite(version)


@pytest.mark.parametrize("version", [(3, 51, 3), (3, 53, 0), (4, 0, 0), dbapi2.sqlite_version_info])
def test_new_sqlite_is_taken(version: tuple[int, int, int]) -> None:
    database.refuse_old_sqlite(version)


@pytest.mark.parametrize("address", ["", "chatgate.db", "mysql://root@localhost/x", "sqlite:/x", "://"])
def test_addresses_that_are_none(address: str) -> None:
    for opened in (database.open_writer, database.open_reader):
        with pytest.raises(SettingError, match=r"SQLite|sqlite"):
            opened(address)


def setting(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        show = "PRAGMA" if engine.dialect.name == "sqlite" else "SHOW"
        value: object = connection.exec_driver_sql(f"{show} {name}").scalar_one()
    engine.dispose()
    return value


DURABLE: dict[str, dict[str, object]] = {
    "sqlite": {"synchronous": 2, "journal_mode": "wal"},
    "postgresql": {"synchronous_commit": "on", "idle_in_transaction_session_timeout": "5s"},
}


def test_a_commit_is_on_disk(url: str, kind: str) -> None:
    """Promise P1: neither database may answer before the commit is synchronised."""
    for name, value in DURABLE[kind].items():
        assert setting(database.open_writer(url), name) == value


def test_a_reader_of_sqlite_cannot_write(migrated_file: object) -> None:
    engine = database.open_reader(f"sqlite:///{migrated_file}")
    with engine.connect() as connection, pytest.raises(DBAPIError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM messages")
    engine.dispose()
