"""One node that takes calls, two that work, one PostgreSQL between them; then one of each is taken away."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.caller import Caller, connect
from tests.e2e.installation import ACCOUNTS, Installation, receipts_url
from tests.e2e.partner import Partner
from tests.e2e.postgres import Postgres
from tests.e2e.processes import Process, Processes
from tests.soak.checker import breaches
from tests.soak.evidence import Evidence
from tests.soak.ledger import History


@dataclass(frozen=True, slots=True)
class Cluster:
    postgres: Postgres
    partner: Partner
    evidence: Evidence
    api: Process
    workers: list[Process]

    async def settled(self, within: float) -> None:
        await self.evidence.settled(within)

    def breaches(self, caller: Caller) -> list[str]:
        return breaches(History(caller.ledger, self.evidence.stored(), self.partner.taken()))


async def cluster(stack: AsyncExitStack, folder: Path) -> Cluster:
    """Start it. The callbacks of the three accounts go to the three nodes, one each."""
    processes = await stack.enter_async_context(Processes(folder))
    postgres = await stack.enter_async_context(Postgres())
    partner = await Partner.start(processes, folder, "http://127.0.0.1:9/nowhere")
    installation = Installation(processes, folder, postgres.url)
    await installation.configure(partner.send_url)
    roles = ("api", "worker", "worker")
    nodes = await asyncio.gather(*(installation.start(0, "--role", role) for role in roles))
    for account, node in zip(ACCOUNTS, nodes, strict=True):
        await partner.call_back(account.service_id, receipts_url(node.port))
    evidence = stack.enter_context(Evidence(postgres.url))
    return Cluster(postgres, partner, evidence, nodes[0], nodes[1:])


async def test_workers_share_and_one_is_killed(tmp_path: Path) -> None:
    caller = Caller(ACCOUNTS)
    async with AsyncExitStack() as stack:
        nodes = await cluster(stack, tmp_path)
        async with caller.load(nodes.api.url):
            await caller.answered(200)
        await nodes.settled(within=20)
        assert nodes.breaches(caller) == []
        assert {message.status for message in nodes.evidence.stored()} == {"delivered"}
        assert len(nodes.partner.taken()) == len(
            caller.ledger.offers
        )  # each exactly once; all three nodes took receipts

        await nodes.partner.switch(latency=200)  # so that sends are open when it is killed
        async with caller.load(nodes.api.url):
            await caller.answered(100)
            await nodes.workers[1].kill()
            await nodes.partner.call_back(ACCOUNTS[2].service_id, receipts_url(nodes.workers[0].port))
            await caller.answered(100)
        assert caller.ledger.refused == {}
        await nodes.settled(within=40)  # the lease of what it had open: 11 s, then the policy
        assert nodes.breaches(caller) == []


async def test_postgresql_crashes_and_comes_back(tmp_path: Path) -> None:
    """No process is started again; in between every call is refused, and nothing of it exists."""
    caller = Caller(ACCOUNTS)
    async with AsyncExitStack() as stack:
        nodes = await cluster(stack, tmp_path)
        async with caller.load(nodes.api.url):
            await caller.answered(100)
            await nodes.postgres.crash()
        assert set(caller.ledger.refused.values()) <= {"ServiceUnavailable"}

        replies = await caller.calls(nodes.api.url, [caller.offer() for _ in range(10)])
        assert {(reply.status, reply.json["Code"]) for reply in replies} == {(503, "ServiceUnavailable")}

        await nodes.postgres.restart()
        async with asyncio.timeout(30), connect(nodes.api.url) as peer:
            while (await caller.call(peer, nodes.api.url, caller.offer())).status != 200:
                await asyncio.sleep(0.1)
        async with caller.load(nodes.api.url):
            await caller.answered(100)
        assert all(node.alive for node in (nodes.api, *nodes.workers))
        await nodes.settled(within=40)
        assert nodes.breaches(caller) == []
