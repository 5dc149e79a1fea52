"""kill -9 under load, over and over, of a sandbox: its simulated partner dies with it, and comes back with it."""

from __future__ import annotations

import random
from pathlib import Path

from chatgate.store import database
from tests.e2e.caller import Caller, sandbox_accounts
from tests.e2e.partner import read_journal
from tests.e2e.processes import Process, Processes
from tests.soak.checker import breaches
from tests.soak.evidence import Evidence
from tests.soak.ledger import History

KILLS = 10

MOST_ANSWERS = 250
"""OKs of one life, at most: a life of a second at most, at 300 calls a second."""


async def test_sandbox(tmp_path: Path) -> None:
    """Its journal tells both what it took. Each kill comes with an OK; some while it still recovers."""
    data, caller = tmp_path / "data", Caller(sandbox_accounts(3))

    async with Processes(tmp_path) as processes:

        async def start() -> Process:
            return await processes.start("chatgate", "sandbox", "--data", data, "--port", 0, unknown_wait=1)

        for _ in range(KILLS):
            node = await start()
            async with caller.load(node.url):
                await caller.answered(random.choice((1, random.randint(1, MOST_ANSWERS))))
                await node.kill()
        await start()
        with Evidence(database.sqlite_url(data)) as evidence:
            await evidence.settled(within=50)  # leases of 30 s, then the policy, then the phones
            stored = evidence.stored()
    assert breaches(History(caller.ledger, stored, read_journal(data / "viber-partner.journal"))) == []
