"""SIGTERM under load: what was answered OK stays, open sends end, what is in hand is given back, the status is 0."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.e2e.caller import BROKEN, Caller, get
from tests.e2e.installation import ACCOUNTS, Installation, receipts_url
from tests.e2e.partner import Partner
from tests.e2e.processes import Process, Processes, free_port
from tests.soak.checker import breaches
from tests.soak.evidence import Evidence, until
from tests.soak.ledger import History

HUNG = "53"
"""Ending of numbers whose send the partner does not answer for 30 s."""

SLOTS = 8


async def is_ready(node: Process) -> bool:
    """Ask as a load balancer does, on a new connection."""
    try:
        return (await get(node.url, "/readyz")).status == 200
    except BROKEN:
        return False


async def not_ready_any_more(node: Process) -> None:
    while node.alive and await is_ready(node):
        pass


async def test_term_under_load(tmp_path: Path) -> None:
    caller = Caller(ACCOUNTS)
    async with Processes(tmp_path) as processes:
        port = free_port()
        partner = await Partner.start(processes, tmp_path, receipts_url(port))
        installation = Installation(processes, tmp_path)
        slow = {"max_in_flight": SLOTS, "reply_timeout": 20.0}
        await installation.configure(partner.send_url, slow, drain_seconds=2)
        await partner.switch(latency=300)
        node = await installation.start(port)

        await caller.calls(node.url, [caller.offer(HUNG, arrives=False) for _ in range(2)])
        async with caller.load(node.url):
            await caller.answered(120)  # the partner takes 20 a second: in hand, in the database and on the wire
            node.send(signal.SIGTERM)
            await not_ready_any_more(node)
            still_ending = node.alive
        status = await node.ended(within=15)  # the hung sends alone would take 20 s
        ended_at = time.time_ns() // 1_000_000

        assert still_ending  # the hung sends kept it: readiness was false while it ended, not because it was gone
        assert status == 0, node.log.read_text()
        with Evidence(installation.database) as evidence:
            left = evidence.stored()
            assert breaches(History(caller.ledger, left, partner.taken(), at_rest=False)) == []
            cut_off = [message.mark for message in left if message.status == "sending"]
            assert sorted(cut_off) == ["mark 1", "mark 2"]  # every other open send ended, and its end was stored
            waiting = [message for message in left if message.status == "accepted"]
            assert len(waiting) > SLOTS
            kept = [message.mark for message in waiting if (message.due_at or 0) > ended_at]
            assert kept == []  # nobody has to wait for a lease

            await partner.switch()
            await installation.start(port)
            await until(lambda: {mark for mark, _ in evidence.restless()} <= set(cut_off), within=20)
            stored = [message for message in evidence.stored() if message.mark not in cut_off]
        history = History(caller.ledger, [*stored, *(m for m in left if m.mark in cut_off)], partner.taken())
        assert breaches(history) == [f"I6 restless: {mark} is still sending" for mark in cut_off]


async def test_second_term_ends_it(tmp_path: Path) -> None:
    """A hung send may take 20 s and has 60 s to end; the second signal does not wait for it, and loses nothing."""
    caller = Caller(ACCOUNTS)
    async with Processes(tmp_path) as processes:
        partner = await Partner.start(processes, tmp_path, receipts_url(free_port()))
        installation = Installation(processes, tmp_path)
        await installation.configure(partner.send_url, {"reply_timeout": 20.0}, drain_seconds=60)
        node = await installation.start()
        offers = [caller.offer(HUNG, arrives=False), caller.offer(HUNG, arrives=False)]
        await caller.calls(node.url, offers)
        with Evidence(installation.database) as evidence:
            assert await until(lambda: [m.status for m in evidence.stored()] == ["sending"] * 2, within=10)
            node.send(signal.SIGTERM)
            await not_ready_any_more(node)
            assert node.alive
            node.send(signal.SIGTERM)
            assert await node.ended(within=10) == 128 + signal.SIGTERM
            stored = evidence.stored()
    assert breaches(History(caller.ledger, stored, partner.taken(), at_rest=False)) == []
    assert len(caller.ledger.ok) == 2
