"""Bringing a database to this version's schema, with Alembic.

Rules:

1. A fresh or older database is migrated, one node at a time; a newer one is refused: an old program must not write what
   it does not understand.
2. A database that is up to date costs one query, an empty one its tables: Alembic, which takes half a second to load,
   is imported only where there is something to migrate.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from chatgate.errors import SettingError
from chatgate.store.tables_ram import metadata

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0005"
"""The newest revision in ``migrations/versions``."""

_LOCK = 0x636861740001
"""Advisory lock of PostgreSQL that makes nodes migrate one after the other."""


def upgrade(engine: Engine) -> None:
    """Migrate a database to ``HEAD``; raises SettingError when it is newer or cannot be opened."""
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            found = revision(connection)
            if found is None and not inspect(connection).get_table_names():
                _create(connection)
            elif found != HEAD:
                migrate(connection)
    except DBAPIError as error:
        raise SettingError(f"The database cannot be opened: {str(error.orig).strip()}.") from error


def check(engine: Engine) -> None:
    """Raise SettingError when a database is not at ``HEAD``; change nothing."""
    try:
        with engine.connect() as connection:
            found = revision(connection)
    except DBAPIError as error:
        raise SettingError(f"The database cannot be opened: {str(error.orig).strip()}.") from error
    if found != HEAD:
        raise SettingError(
            f"The database has schema {found or 'none'}, this program needs {HEAD}; run `chatgate migrate`."
        )


def revision(connection: Connection) -> str | None:
    """Return the schema revision of a database, None when it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def alembic_config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _create(connection: Connection) -> None:
    """Make an empty database what the migrations would make of it; a test holds the two against each other."""
    metadata.create_all(connection)
    connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def migrate(connection: Connection) -> None:
    """Run the migrations that a database lacks."""
    from alembic import command
    from alembic.util import CommandError

    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SettingError(f"The database was made by a newer chatgate: {error}.") from error
