"""The one loop that background work shares: do, sleep with jitter, survive the database being away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from chatgate.errors import StoreUnavailable

log = structlog.get_logger(__name__)


class Loop:
    """Runs ``work`` every ``seconds``, spread by a tenth, until stopped. What it raises is logged, not fatal."""

    def __init__(
        self, name: str, work: Callable[[], Awaitable[object]], seconds: float, jitter: Callable[[], float]
    ) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._jitter = jitter
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._work()
            except StoreUnavailable as error:
                log.warning("loop.store_unavailable", worker=self._name, error=str(error))
            except Exception:
                log.exception("loop.failed", worker=self._name)
            await asyncio.sleep(self._seconds * (0.95 + 0.1 * self._jitter()))
