"""Canary bugs: each bug of ``bugs`` with a short run that brings it to light, and the invariants that must say so.

A soak that is silent about these proves nothing by its silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.partner import DUMB
from tests.soak.checker import LATE_BY, breaches
from tests.soak.ledger import Fallback
from tests.soak.world import World, world

COMMIT = 50
SLOW = ("--slow-commit", COMMIT)
"""What a bug of the kind "told before it was on disk" needs to be seen on a quick disk: milliseconds."""
KILLS = 3

Run = Callable[[World, Sequence[object]], Awaitable[None]]
"""What happens in a world whose nodes run with these options of the rig."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One bug, and how it is caught."""

    bug: str
    run: Run
    caught_by: frozenset[str]
    """Invariants, one of which must be breached."""
    database: str = "sqlite"
    settles: float = 0.0
    """Seconds that it may take; 0: it is not asked to come to rest."""


async def caught(canary: Canary, folder: Path, *, planted: bool = True) -> list[str]:
    """Return the breaches of a canary's run; ``planted`` False: without the bug there must be none."""
    async with world(folder, canary.database) as it:
        async with it.watched():
            await canary.run(it, ("--bug", canary.bug) if planted else ())
            if canary.settles:
                await it.settle(canary.settles)
        return breaches(await it.history(at_rest=canary.settles > 0))


async def killed_at_an_answer(it: World, rig: Sequence[object]) -> None:
    for _ in range(KILLS):
        await it.start(*SLOW, *rig)
        async with it.caller.load(it.urls[0]):
            await it.caller.answered(60)
            await it.nodes[0].kill()


async def killed_in_a_commit(it: World, rig: Sequence[object]) -> None:
    for part in range(KILLS):
        await it.start(*SLOW, *rig)
        async with it.caller.load(it.urls[0]):
            await it.caller.answered(100)
            await asyncio.sleep((part + 1) / (KILLS + 1) * COMMIT / 1000)  # an answer comes just after one
            await it.nodes[0].kill()


async def expired_while_the_partner_was_down(it: World, rig: Sequence[object]) -> None:
    await it.start(*rig)
    await it.partner.switch(down=True)
    await it.caller.calls(it.urls[0], [it.caller.offer(ttl=2, arrives=False) for _ in range(10)])
    await asyncio.sleep(2 + LATE_BY / 1000 + 1)
    await it.partner.switch()
    await asyncio.sleep(3)


async def called_twice(it: World, rig: Sequence[object]) -> None:
    await it.start(*rig)
    offers = [it.caller.offer(keyed=True) for _ in range(10)]
    await it.caller.calls(it.urls[0], [*offers, *offers])


async def called_while_the_partner_was_down(it: World, rig: Sequence[object]) -> None:
    await it.start(*rig)
    await it.partner.switch(down=True)
    await it.caller.calls(it.urls[0], [it.caller.offer() for _ in range(10)])
    await asyncio.sleep(1)


async def killed_with_sends_open(it: World, rig: Sequence[object]) -> None:
    await it.start(*rig)
    await it.partner.switch(latency=800)
    await it.caller.calls(it.urls[0], [it.caller.offer("12", ttl=4, arrives=False) for _ in range(10)])
    await it.nodes[0].kill()
    await it.start(*rig)


async def read_before_delivered(it: World, rig: Sequence[object]) -> None:
    await it.start(*rig)
    await it.partner.switch(reordered=1.0)
    await it.caller.calls(it.urls[0], [it.caller.offer("01") for _ in range(10)])
    await asyncio.sleep(2)


async def called_by_all(it: World, rig: Sequence[object]) -> None:
    await it.start(*rig)
    await it.caller.calls(it.urls[0], [it.caller.offer() for _ in range(12)])
    await asyncio.sleep(1)


async def answered_badly(it: World, rig: Sequence[object]) -> None:
    await it.start(*rig)
    await it.customer.behave({"failed": 0.5})
    await it.caller.calls(it.urls[0], [it.caller.offer() for _ in range(30)])
    await asyncio.sleep(3)


async def due_on_two_nodes(it: World, rig: Sequence[object]) -> None:
    await it.start(*rig)
    for _ in range(12):
        await it.caller.calls(it.urls[0], [it.caller.offer("12", ttl=8, arrives=False, fallback=Fallback(2))])
        await asyncio.sleep(0.25)
    await asyncio.sleep(4)


async def woken_while_the_next_is_open(it: World, rig: Sequence[object]) -> None:
    """Lease 3 s, then a second for the receipt, then the other node sends again and waits 0.8 s for the reply: about
    then the first one wakes, and writes what became of its attempt."""
    await it.start(*rig)
    await it.partner.switch(latency=800)
    for seconds in (4.4, 4.6, 4.8):
        await it.caller.calls(it.urls[0], [it.caller.offer(DUMB, ttl=60, arrives=False) for _ in range(40)])
        it.pauses.append(await it.nodes[0].pause(seconds))
        await asyncio.sleep(1)
    await asyncio.sleep(4)


CANARIES: tuple[Canary, ...] = (
    Canary("answered before the commit", killed_at_an_answer, frozenset({"I1"})),
    Canary("Idempotency-Key not remembered", called_twice, frozenset({"I2"})),
    Canary("put off, counted as sent", called_while_the_partner_was_down, frozenset({"I3"})),
    Canary("no look at the time to live", expired_while_the_partner_was_down, frozenset({"I5"})),
    Canary("open send that nobody rescues", killed_with_sends_open, frozenset({"I6"}), settles=10),
    Canary("receipt acknowledged before the commit", killed_in_a_commit, frozenset({"I7"})),
    Canary("webhook-id that changes with each try", answered_badly, frozenset({"I8"}), settles=30),
    Canary("receipt of a lower rank wins", read_before_delivered, frozenset({"I9"})),
    Canary("service id of another account", called_by_all, frozenset({"I12"})),
    Canary("fallback without compare-and-set", due_on_two_nodes, frozenset({"I10"}), "postgresql"),
    Canary("result without its attempt number", woken_while_the_next_is_open, frozenset({"I4", "I11"}), "postgresql"),
)
