"""``python -m tests.power_cut [--cuts N] [--synchronous FULL|NORMAL] [--seed N]``: the power is cut again and again.

Each cut ends a life of the real store on a simulated disk, at a random write; some while it still recovers from the cut
before. Then ordinary SQLite opens what is left. Exit status 1 if something that callers were told is lost, if half a
transaction is there, or the database is corrupt. ``--synchronous`` overrules what the store says to SQLite: ``NORMAL``
plants the bug that this must find, commits that are not on disk when they return.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import structlog

from chatgate.clock import HandClock
from chatgate.store import database, migration
from tests.power_cut.disk import Disk
from tests.power_cut.life import Told, live
from tests.power_cut.ruin import losses

LIVES = 10
"""Cuts that one database lives through, one after the other."""


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.power_cut")
    options.add_argument("--cuts", type=int, default=300)
    options.add_argument("--synchronous", choices=("FULL", "NORMAL"), default=None)
    options.add_argument("--seed", type=int, default=None)
    asked = options.parse_args()
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    structlog.configure(processors=[_silence])
    began, chance = time.monotonic(), Random(seed)
    cuts, told, lost, ruined = 0, 0, 0, 0
    while cuts < asked.cuts:
        for promises, found in chain(chance, min(LIVES, asked.cuts - cuts), asked.synchronous):
            cuts, told, lost, ruined = cuts + 1, told + promises, lost + len(found), ruined + bool(found)
            print("\n".join(found[:5]), end="\n" * bool(found))
    print(
        f"seed {seed}: {cuts} power cuts, synchronous {asked.synchronous or 'as the store says'}, {told} promises; "
        f"{lost} lost, torn or corrupt, in {ruined} of the cuts; {time.monotonic() - began:.0f} s"
    )
    return 1 if ruined else 0


def chain(chance: Random, cuts: int, synchronous: str | None) -> list[tuple[int, list[str]]]:
    """Take one database through so many cuts, or until one has ruined it. Return for each what was told in it, and what
    of all that was told until then is lost."""
    told, clock, after = Told(), HandClock(), list[tuple[int, list[str]]]()
    with tempfile.TemporaryDirectory(prefix="power-cut-") as name:
        folder = Path(name)
        _make(folder)
        for _ in range(cuts):
            disk = Disk(folder, cut_at=chance.choice((chance.randint(1, 20), chance.randint(1, 1500))))
            checkpoint = chance.choice((20, 200, 4000))
            life = asyncio.run(live(folder, disk, synchronous=synchronous, checkpoint=checkpoint, clock=clock))
            assert disk.is_cut
            disk.leave(folder, chance)
            disk.unregister()
            told.add(life)
            after.append((len(life), losses(folder, told)))
            if after[-1][1]:
                break
    return after


def _make(folder: Path) -> None:
    engine = database.open_writer(database.sqlite_url(folder))
    migration.upgrade(engine)
    engine.dispose()


def _silence(_logger: object, _method: str, _fields: object) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    sys.exit(main())
