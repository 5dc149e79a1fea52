"""Delivered before, at and after the moment of the fallback: never an SMS after a delivery, never two, none forgotten.

The receipt comes over the wire while the timer of a real node fires; its time runs ten times as fast.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.e2e.caller import Caller
from tests.e2e.installation import ACCOUNTS
from tests.e2e.machine import machine
from tests.soak.evidence import until

SPEED = 10
MOMENT = 60
"""Seconds of the node from the call to the SMS, the shortest that there is (``FallBackDuration``)."""
SILENT = "12"
MARGIN = 1.5
"""Seconds of this world that are surely before, or after: the timer looks twice a second."""


async def test_delivered_before_at_and_after(tmp_path: Path) -> None:
    caller, chance = Caller(ACCOUNTS), Random()
    before, at, after = ([caller.offer(SILENT) for _ in range(count)] for count in (10, 60, 10))
    fallback = {"FallBackId": "S_000001", "FallBackContent": "by SMS", "FallBackDuration": str(MOMENT)}
    async with machine(tmp_path, "--speed", SPEED) as it:
        began = time.monotonic()
        await caller.calls(it.node.url, [*before, *at, *after], Ttl="100", **fallback)
        called = time.monotonic()
        assert await until(lambda: len(it.partner.tokens()) == 80, within=5)
        tokens = it.partner.tokens()

        async def deliver(mark: str, when: float) -> None:
            await asyncio.sleep(when - time.monotonic())
            await it.partner.happen(tokens[mark], "delivered")

        first, last = began + MOMENT / SPEED, called + MOMENT / SPEED
        moments = {offer.mark: first - MARGIN for offer in before}
        moments |= {offer.mark: chance.uniform(first, last + 0.7) for offer in at}
        moments |= {offer.mark: last + MARGIN for offer in after}
        await asyncio.gather(*(deliver(mark, when) for mark, when in moments.items()))

        marks = list(moments)
        assert await until(lambda: set(it.column("status", marks)) == {"delivered"}, within=10)
        states = dict(zip(marks, it.column("fallback_state", marks), strict=True))
        assert {states[offer.mark] for offer in before} == {"called_off"}
        assert {states[offer.mark] for offer in after} == {"fired"}
        assert {states[offer.mark] for offer in at} <= {"called_off", "fired"}
        fired = {offer.number for offer in (*before, *at, *after) if states[offer.mark] == "fired"}
        assert await until(lambda: len(it.texted()) >= len(fired), within=10)
        await asyncio.sleep(1)  # two more looks of the timer, and ten of the node's seconds
        assert Counter(it.texted()) == {(number, "by SMS"): 1 for number in fired}
        assert await until(lambda: it.noted("both arrived") == fired, within=10)
