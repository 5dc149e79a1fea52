"""The clock is set by two hours under load, forward or back: nothing is late, no storm, healthy again by itself.

What is late is judged by the clocks of the caller and of the simulated partner, which nobody sets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from chatgate.clock import HOUR, SECOND
from tests.e2e.caller import Caller, get
from tests.e2e.installation import ACCOUNTS
from tests.e2e.machine import Machine, machine
from tests.e2e.shifted import write
from tests.soak.checker import LATE_BY, breaches
from tests.soak.evidence import until
from tests.soak.ledger import History, Offer

DISTRUST = 6
"""Seconds."""

SHORT, LONG = 30, 300
"""Times to live of what waits when the clock is set, in seconds."""

UNAVAILABLE, SILENT, NO_VIBER = "51", "12", "38"
"""Phones, by the last digits of their number."""


def now() -> int:
    return time.time_ns() // 1_000_000


async def serve_at_last(it: Machine, caller: Caller, offers: Sequence[Offer]) -> None:
    """Make the partner take what it has refused so far."""
    for offer in offers:
        await it.partner.script(caller.account(offer).service_id, offer.number, answers=(0,), steps=("delivered",))


@pytest.mark.parametrize("by", [2 * HOUR, -2 * HOUR], ids=["forward", "back"])
async def test_two_hours(by: int, tmp_path: Path) -> None:
    caller = Caller(ACCOUNTS, rate=40)
    fallback = {"FallBackId": "S_000001", "FallBackContent": "by SMS", "FallBackDuration": "600"}
    armed = [caller.offer(SILENT, arrives=False) for _ in range(20)]
    short = [caller.offer(UNAVAILABLE, arrives=False) for _ in range(10)]
    long = [caller.offer(UNAVAILABLE, arrives=by < 0) for _ in range(10)]
    waits = {600: armed, SHORT: short, LONG: long}
    wall = tmp_path / "wall"
    write(wall, 0)
    async with machine(tmp_path, "--wall", wall, "--distrust", DISTRUST) as it:
        began = now()
        await caller.calls(it.node.url, armed, Ttl="600", **fallback)
        await caller.calls(it.node.url, short, Ttl=str(SHORT))
        await caller.calls(it.node.url, long, Ttl=str(LONG), **fallback)
        assert await until(lambda: set(it.column("status", [o.mark for o in armed])) == {"sent"}, within=20)
        async with caller.load(it.node.url, connections=8):
            await caller.answered(40)
            write(wall, by)
            jumped, caller.ahead = now(), by
            open_then = set(caller.ledger.offers)
            assert await until(lambda: "clock.jumped" in it.node.log.read_text(), within=DISTRUST)
            await caller.answered(40)  # calls are taken as ever
            assert [await it.metric("clock_jumps_total"), await it.metric("clock_distrusted")] == [1, 1]
            assert (await get(it.node.url, "/readyz")).status == 200
            assert await until(lambda: "clock.trusted" in it.node.log.read_text(), within=3 * DISTRUST)
            trusted = now()
            await caller.answered(40)
        still = [take for take in it.partner.taken() if jumped + SECOND < take.at < trusted - SECOND]
        assert still == [], "it sent while it did not know the time"
        await serve_at_last(it, caller, long)
        if by < 0:
            await asyncio.sleep(max(0, began + (SHORT + 2) * SECOND - now()) / SECOND)
        await serve_at_last(it, caller, short)

        marks = [offer.mark for offer in (*short, *long)]
        settled = {"expired", "delivered"}
        assert await until(lambda: set(it.column("status", marks)) <= settled, within=60)
        if by > 0:  # two hours late: an operator decides, nobody is woken by twenty old messages
            held = [offer.mark for offer in (*armed, *long)]
            assert await until(lambda: set(it.column("fallback_state", held)) == {"held"}, within=10)
            assert it.column("status", marks) == ["expired"] * 20
        else:  # its place in time is kept, to the second or so
            assert it.column("status", marks) == ["expired"] * 10 + ["delivered"] * 10
            due = [int(at or 0) - by - began for at in it.column("fallback_at", [offer.mark for offer in armed])]
            assert [at for at in due if not 600 * SECOND <= at <= 610 * SECOND] == []
        assert it.texted() == []

        fresh = caller.offer(NO_VIBER, arrives=False)
        await caller.calls(it.node.url, [fresh], **fallback)
        assert await until(lambda: it.texted() == [(fresh.number, "by SMS")], within=20), "healthy again"
        assert [await it.metric("clock_jumps_total"), await it.metric("clock_distrusted")] == [1, 0]
        takes = {take.mark: take.at for take in it.partner.taken()}
        ends = {offer.mark: began + 2 * SECOND + ttl * SECOND for ttl, offers in waits.items() for offer in offers}
        assert [mark for mark, end in ends.items() if takes.get(mark, 0) > end + LATE_BY] == []
        await it.evidence.settled(within=10)
        stored = [message for message in it.evidence.stored() if message.mark in caller.ledger.offers]
        broken = breaches(History(caller.ledger, stored, it.partner.taken()))
    # The checker's own "late" holds the partner's clock against times that have moved; the armed still wait; what was
    # in hand at a jump forward is two hours old then.
    fine = {f"I6 restless: {offer.mark} is still sent" for offer in armed}
    fine |= {f"I6 undelivered: {mark} (transaction) rests as expired" for mark in open_then if by > 0}
    assert [line for line in broken if not line.startswith("I5 late") and line not in fine] == []
