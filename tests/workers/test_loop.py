"""Background work goes on whatever happens to one round of it."""

from __future__ import annotations

import asyncio

from chatgate.errors import StoreUnavailable
from chatgate.workers.loop import Loop


async def test_it_goes_on_after_failures() -> None:
    rounds: list[int] = []
    third = asyncio.Event()

    async def work() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise StoreUnavailable("away")
        if len(rounds) == 2:
            raise ValueError("poison")
        third.set()

    loop = Loop("work", work, 0.001, lambda: 0.5)
    loop.start()
    await asyncio.wait_for(third.wait(), 10)
    await loop.stop()
    told = len(rounds)
    await asyncio.sleep(0.02)
    assert len(rounds) == told


async def test_stop_interrupts_what_is_under_way() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    loop = Loop("work", work, 0.001, lambda: 0.5)
    loop.start()
    await begun.wait()
    await loop.stop()
    assert ended.is_set()


async def test_stop_without_a_start() -> None:
    await Loop("work", asyncio.Event().wait, 1, lambda: 0.5).stop()
