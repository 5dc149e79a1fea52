"""The crash loop for as long as you like: ``make soak``, or ``python -m tests.e2e.soak --minutes 60 [--seed N]``.

Each round is an installation of its own: a node of ``serve`` on a disk of random slowness, a partner of random manners,
some ten kills; then it settles, and the invariants are checked. Prints a line a round; the first breach ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.caller import Caller
from tests.e2e.crash import crash
from tests.e2e.evidence import Evidence
from tests.e2e.installation import ACCOUNTS, Installation, receipts_url
from tests.e2e.ledger import INVARIANTS, violations
from tests.e2e.partner import Partner
from tests.e2e.processes import Process, Processes, free_port


async def round_of(seed: int, folder: Path) -> list[str]:
    """Run one round; print what it did and return what it broke."""
    chance = random.Random(seed)
    commit, latency = chance.choice((0, 0, 10, 50)), chance.choice((0, 20, 200))
    manners = {"latency": latency, "early": chance.choice((0, 0.5)), "duplicated": chance.choice((0, 0.3))}
    kills, caller = chance.randint(5, 15), Caller(ACCOUNTS, rate=chance.choice((50, 200, 400)))
    async with Processes(folder) as processes:
        port = free_port()
        partner = await Partner.start(processes, folder, receipts_url(port))
        await partner.switch(**manners)
        installation = Installation(processes, folder)
        await installation.configure(partner.send_url)

        async def start() -> Process:
            return await installation.start(port, program=("tests.e2e.rigged", "--slow-commit", commit))

        await crash(start, caller, chance, kills)
        await start()
        with Evidence(installation.database) as evidence:
            await evidence.settled(within=60)
            stored = evidence.stored()
        broken = violations(caller.ledger, stored, partner.taken())
        repeats = len(partner.taken()) - len({take.mark for take in partner.taken()})
    ledger, losses = caller.ledger, sum(message.losses for message in stored)
    print(
        f"seed {seed}: {kills} kills, commit +{commit} ms, partner {manners}: offered {len(ledger.offers)}, "
        f"OK {len(ledger.ok)}, refused {len(ledger.refused)}, not answered {len(ledger.unanswered())}, "
        f"unknown outcomes {losses}, taken twice {repeats}, breaches {len(broken)}",
        flush=True,
    )
    return broken


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.e2e.soak")
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--seed", type=int, default=None, help="of the first round; each later one is one more")
    asked = options.parse_args()
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    until = time.monotonic() + asked.minutes * 60
    print("\n".join(INVARIANTS), flush=True)
    while time.monotonic() < until:
        folder = Path(tempfile.mkdtemp(prefix="chatgate-soak-"))
        if broken := asyncio.run(round_of(seed, folder)):
            print("\n".join([*broken[:50], f"kept in {folder}"]))
            return 1
        shutil.rmtree(folder)
        seed += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
