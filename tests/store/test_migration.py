from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from chatgate.clock import HandClock
from chatgate.errors import SettingError
from chatgate.store import database, migration, rows
from chatgate.store.store import Store
from chatgate.store.tables import metadata
from tests.store.conftest import RING, Tamper


def upgrade(url: str) -> None:
    engine = database.open_writer(url)
    try:
        migration.upgrade(engine)
    finally:
        engine.dispose()


@pytest.mark.parametrize("migrated", [False, True])
def test_a_fresh_database_is_what_the_tables_say(empty_url: str, migrated: bool) -> None:
    """Made at once, or by all migrations from the first on."""
    engine = database.open_writer(empty_url)
    if migrated:
        with engine.begin() as connection:
            migration.migrate(connection)
    upgrade(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert migration.revision(connection) == migration.HEAD
        # What the comparison does not look at: partial indexes, keys, the names of both.
        for table in metadata.sorted_tables:
            stored = {index["name"]: index for index in inspect(connection).get_indexes(table.name)}
            stored = {name: index for name, index in stored.items() if not index.get("duplicates_constraint")}
            assert set(stored) == {index.name for index in table.indexes}
            for index in table.indexes:
                where = stored[str(index.name)].get("dialect_options", {}).get(f"{engine.dialect.name}_where")
                expected = index.dialect_options[engine.dialect.name]["where"]
                assert (where is None) == (expected is None), index.name
            key = inspect(connection).get_pk_constraint(table.name)
            assert key["constrained_columns"] == [column.name for column in table.primary_key]
    engine.dispose()


def test_head_is_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(migration.alembic_config()).get_heads() == [migration.HEAD]


OLD_ACCOUNT = "INSERT INTO accounts (id, name, subscribed, created_at, changed_at) VALUES (1, 'shop', ?, 5, 5)"
OLD_KEY = (
    "INSERT INTO access_keys (access_key_id, account_id, kind, sealed, active, created_at, changed_at) "
    "VALUES ('k', 1, 'hmac', ?, ?, 5, 5)"
)


async def test_keys_of_the_first_schema_go_on(empty_url: str, clock: HandClock) -> None:
    """They are the account's own, were never used as far as anybody knows, and open as before."""
    engine = database.open_writer(empty_url)
    config = migration.alembic_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        account, key = (True,), (RING.seal(b"secret", "k"), True)
        for sql, values in ((OLD_ACCOUNT, account), (OLD_KEY, key)):
            connection.exec_driver_sql(rows.statement(connection, sql), values)
    engine.dispose()
    store = await Store.open(empty_url, clock=clock, key_ring=RING, on_fatal=pytest.fail)
    (found,) = await store.keys_of(1)
    (row,) = await store.list_keys(1)
    await store.close()
    assert (found.access_key_id, found.active, found.user_id, found.deleted) == ("k", True, None, False)
    assert RING.open(found.sealed, "k") == b"secret"
    assert (row.last_used_at, row.user_name) == (None, None)


def test_twice_is_once(empty_url: str) -> None:
    upgrade(empty_url)
    upgrade(empty_url)


def test_two_nodes_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(upgrade, empty_url) for _ in range(3)]:
            done.result()
    engine = database.open_reader(empty_url)
    migration.check(engine)
    engine.dispose()


def test_check_changes_nothing(empty_url: str) -> None:
    engine = database.open_writer(empty_url)
    with pytest.raises(SettingError, match="chatgate migrate"):
        migration.check(engine)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()


@pytest.mark.parametrize("migrate", [True, False])
async def test_a_newer_database_is_refused(url: str, tamper: Tamper, clock: HandClock, migrate: bool) -> None:
    tamper("UPDATE alembic_version SET version_num = ?", "9999")
    with pytest.raises(SettingError, match=r"newer chatgate|schema 9999"):
        await Store.open(url, clock=clock, key_ring=RING, on_fatal=pytest.fail, migrate=migrate)
    tamper("UPDATE alembic_version SET version_num = ?", migration.HEAD)
    store = await Store.open(url, clock=clock, key_ring=RING, on_fatal=pytest.fail, migrate=migrate)
    await store.close()


def test_no_database_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be opened"):
        upgrade(f"sqlite:///{tmp_path}/no/such/folder/x.db")


def test_no_server_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be opened"):
        upgrade(f"postgresql://postgres:secret@/x?host={tmp_path}")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "chatgate.db").write_text("Once upon a time there was a file. " * 100)
    with pytest.raises(SettingError, match="cannot be opened"):
        upgrade(database.sqlite_url(tmp_path))
    assert (tmp_path / "chatgate.db").read_text().startswith("Once upon a time")
