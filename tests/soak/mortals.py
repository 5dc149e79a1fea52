"""The processes of a run that die, or stand still, and come back at their port: chatgate's nodes and those beside."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tests.e2e.installation import Installation
from tests.e2e.processes import Process
from tests.soak.ledger import Pause


class Mortal:
    """One of them."""

    def __init__(self) -> None:
        self._process: Process | None = None

    async def kill(self) -> None:
        if self._process is not None:
            await self._process.kill()

    async def pause(self, seconds: float) -> Pause:
        """Let it stand still, unless it is dead."""
        begin = time.time_ns() // 1_000_000
        with suppress(ProcessLookupError):
            self._send(signal.SIGSTOP)
            await asyncio.sleep(seconds)
            self._send(signal.SIGCONT)
        return Pause(begin, time.time_ns() // 1_000_000)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send(number)


class Companion(Mortal):
    """A process beside chatgate."""

    def __init__(self, begin: Callable[[], Awaitable[Process]]) -> None:
        super().__init__()
        self._begin = begin

    async def start(self) -> Process:
        self._process = await self._begin()
        return self._process


class Node(Mortal):
    """One ``serve``."""

    def __init__(self, installation: Installation, folder: Path, port: int) -> None:
        super().__init__()
        self._installation = installation
        self._deaths = folder / "fail-points"
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    async def start(self, *rig: object, die: tuple[str, int] | None = None) -> bool:
        """Start it with options of the rig, and a passage of a fail-point; return whether it came to serve."""
        order = () if die is None else ("--die", f"{die[0]}:{die[1]}:{self._deaths}")
        program = ("tests.soak.rigged", "--hasty", *rig, *order)
        self._process = await self._installation.begin(self.port, program=program)
        return await self._process.came_up()

    async def dies(self, within: float) -> bool:
        """Return whether it ends by itself."""
        assert self._process is not None
        try:
            await self._process.ended(within)
        except TimeoutError:
            return False
        return True

    def died_at(self) -> list[str]:
        """Return the fail-points that fired so far, at any node."""
        return self._deaths.read_text().splitlines() if self._deaths.exists() else []
