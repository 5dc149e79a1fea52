"""The disk is full or fails, the partner is away, its replies are lost: refused, put off or repeated, but not lost."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatgate.store import database
from tests.e2e import full_disk
from tests.e2e.caller import Caller, connect, get, sandbox_accounts
from tests.e2e.full_disk import Disk
from tests.e2e.installation import ACCOUNTS, Installation, receipts_url
from tests.e2e.partner import Partner, read_journal
from tests.e2e.processes import Process, Processes, free_port
from tests.soak.checker import breaches
from tests.soak.evidence import Evidence, until
from tests.soak.ledger import History, Stored


async def refused(caller: Caller, url: str, in_a_row: int) -> None:
    """Call until that many calls in a row were refused: what is left in pages that are begun still takes some."""
    refusals = 0
    async with connect(url) as peer:
        for _ in range(20 * in_a_row):
            async with asyncio.timeout(2):  # promise P2
                reply = await caller.call(peer, url, caller.offer())
            refusals = refusals + 1 if reply.status == 503 else 0
            if refusals == in_a_row:
                break
    assert refusals == in_a_row, "calls are still taken"
    assert reply.json.keys() == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert set(caller.ledger.refused.values()) == {"ServiceUnavailable"}


@pytest.mark.parametrize("disk", full_disk.kinds())
async def test_disk_full(disk: Callable[[Path], AbstractContextManager[Disk]], tmp_path: Path) -> None:
    """Calls are refused, reading goes on, and when there is room again nobody has to do anything."""
    caller = Caller(sandbox_accounts(1))
    with disk(tmp_path) as place:
        async with Processes(tmp_path) as processes:
            sandbox = await processes.start(
                "tests.soak.rigged", *place.rig, "sandbox", "--data", place.data, "--port", 0, log_level="error"
            )
            with Evidence(database.sqlite_url(place.data)) as evidence:
                await caller.calls(sandbox.url, [caller.offer() for _ in range(20)])
                await evidence.settled(within=20)
                place.fill()
                await refused(caller, sandbox.url, in_a_row=30)
                full = await get(sandbox.url, "/readyz")
                listed = await get(sandbox.url, "/sandbox/messages?account=sandbox-0&limit=1000")
                assert {m["message_id"] for m in listed.json["messages"]} == set(caller.ledger.ok.values())

                place.empty()
                replies = await caller.calls(sandbox.url, [caller.offer() for _ in range(20)])
                assert [reply.status for reply in replies] == [200] * 20
                assert (await get(sandbox.url, "/readyz")).status == 200
                await evidence.settled(within=30)  # what was accepted last, but could not be begun: its lease is 15 s
                stored = evidence.stored()
            taken = read_journal(place.data / "viber-partner.journal")
    assert breaches(History(caller.ledger, stored, taken)) == []
    if place.takes_nothing:
        assert full.status == 503, "ready, with a database that cannot commit"


@dataclass(frozen=True, slots=True)
class Served:
    """A node of ``serve`` with its partner and its database."""

    installation: Installation
    node: Process
    partner: Partner
    evidence: Evidence

    async def stored(self, mark: str, done: Callable[[Stored], bool]) -> Stored:
        """Return a message once it is so; bounded."""

        def found() -> Stored:
            return next(message for message in self.evidence.stored() if message.mark == mark)

        assert await until(lambda: done(found()), within=20), found()
        return found()


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Served]:
    async with Processes(folder) as processes:
        port = free_port()
        partner = await Partner.start(processes, folder, receipts_url(port))
        installation = Installation(processes, folder)
        await installation.configure(partner.send_url)
        node = await installation.start(port)
        with Evidence(installation.database) as evidence:
            yield Served(installation, node, partner, evidence)


async def test_disk_fails(tmp_path: Path) -> None:
    """After an I/O error the process writes nothing more and ends with status 1; the next one recovers.

    The error is the kernel's: the log of the database may not grow beyond a file size limit.
    """
    caller = Caller(ACCOUNTS)
    async with served(tmp_path) as it:
        async with caller.load(it.node.url):
            await caller.answered(100)
            size = Path(f"{it.installation.database.removeprefix('sqlite:///')}-wal").stat().st_size
            resource.prlimit(it.node.pid, resource.RLIMIT_FSIZE, (size + 4096, resource.RLIM_INFINITY))
            assert await it.node.ended() == 1
        assert "disk reported an I/O error" in it.node.log.read_text()
        assert set(caller.ledger.refused.values()) <= {"ServiceUnavailable"}
        await it.installation.start(it.node.port)
        await it.evidence.settled(within=40)
        assert breaches(History(caller.ledger, it.evidence.stored(), it.partner.taken())) == []


async def test_partner_away(tmp_path: Path) -> None:
    """What it answers with 503 it did not take: it is tried again, and arrives once the partner is back."""
    caller = Caller(ACCOUNTS)
    offers = [caller.offer(label=label) for label in ("transaction", "promotion") * 5]
    async with served(tmp_path) as it:
        await it.partner.switch(down=True)
        await caller.calls(it.node.url, offers)
        for offer in offers:
            await it.stored(offer.mark, lambda message: message.attempt >= 1 and message.status == "accepted")
        assert it.partner.taken() == []
        await it.partner.switch()
        await it.evidence.settled(within=30)
        stored, taken = it.evidence.stored(), it.partner.taken()
    assert breaches(History(caller.ledger, stored, taken)) == []
    assert sorted(take.mark for take in taken) == sorted(offer.mark for offer in offers)
    assert {outcome for message in stored for _, outcome in message.outcomes[:-1]} == {"deferred"}


async def test_replies_lost(tmp_path: Path) -> None:
    """The partner takes every message and resets the connection: only a receipt can tell, and until then the policy."""
    caller = Caller(ACCOUNTS[:1])
    service_id = ACCOUNTS[0].service_id
    twice, once = caller.offer(label="transaction"), caller.offer(label="promotion")
    told = [caller.offer("52", label=label) for label in ("transaction", "promotion")]  # the receipt follows at once
    async with served(tmp_path) as it:
        for silent in (twice, once):
            await it.partner.script(service_id, silent.number, answers=("reset", 0), steps=())
        await caller.calls(it.node.url, [twice, once, *told])

        sent = await it.stored(twice.mark, lambda message: message.status == "sent")
        assert sent.outcomes == ((1, "unknown"), (2, "sent"))
        for offer in told:
            delivered = await it.stored(offer.mark, lambda message: message.status == "delivered")
            assert delivered.outcomes == ((1, "unknown"),)
        held = await it.stored(once.mark, lambda message: message.status == "unknown")
        assert (held.outcomes, held.due_at) == (((1, "unknown"),), held.expires_at)
        marks = [take.mark for take in it.partner.taken()]
    assert sorted(marks) == sorted([twice.mark, twice.mark, once.mark, *(offer.mark for offer in told)])
