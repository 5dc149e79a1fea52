"""Where an installation keeps its things: the data folder, the database in it or elsewhere, the key ring.

All of it is its owner's alone: the database holds numbers and texts.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.exc import DBAPIError

from chatgate import sealing
from chatgate.errors import SettingError
from chatgate.sealing import KeyRing
from chatgate.store import database


def prepare(data: str, database_url: str, key_ring_file: str) -> tuple[str, KeyRing]:
    """Return the address of the database and the key ring; make the folder and the ring where an installation begins.

    Empty ``database_url``: a file in the folder; empty ``key_ring_file``: ``key-ring`` in the folder. Raises
    SettingError, also when the ring of a database that holds something is missing: a new one would open nothing.
    """
    folder = Path(data)
    url = database_url or database.sqlite_url(folder)
    path = Path(key_ring_file) if key_ring_file else folder / "key-ring"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists() and not _is_empty(url):
            raise SettingError(f"The key ring {path} is missing: without it no secret in the database opens.")
        return url, sealing.load_or_create(path)
    except OSError as error:
        raise SettingError(f"{error.filename or folder} cannot be used: {error.strerror}.") from None


def _is_empty(url: str) -> bool:
    engine = database.open_reader(url)
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
        return True
    try:
        with engine.connect() as connection:
            return not inspect(connection).get_table_names()
    except DBAPIError as error:
        raise SettingError(f"The database cannot be opened: {str(error.orig).strip()}.") from error
    finally:
        engine.dispose()
