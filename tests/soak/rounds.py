"""One round: load, and a life after the other for each node, ended by whatever chance and the fail-points bring.

The seed decides what is drawn; what it meets, the machine's own pace decides.
"""

from __future__ import annotations

import asyncio
import pickle
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.soak.checker import breaches
from tests.soak.fail_points import FAIL_POINTS, ONLY_AT_FIRST
from tests.soak.ledger import History
from tests.soak.load import Load
from tests.soak.mortals import Node
from tests.soak.world import World, world

MOST_TRIES = 25
"""Lives after which a fail-point that has not fired cannot fire."""
LONGEST_WAIT = 8.0
"""Seconds in which a fail-point is passed, or its life ends in another way."""
SETTLES_WITHIN = 90.0

LOOPING = tuple(name for name in FAIL_POINTS if name != ONLY_AT_FIRST)


@dataclass(slots=True)
class Round:
    """What a round did, and what it broke."""

    seed: int
    database: str
    kills: int = 0
    stops: int = 0
    beside: int = 0
    """Kills and stops of those beside the nodes."""
    fired: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    line: str = ""


async def run(seed: int, database: str, folder: Path, *, seconds: float, first: Sequence[str] = ()) -> Round:
    """Run a round of about so many seconds of load. The fail-points ``first`` come first; a point of theirs that never
    fires is a breach. What broke something is kept in the folder, as ``breaches`` and ``history`` (a pickle)."""
    chance = Random(f"{seed} {database}")
    done = Round(seed, database)
    commit, rate = chance.choice((0, 0, 10, 30)), chance.choice((30, 60, 120))
    manners = {name: chance.choice((0.0, 0.3)) for name in ("early", "duplicated", "reordered")}
    manners["latency"] = chance.choice((0, 20, 200))
    dying_at = chance.randint(1, FAIL_POINTS[ONLY_AT_FIRST].passages)
    async with world(folder, database, dying_at=dying_at) as it:

        async def misbehave() -> None:
            await it.partner.switch(**manners)
            await it.customer.behave({"slow": 0.05, "failed": 0.1, "reset": 0.1, "refused": 0.05})

        await misbehave()
        faults = Faults(it, done, chance, ("--slow-commit", commit), list(first), misbehave)
        load = Load(it.caller, chance, rate)
        async with it.watched(), load.at(it.urls):
            await faults.go_on(seconds)
        await it.start("--slow-commit", commit)
        async with it.watched():
            await it.settle(SETTLES_WITHIN)
        done.fired = Counter(it.nodes[0].died_at())
        history = await it.history()
    done.broken = breaches(history)
    done.broken += [f"cannot: the fail-point {name!r} never fired" for name in first if not done.fired[name]]
    done.line = _line(done, history, f"commit +{commit} ms, {rate}/s, {manners}")
    if done.broken:  # the database may be gone
        (folder / "history").write_bytes(pickle.dumps(history))
        (folder / "breaches").write_text("\n".join([done.line, *done.broken]))
    return done


class Faults:
    """What happens to the nodes."""

    def __init__(
        self, it: World, done: Round, chance: Random, rig: tuple[object, ...], wanted: list[str],
        misbehave: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._it = it
        self._done = done
        self._chance = chance
        self._rig = rig
        self._wanted = wanted
        self._misbehave = misbehave
        self._tries: Counter[str] = Counter()

    async def go_on(self, seconds: float) -> None:
        """Return when the time is over and every wanted fail-point has fired, or has had its tries."""
        until = time.monotonic() + seconds
        lives = [self._lives(node, until) for node in self._it.nodes]
        await asyncio.gather(*lives, self._others_suffer(until))

    async def _lives(self, node: Node, until: float) -> None:
        while time.monotonic() < until or self._left():
            await self._life(node)
        await node.kill()

    def _left(self) -> list[str]:
        fired = set(self._it.nodes[0].died_at())
        return [name for name in self._wanted if name not in fired and self._tries[name] < MOST_TRIES]

    async def _life(self, node: Node) -> None:
        left = self._left()
        chance = self._chance
        if (left and chance.random() < 0.8) or chance.random() < 0.4:
            await self._until_it_dies(node, min(left, key=self._tries.__getitem__) if left else chance.choice(LOOPING))
            return
        if await node.start(*self._rig):
            end = chance.choice((self._kill, self._kill_all, self._kill_twice, self._stop))
            await end(node)
        await node.kill()

    async def _until_it_dies(self, node: Node, name: str) -> None:
        self._tries[name] += 1
        passage = self._chance.randint(1, FAIL_POINTS[name].passages)
        if self._tries[name] > MOST_TRIES // 5:
            passage = 1
        if await node.start(*self._rig, die=(name, passage)) and not await node.dies(LONGEST_WAIT):
            self._done.kills += 1
        await node.kill()

    async def _kill(self, node: Node) -> None:
        await asyncio.sleep(self._chance.uniform(0.2, 3))
        await node.kill()
        self._done.kills += 1

    async def _kill_all(self, node: Node) -> None:
        """All nodes within 200 ms."""
        await self._kill(node)
        for other in self._it.nodes:
            if other is not node:
                await asyncio.sleep(self._chance.uniform(0, 0.2))
                await other.kill()
                self._done.kills += 1

    async def _kill_twice(self, node: Node) -> None:
        """The second comes somewhere in the start of the next process, the third while it recovers."""
        await self._kill(node)
        start = asyncio.create_task(node.start(*self._rig))
        await asyncio.sleep(self._chance.uniform(0, 1))
        await node.kill()
        if await start:  # it was quicker
            await node.kill()
        if await node.start(*self._rig):
            await asyncio.sleep(self._chance.uniform(0, 0.2))
            await node.kill()
        self._done.kills += 2

    async def _stop(self, node: Node) -> None:
        """Beyond its leases, or not."""
        await asyncio.sleep(self._chance.uniform(0.2, 2))
        self._it.pauses.append(await node.pause(self._chance.uniform(0.3, 6)))
        self._done.stops += 1
        await asyncio.sleep(self._chance.uniform(0.2, 2))

    async def _others_suffer(self, until: float) -> None:
        """Partner, SMS centre and customer are killed and stopped too; started anew they must be told their manners."""
        chance = self._chance
        while (left := until - time.monotonic()) > 1:
            await asyncio.sleep(min(left, chance.uniform(2, 6)))
            one = chance.choice(self._it.companions)
            self._done.beside += 1
            if chance.random() < 0.5:
                self._it.pauses.append(await one.pause(chance.uniform(0.3, 3)))
            else:
                await one.kill()
                await asyncio.sleep(chance.uniform(0, 2))
                await one.start()
                await self._misbehave()


def _line(done: Round, history: History, setting: str) -> str:
    ledger, stored = history.ledger, history.stored
    fallbacks = sum(message.parent is not None for message in stored)
    repeats = len(history.taken) - len({take.mark for take in history.taken})
    return (
        f"seed {done.seed} {done.database}, {setting}: kills {done.kills}, stops {done.stops}, "
        f"beside {done.beside}, "
        f"fail-points {sum(done.fired.values())} ({len(done.fired)} of {len(FAIL_POINTS)}), "
        f"offered {len(ledger.offers)}, OK {len(ledger.ok)} and again {len(ledger.again)}, "
        f"refused {len(ledger.refused)}, unanswered {len(ledger.unanswered())}, taken twice {repeats}, "
        f"fallbacks {fallbacks}, callbacks {len(history.heard)}, "
        f"receipts {len(history.acknowledged)}, breaches {len(done.broken)}"
    )
