"""kill -9 under load, over and over: what was answered OK is there, was sent, and was sent once unless nobody can know.

The processes are the real ones. ``--slow-commit`` gives a bug of the kind "answered before it was on disk" the time
that a quick disk does not; the canary shows that the loop and the checker catch it.
"""

from __future__ import annotations

import random
from pathlib import Path

from chatgate.store import database
from tests.e2e.caller import Caller, sandbox_accounts
from tests.e2e.crash import crash
from tests.e2e.evidence import Evidence
from tests.e2e.installation import ACCOUNTS, Installation, receipts_url
from tests.e2e.ledger import violations
from tests.e2e.partner import Partner, read_journal
from tests.e2e.processes import Process, Processes, free_port

KILLS = 10
SLOW = ("tests.e2e.rigged", "--slow-commit", 50)


async def test_sandbox(tmp_path: Path) -> None:
    """The simulated partner dies with it, and its journal tells both what it took."""
    data, caller = tmp_path / "data", Caller(sandbox_accounts(3))

    async with Processes(tmp_path) as processes:

        async def start() -> Process:
            return await processes.start("chatgate", "sandbox", "--data", data, "--port", 0, unknown_wait=1)

        await crash(start, caller, random.Random(), KILLS)
        await start()
        with Evidence(database.sqlite_url(data)) as evidence:
            await evidence.settled(within=50)  # leases of 30 s, then the policy, then the phones
            stored = evidence.stored()
    assert violations(caller.ledger, stored, read_journal(data / "viber-partner.journal")) == []


async def test_serve_on_a_slow_disk(tmp_path: Path) -> None:
    """The partner lives on: what it took and what is recorded differ by what was open at the kills."""
    caller = Caller(ACCOUNTS)
    async with Processes(tmp_path) as processes:
        port = free_port()
        partner = await Partner.start(processes, tmp_path, receipts_url(port))
        installation = Installation(processes, tmp_path)
        await installation.configure(partner.send_url)

        async def start() -> Process:
            return await installation.start(port, program=SLOW)

        await crash(start, caller, random.Random(), KILLS)
        await start()
        with Evidence(installation.database) as evidence:
            await evidence.settled(within=40)
            stored = evidence.stored()
        taken = partner.taken()
    assert violations(caller.ledger, stored, taken) == []


async def test_canary_that_answers_before_the_commit_is_caught(tmp_path: Path) -> None:
    caller = Caller(ACCOUNTS)
    async with Processes(tmp_path) as processes:
        partner = await Partner.start(processes, tmp_path, receipts_url(free_port()))
        installation = Installation(processes, tmp_path)
        await installation.configure(partner.send_url)

        async def start() -> Process:
            return await installation.start(program=(*SLOW, "--eager"))

        await crash(start, caller, random.Random(), 2)
        with Evidence(installation.database) as evidence:
            stored = evidence.stored()
    found = violations(caller.ledger, stored, partner.taken(), at_rest=False)
    assert "lost" in {line.split(":")[0] for line in found}, found
