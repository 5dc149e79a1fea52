"""A new store in a folder, quickly: the schema is made once a process and copied."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

from chatgate.clock import Clock
from chatgate.sealing import KeyRing
from chatgate.store import database, migration
from chatgate.store.store import Store

RING = KeyRing({1: b"k" * 32})


@asynccontextmanager
async def fresh_store(folder: Path, clock: Clock) -> AsyncIterator[Store]:
    """Open a store without any row."""
    (folder / "chatgate.db").write_bytes(_schema())
    store = await Store.open(database.sqlite_url(folder), clock=clock, key_ring=RING, on_fatal=_fatal)
    try:
        yield store
    finally:
        await store.close()


@cache
def _schema() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        engine = database.open_writer(database.sqlite_url(Path(folder)))
        migration.upgrade(engine)
        engine.dispose()
        return (Path(folder) / "chatgate.db").read_bytes()


def _fatal(reason: str) -> None:
    raise AssertionError(reason)
