"""The crash loop: load, SIGKILL at the moment of an OK, start again over what is left; then everything is compared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

from tests.e2e.caller import Caller
from tests.e2e.processes import Process

MOST_ANSWERS = 250
"""OKs of one life, at most: a life of a second at most, at 300 calls a second."""


async def crash(start: Callable[[], Awaitable[Process]], caller: Caller, random: Random, kills: int) -> None:
    """Kill what ``start`` starts, ``kills`` times, each after some number of OKs; some while they still recover."""
    for _ in range(kills):
        node = await start()
        async with caller.load(node.url):
            await caller.answered(random.choice((1, random.randint(1, MOST_ANSWERS))))
            await node.kill()
