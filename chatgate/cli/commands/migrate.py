"""``chatgate migrate``: make a database, or bring it to this version's schema."""

from __future__ import annotations

import typer

from chatgate.cli import opening
from chatgate.sealing import KeyRing
from chatgate.store.store import Store


def register(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate(config: opening.Config = None, data: opening.Data = None, database: opening.Database = None) -> None:
    """Create or upgrade the database. The server does it by itself when it starts."""

    async def nothing(_store: Store, _ring: KeyRing) -> None: ...

    opening.with_store(opening.configuration(config, data=data, database=database), nothing, make=True)
    print("The database has this version's schema.")
