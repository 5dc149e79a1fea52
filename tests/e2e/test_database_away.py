"""PostgreSQL crashes, loses a backend or stands still: refused at once, nothing answered OK is lost, no restart.

A call that is open at the moment may have been stored, whatever its answer: its COMMIT was on the way.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.caller import Caller, connect, get
from tests.e2e.evidence import Evidence
from tests.e2e.installation import ACCOUNTS, Installation, receipts_url
from tests.e2e.ledger import violations
from tests.e2e.partner import Partner
from tests.e2e.postgres import Postgres
from tests.e2e.processes import Process, Processes, free_port

AWAY = 3.0
"""Seconds: longer than any call may wait."""
AT_ONCE = 2.0
"""Seconds in which a call is refused (promise P2)."""


@dataclass(frozen=True, slots=True)
class Served:
    postgres: Postgres
    partner: Partner
    node: Process
    database: str


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    async with AsyncExitStack() as stack:
        processes = await stack.enter_async_context(Processes(folder))
        postgres = await stack.enter_async_context(Postgres())
        port = free_port()
        partner = await Partner.start(processes, folder, receipts_url(port))
        installation = Installation(processes, folder, postgres.url)
        await installation.configure(partner.send_url)
        yield Served(postgres, partner, await installation.start(port), postgres.url)


async def crash(postgres: Postgres) -> None:
    await postgres.crash()
    await asyncio.sleep(AWAY)
    await postgres.restart()


async def stand_still(postgres: Postgres) -> None:
    postgres.send(signal.SIGSTOP, also_to_backends=True)
    await asyncio.sleep(AWAY)
    postgres.send(signal.SIGCONT, also_to_backends=True)


async def postmaster_stands_still(postgres: Postgres) -> None:
    """Connections go on; only new ones wait, which are needed as soon as one is lost."""
    postgres.send(signal.SIGSTOP, also_to_backends=False)
    await asyncio.sleep(AWAY / 4)
    postgres.kill_backend()
    await asyncio.sleep(AWAY)
    postgres.send(signal.SIGCONT, also_to_backends=False)


async def lose_a_backend(postgres: Postgres) -> None:
    """The server ends all its other processes too, and begins anew."""
    postgres.kill_backend()
    await asyncio.sleep(AWAY / 2)


@pytest.mark.parametrize("event", [crash, stand_still, postmaster_stands_still, lose_a_backend])
async def test_it_comes_back(event: Callable[[Postgres], Awaitable[None]], tmp_path: Path) -> None:
    caller, slowest = Caller(ACCOUNTS), 0.0
    loop = asyncio.get_running_loop()
    async with served(tmp_path) as it:

        async def keep_calling(until: asyncio.Task[None]) -> None:
            """Make calls one after the other until it is over, and a while longer; remember the slowest."""
            nonlocal slowest
            async with connect(it.node.url) as peer:
                while not until.done():
                    began = loop.time()
                    await caller.call(peer, it.node.url, caller.offer())
                    slowest = max(slowest, loop.time() - began)
                    await asyncio.sleep(0.02)

        await caller.calls(it.node.url, [caller.offer() for _ in ACCOUNTS[1:]])  # one account is not known yet
        happening = asyncio.ensure_future(event(it.postgres))
        await asyncio.gather(happening, *(keep_calling(happening) for _ in range(4)))
        assert slowest < AT_ONCE, f"a call waited {slowest:.1f} s"
        assert set(caller.ledger.refused.values()) <= {"ServiceUnavailable"}
        assert caller.ledger.refused, "nothing happened"

        async with asyncio.timeout(10), connect(it.node.url) as peer:
            while (await caller.call(peer, it.node.url, caller.offer())).status != 200:
                await asyncio.sleep(0.1)
        replies = await caller.calls(it.node.url, [caller.offer() for _ in range(20)])
        assert [reply.status for reply in replies] == [200] * 20
        assert (await get(it.node.url, "/readyz")).status == 200
        assert it.node.alive
        with Evidence(it.database) as evidence:
            await evidence.settled(within=40)
            broken = violations(caller.ledger, evidence.stored(), it.partner.taken())
    assert [line for line in broken if not line.startswith("ghost")] == []
    assert len(broken) <= 4, "more is stored of what was refused than calls were open at the moment"
