"""``chatgate key-ring``: the keys that seal all secrets, changed while everything runs.

On one machine ``rotate`` is all. Where nodes have copies of the ring, ``add`` a key here, copy the file to all of them,
and ``rewrap``. An old key is dropped when nothing needs it any more: no value of the database (that is looked up), and
no temporary credentials (that is waited for). A backup needs the keys of its time: keep them with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from chatgate import sealing
from chatgate.callbacks import signature
from chatgate.cli import opening, output
from chatgate.clock import SECOND, Instant, SystemClock, as_text
from chatgate.config import Configuration
from chatgate.errors import SettingError
from chatgate.gateway import authenticate, sts
from chatgate.sealing import KeyRing
from chatgate.store.installation import CANARY_PURPOSE
from chatgate.store.sealed_values import PLACES, Step
from chatgate.store.store import Store

STEP = 200
"""Values in one transaction: a few milliseconds."""

PAUSE = 0.02
"""Seconds between two steps, so that the nodes' commits go first."""

SETTLED = 5 * SECOND
"""After so long every node has read what was sealed anew."""

_PURPOSES: dict[str, Callable[[Any], str]] = {
    "access key secrets": authenticate.purpose,
    "callback secrets": signature.purpose,
    "key ring canary": lambda _name: CANARY_PURPOSE,
}


def register(app: typer.Typer) -> None:
    ring = typer.Typer(help="The keys that seal all secrets.", no_args_is_help=True, rich_markup_mode=None)
    ring.command("list")(list_keys)
    ring.command("add")(add)
    ring.command("rewrap")(rewrap)
    ring.command("rotate")(rotate)
    ring.command("drop")(drop)
    app.add_typer(ring, name="key-ring")


def list_keys(
    as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """List the keys of the ring, and how many stored values each seals. The keys themselves are never shown."""

    async def work(store: Store, ring: KeyRing) -> list[dict[str, object]]:
        counted = await store.sealed_by()
        return [{"key": kid, "current": kid == ring.current, "values": counted.get(kid, 0)} for kid in ring.kids]

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty="")


def add(config: opening.Config = None, data: opening.Data = None, database: opening.Database = None) -> None:
    """Add a fresh key: new secrets are sealed with it from now on, the old ones stay as they are."""
    print(f"Key {_added(opening.configuration(config, data=data, database=database))} is the current one.")


def rewrap(config: opening.Config = None, data: opening.Data = None, database: opening.Database = None) -> None:
    """Seal every stored secret anew with the current key, in small steps; it may be stopped and run again."""
    _say(_rewrapped(opening.configuration(config, data=data, database=database)))


def rotate(config: opening.Config = None, data: opening.Data = None, database: opening.Database = None) -> None:
    """Add a fresh key and seal every stored secret anew with it. Nodes go on meanwhile."""
    configured = opening.configuration(config, data=data, database=database)
    _added(configured)
    _say(_rewrapped(configured))


def drop(
    key: Annotated[int, typer.Argument(metavar="KEY", help="Its number, as `chatgate key-ring list` tells it.")],
    now: Annotated[bool, typer.Option("--now", help="End the temporary credentials that it sealed.")] = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Take an old key out of the ring. Refused while something needs it."""

    async def work(store: Store, ring: KeyRing) -> tuple[Path, Instant]:
        left = sum(count for kid, count in (await store.sealed_by()).items() if kid != ring.current)
        if left:
            raise SettingError(f"{left} stored values are not under the current key; run `chatgate key-ring rewrap`.")
        return _path(ring), await store.rewrapped_at() or 0

    configured = opening.configuration(config, data=data, database=database)
    path, since = opening.with_store(configured, work, only_look=True)
    moment, free_at = SystemClock().now(), since + sts.LONGEST
    if moment < free_at and not now:
        raise SettingError(
            f"Temporary credentials sealed with it may live until {as_text(free_at)}; drop it then, or say --now."
        )
    time.sleep(max(since + SETTLED - moment, 0) / SECOND)
    sealing.drop_key(path, key)
    print(f"Key {key} is dropped.")


def _added(configured: Configuration) -> int:
    async def path(_store: Store, ring: KeyRing) -> Path:
        return _path(ring)

    return sealing.add_key(opening.with_store(configured, path, only_look=True))


def _rewrapped(configured: Configuration) -> tuple[int, int]:
    """Seal anew whatever is not under the current key; return its number, and how many values that were."""

    async def work(store: Store, ring: KeyRing) -> tuple[int, int]:
        done = 0
        while renewed := sum([await _through(store, ring, place) for place in PLACES]):
            done += renewed  # once more: a node may have sealed something while it did not know the new key yet
        await store.note_rewrapped(SystemClock().now())
        return ring.current, done

    return opening.with_store(configured, work)


async def _through(store: Store, ring: KeyRing, place: str) -> int:
    done, after = 0, None
    while True:
        step = Step(place=place, ring=ring, purpose=_PURPOSES[place], after=after, limit=STEP, now=SystemClock().now())
        stepped = await store.rewrap(step)
        done += stepped.renewed
        if stepped.last is None:
            return done
        after = stepped.last
        await asyncio.sleep(PAUSE)


def _path(ring: KeyRing) -> Path:
    if ring.path is None:
        raise SettingError("The key ring is no file.")
    return ring.path


def _say(renewed: tuple[int, int]) -> None:
    kid, count = renewed
    print(f"{count} values were sealed anew; key {kid} seals everything. An old one can be dropped.")
