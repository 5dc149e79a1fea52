"""A provider and its session, for tests of what happens between them and a centre."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from chatgate.clock import HandClock
from chatgate.domain.message import Outcome
from chatgate.domain.receipt import News, Receipt
from chatgate.errors import StoreUnavailable
from chatgate.outbound import Outbound
from chatgate.providers.base import ProviderSettings
from chatgate.providers.smpp import options
from chatgate.providers.smpp.provider import Smpp
from tests.providers.short_message import NOW, short_message

PATIENCE = 20.0
"""Seconds after which what is waited for has failed; nothing is asserted to be this quick."""

CLOCK = HandClock(NOW)


class Store:
    """Takes receipts as the intake does; ``failures`` of the first times it cannot."""

    def __init__(self, failures: int = 0, error: type[Exception] = StoreUnavailable) -> None:
        self.taken: list[Receipt] = []
        self.failures = failures
        self.open = asyncio.Event()
        """Cleared: a commit takes for ever."""
        self.open.set()
        self._error = error

    async def take(self, news: Sequence[News]) -> None:
        await self.open.wait()
        if self.failures:
            self.failures -= 1
            raise self._error("not now")
        for one in news:
            assert isinstance(one, Receipt)  # what phones write over a session is acknowledged only
            self.taken.append(one)


async def until(condition: Callable[[], object]) -> None:
    """Return when a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


def provider(
    port: int, *, scheme: str = "smpp", max_in_flight: int = 64, reply_timeout: float = 10, **own: Any
) -> Smpp:
    """Return a provider that is not opened; ``own`` are its options."""
    settings = ProviderSettings(
        kind="smpp",
        url=f"{scheme}://127.0.0.1:{port}",
        receipts_secret="unused",
        max_in_flight=max_in_flight,
        reply_timeout=reply_timeout,
        options={"system_id": "gate", "password": "secret"} | own,
    )
    outbound = Outbound(connect_timeout=1, reply_timeout=1)
    return Smpp("sms", settings, options.read("sms", settings), outbound, clock=CLOCK, jitter=lambda: 0.0)


@asynccontextmanager
async def bound(port: int, store: Store | None = None, **settings: Any) -> AsyncIterator[Smpp]:
    """Open a provider, wait until it is bound, close it at the end."""
    opened = provider(port, **settings)
    await opened.open((store or Store()).take)
    try:
        await until_bound(opened)
        yield opened
    finally:
        await opened.close()


async def until_bound(opened: Smpp) -> None:
    """Return when a message is not deferred for want of a session. What is sent has no address that anybody accepts."""
    async with asyncio.timeout(PATIENCE):
        while (await opened.send(short_message(to="72"), NOW)).outcome is Outcome.DEFERRED:
            await asyncio.sleep(0.005)


async def until_said(opened: Smpp, cause: str) -> None:
    """Return when a message is deferred for a cause that the provider names."""
    async with asyncio.timeout(PATIENCE):
        while cause not in (result := await opened.send(short_message(), NOW)).reason:
            await asyncio.sleep(0.005)
    assert (result.outcome, result.code) == (Outcome.DEFERRED, "NotBound")
