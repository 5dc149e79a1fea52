"""``make soak``, or ``python -m tests.soak --minutes 60 [--seed N] [--database sqlite|postgresql|both]``.

First the canaries: every planted bug must be caught; so must the one that only a power cut shows. Then rounds, each an
installation of its own: load, kills, stops, fail-points; it settles, and the invariants are checked. Prints a line
each; the first breach ends it, with status 1 and its folder kept. The minutes are those of the rounds; a run goes on
until every fail-point has fired on each database.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.processes import ROOT
from tests.soak import rounds
from tests.soak.canaries import CANARIES, Canary, caught
from tests.soak.checker import INVARIANTS
from tests.soak.fail_points import FAIL_POINTS
from tests.soak.world import DATABASES

SECONDS = 30.0
"""Of load, in one round."""
MOST_SHOWN = 50


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.soak")
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--seed", type=int, default=None, help="of the first round; each later one is one more")
    options.add_argument("--database", choices=(*DATABASES, "both"), default="both")
    asked = options.parse_args()
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    databases = DATABASES if asked.database == "both" else (asked.database,)
    print("\n".join(f"{name}: {invariant.sentence}" for name, invariant in INVARIANTS.items()), flush=True)
    good = all(_canary(canary) for canary in CANARIES if canary.database in databases)
    good = _power_cuts() and good
    return 0 if good and _rounds(seed, databases, asked.minutes * 60) else 1


def _canary(canary: Canary) -> bool:
    """Run one; return whether it was caught."""
    folder = Path(tempfile.mkdtemp(prefix="chatgate-soak-"))
    found = asyncio.run(caught(canary, folder))
    names = sorted({line.split()[0] for line in found})
    good = not canary.caught_by.isdisjoint(names)
    print(
        f"canary {canary.bug!r} on {canary.database}: {'caught' if good else 'NOT CAUGHT'}, "
        f"{len(found)} breaches of {', '.join(names) or 'nothing'}{'' if good else f', kept in {folder}'}",
        flush=True,
    )
    if good:
        shutil.rmtree(folder)
    return good


def _power_cuts() -> bool:
    """Cut the power under the store: as it is, and with a bug that no kill can show. Return whether that alone lost."""
    kept = _cut("--cuts", "300") == 0
    caught = _cut("--cuts", "60", "--synchronous", "NORMAL") == 1
    print(f"canary 'NORMAL instead of FULL' at power cuts: {'caught' if caught else 'NOT CAUGHT'}", flush=True)
    return kept and caught


def _cut(*options: str) -> int:
    """Run it in a process of its own, where the database has another driver; print its sum, return its exit status."""
    asked = [sys.executable, "-m", "tests.power_cut", *options]
    ran = subprocess.run(asked, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    print(ran.stdout.splitlines()[-1], flush=True)
    return ran.returncode


def _rounds(seed: int, databases: Sequence[str], seconds: float) -> bool:
    """Run rounds, on the databases in turn; return whether none broke anything."""
    until = time.monotonic() + seconds
    wanted = {database: list(FAIL_POINTS) for database in databases}
    while time.monotonic() < until or any(wanted.values()):
        for database in databases:
            folder = Path(tempfile.mkdtemp(prefix="chatgate-soak-"))
            done = asyncio.run(rounds.run(seed, database, folder, seconds=SECONDS, first=wanted[database]))
            print(done.line, flush=True)
            if done.broken:
                print("\n".join([*done.broken[:MOST_SHOWN], f"kept in {folder}"]))
                return False
            wanted[database] = [name for name in wanted[database] if not done.fired[name]]
            shutil.rmtree(folder)
        seed += 1
    return True


if __name__ == "__main__":
    sys.exit(main())
