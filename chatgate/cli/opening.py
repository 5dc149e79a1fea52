"""How commands find the settings and open the store that the server uses."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from chatgate import config
from chatgate.clock import SystemClock
from chatgate.config import Configuration
from chatgate.errors import NotFound, SettingError
from chatgate.sealing import KeyRing
from chatgate.store import place
from chatgate.store.store import Store

R = TypeVar("R")

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; default chatgate.toml, where there is one.")
]
Data = Annotated[str | None, typer.Option("--data", help="Folder of the embedded database and the key ring.")]
Database = Annotated[str | None, typer.Option("--database", help="Database address, sqlite:///… or postgresql://….")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="Any setting, as NAME=VALUE; `chatgate settings` lists them.")
]


def configuration(
    config_file: Path | None, sets: list[str] | None = None, *, will_send: bool = False, **flags: object
) -> Configuration:
    """Return the configuration; flags that were not given are None. ``will_send``: providers' secrets must be there."""
    given = {name: value for name, value in flags.items() if value is not None}
    for pair in sets or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingError(f"--set takes NAME=VALUE, not {pair!r}.")
        given[name] = value
    return config.load(given, os.environ, config.settings_file(config_file), will_send=will_send)


def with_store(
    configured: Configuration,
    work: Callable[[Store, KeyRing], Awaitable[R]],
    *,
    make: bool = False,
    only_look: bool = False,
    kind: str | None = None,
) -> R:
    """Run ``work`` over the store of a configuration. Without ``make`` it must exist and have this version's schema.

    ``only_look``: the work writes nothing, so that it goes on when the disk is full. ``kind``: as of ``Store.open``.
    """
    settings = configured.settings
    folder = Path(settings.data)
    if not make and not settings.database and not (folder / "chatgate.db").exists():
        raise SettingError(f"There is no database in {folder}; start the server first, or say --data or --database.")
    url, key_ring = place.prepare(settings.data, settings.database, settings.key_ring)

    async def run() -> R:
        store = await Store.open(
            url, clock=SystemClock(), key_ring=key_ring, on_fatal=_fatal, migrate=make, only_look=only_look, kind=kind
        )
        try:
            return await work(store, key_ring)
        finally:
            await store.close()

    return asyncio.run(run())


def _fatal(reason: str) -> None:
    raise SystemExit(f"chatgate: {reason}")


async def account_id(store: Store, name: str) -> int:
    """Return the id of an account. Raises NotFound."""
    found = await store.find_account(name)
    if found is None:
        raise NotFound(f"There is no account {name!r}.")
    return found


async def user_id(store: Store, account_id: int, name: str) -> int:
    """Return the id of a RAM user of an account. Raises NotFound."""
    found = {row.name: row.id for row in await store.list_users(account_id)}
    if name not in found:
        raise NotFound(f"There is no user {name!r} of the account.")
    return int(found[name])


def operator() -> str:
    """Return who is at the command line, for the history of decisions."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "operator"
