"""The database crashes, stands still, is full or locked: refused at once, nothing answered OK is lost, no restart.

What was refused is not stored, except where the answer said that nobody knows: its COMMIT was on the way.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from chatgate.store import database as databases
from tests.e2e import full_disk
from tests.e2e.caller import Caller, connect, get
from tests.e2e.installation import ACCOUNTS, Installation, receipts_url
from tests.e2e.partner import Partner
from tests.e2e.postgres import Postgres
from tests.e2e.processes import Process, Processes, free_port
from tests.soak.checker import breaches
from tests.soak.evidence import Evidence
from tests.soak.ledger import History

AWAY = 3.0
"""Seconds: longer than any call may wait."""
AT_ONCE = 2.0
"""Seconds in which a call is refused (promise P2)."""


@dataclass(frozen=True, slots=True)
class Served:
    partner: Partner
    node: Process
    database: str


@asynccontextmanager
async def served(folder: Path, database: str | None = None) -> AsyncIterator[Served]:
    async with Processes(folder) as processes:
        port = free_port()
        partner = await Partner.start(processes, folder, receipts_url(port))
        installation = Installation(processes, folder, database)
        await installation.configure(partner.send_url)
        yield Served(partner, await installation.start(port), installation.database)


async def during(it: Served, caller: Caller, event: Awaitable[None]) -> None:
    """Call without a pause on four connections until the event is over. No call may wait."""
    loop, happening = asyncio.get_running_loop(), asyncio.ensure_future(event)
    slowest = 0.0

    async def keep_calling() -> None:
        nonlocal slowest
        async with connect(it.node.url) as peer:
            while not happening.done():
                began = loop.time()
                await caller.call(peer, it.node.url, caller.offer())
                slowest = max(slowest, loop.time() - began)
                await asyncio.sleep(0.02)

    await asyncio.gather(happening, *(keep_calling() for _ in range(4)))
    assert slowest < AT_ONCE, f"a call waited {slowest:.1f} s"
    assert caller.ledger.refused, "nothing happened"
    assert set(caller.ledger.refused.values()) == {"ServiceUnavailable"}


async def healthy_again(it: Served, caller: Caller) -> list[str]:
    """Return what is broken once all is at rest."""
    async with asyncio.timeout(10), connect(it.node.url) as peer:
        while (await caller.call(peer, it.node.url, caller.offer())).status != 200:
            await asyncio.sleep(0.1)
    replies = await caller.calls(it.node.url, [caller.offer() for _ in range(20)])
    assert [reply.status for reply in replies] == [200] * 20
    assert (await get(it.node.url, "/readyz")).status == 200
    assert it.node.alive
    with Evidence(it.database) as evidence:
        await evidence.settled(within=40)
        return breaches(History(caller.ledger, evidence.stored(), it.partner.taken()))


async def crash(postgres: Postgres) -> None:
    await postgres.crash()
    await asyncio.sleep(AWAY)
    await postgres.restart()


async def stand_still(postgres: Postgres) -> None:
    postgres.send(signal.SIGSTOP, also_to_backends=True)
    await asyncio.sleep(AWAY)
    postgres.send(signal.SIGCONT, also_to_backends=True)


async def postmaster_stands_still(postgres: Postgres) -> None:
    """Connections go on until they are lost; new ones wait."""
    postgres.send(signal.SIGSTOP, also_to_backends=False)
    await asyncio.sleep(AWAY / 4)
    postgres.kill_backends()
    await asyncio.sleep(AWAY)
    postgres.send(signal.SIGCONT, also_to_backends=False)


async def lose_backends(postgres: Postgres) -> None:
    """The server ends its other processes too, and begins anew."""
    postgres.kill_backends()
    await asyncio.sleep(AWAY / 2)


@pytest.mark.parametrize("event", [crash, stand_still, postmaster_stands_still, lose_backends])
async def test_postgresql(event: Callable[[Postgres], Awaitable[None]], tmp_path: Path) -> None:
    caller = Caller(ACCOUNTS)
    async with Postgres() as postgres, served(tmp_path, postgres.url) as it:
        await caller.calls(it.node.url, [caller.offer() for _ in ACCOUNTS[1:]])  # one account is not known yet
        await during(it, caller, event(postgres))
        broken = await healthy_again(it, caller)
    assert broken == []


if full_disk.may_mount():  # else there is no small disk for PostgreSQL; that it ends is the crash above

    async def test_postgresql_on_a_full_disk(tmp_path: Path) -> None:
        """If that ends the server, who watches it starts it again; chatgate needs nobody."""
        caller = Caller(ACCOUNTS)
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="chatgate-small-")))
            folder.chmod(0o755)
            disk = stack.enter_context(full_disk.file_system(folder, megabytes=100))
            postgres = await stack.enter_async_context(Postgres(disk.data))
            it = await stack.enter_async_context(served(tmp_path, postgres.url))
            await caller.calls(it.node.url, [caller.offer() for _ in range(20)])

            async def full() -> None:
                disk.fill()
                async with asyncio.timeout(30):
                    while len(caller.ledger.refused) < 100:
                        await asyncio.sleep(0.1)
                disk.empty()
                await postgres.restart()

            await during(it, caller, full())
            broken = await healthy_again(it, caller)
        assert broken == []


async def test_sqlite_is_locked(tmp_path: Path) -> None:
    """By another program, for longer than a call can wait. Here it is known what has happened: nothing."""
    caller = Caller(ACCOUNTS)
    async with served(tmp_path) as it:

        async def locked() -> None:
            engine = databases.open_writer(it.database)
            with engine.connect() as connection, connection.begin():
                await asyncio.sleep(AWAY)
            engine.dispose()

        await caller.calls(it.node.url, [caller.offer() for _ in ACCOUNTS[1:]])
        await during(it, caller, locked())
        assert await healthy_again(it, caller) == []
