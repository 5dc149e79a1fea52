from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from aiohttp.abc import ResolveResult

from chatgate.callbacks.names import Names


async def test_a_name() -> None:
    names = Names()
    found = await names.resolve("localhost", 80, socket.AF_INET)
    assert [(one["hostname"], one["host"], one["port"]) for one in found] == [("localhost", "127.0.0.1", 80)]
    await names.close()


@pytest.mark.parametrize("host", ["", "a" * 64, "a..b", "a b"])
async def test_no_name(host: str) -> None:
    names = Names()
    with pytest.raises((OSError, ValueError)):
        await names.resolve(host, 80)
    await names.close()


async def test_names_that_are_not_answered_hold_up_no_other() -> None:
    """More of them than the loop has threads of its own."""
    answer, hung = threading.Event(), threading.Semaphore(0)

    def look_up(host: str, port: int, family: int) -> list[ResolveResult]:
        if host == "hangs":
            hung.release()
            assert answer.wait(10)
        return []

    names = Names(look_up)
    hanging = [asyncio.create_task(names.resolve("hangs")) for _ in range(100)]
    await asyncio.to_thread(lambda: [hung.acquire(timeout=10) for _ in hanging])
    assert await asyncio.wait_for(names.resolve("healthy"), 10) == []
    assert not any(task.done() for task in hanging)
    answer.set()
    await asyncio.gather(*hanging)
    await names.close()
