"""Real processes for tests that kill them: started, awaited, signalled; none outlives its test.

(``tests.e2e.sandbox`` is for tests that only speak to a sandbox.)
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]

PATIENCE = 30.0
"""Seconds after which a process that is waited for has failed."""


class Process:
    """One process that said where it serves."""

    def __init__(self, child: asyncio.subprocess.Process, log: Path) -> None:
        self._child = child
        self.log = log
        self.url = ""

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    @property
    def host(self) -> str:
        """Address and port, as they stand in a Host header."""
        return urlsplit(self.url).netloc

    @property
    def alive(self) -> bool:
        return self._child.returncode is None

    def resident_bytes(self) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))

    def send(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    async def ended(self, within: float = PATIENCE) -> int:
        """Return the exit status; minus a signal's number if one killed it."""
        async with asyncio.timeout(within):
            return await self._child.wait()

    async def kill(self) -> None:
        """SIGKILL: what it has not done by now, it never does."""
        with suppress(ProcessLookupError):
            self._child.kill()
        await self._child.wait()

    async def ready(self) -> None:
        """Wait for the ready line, whose last word is the URL."""
        assert await self.came_up(), f"it ended before it was ready: {self.log.read_text()[-2000:]}"

    async def came_up(self) -> bool:
        """Wait for the ready line; return whether it came, or the process ended instead."""
        assert self._child.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await self._child.stdout.readline()
        self.url = line.decode().split()[-1] if line else ""
        return bool(line)


class Processes:
    """All processes of a test. ``async with Processes(folder) as processes``; logs go to the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Process] = []

    async def __aenter__(self) -> Processes:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(process.kill() for process in self._started))

    async def start(self, module: str, *arguments: object, ready: bool = True, **settings: object) -> Process:
        """Run ``python -m module arguments…`` with settings in its environment; return it when it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHATGATE_")}
        environment |= {f"CHATGATE_{name.upper()}": str(value) for name, value in settings.items()}
        environment["PYTHONPATH"] = str(ROOT)
        log = self._folder / f"{len(self._started):02}-{module}.log"
        with log.open("wb") as errors:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, *map(str, arguments),
                stdout=asyncio.subprocess.PIPE, stderr=errors, env=environment, cwd=self._folder,
            )  # fmt: skip
        process = Process(child, log)
        self._started.append(process)
        if ready:
            await process.ready()
        return process


def free_port() -> int:
    """Return a port that a process may have again after it was killed: none that the system hands out by itself, nor
    another of the test runner's processes, which cannot see that it is taken while its owner is dead."""
    (port,) = free_ports(1)
    return port


def free_ports(count: int) -> list[int]:
    """Return different ones."""
    runner = int(os.environ.get("PYTEST_XDIST_WORKER", "gw9").removeprefix("gw")) % 10
    own = range(20_000 + 1000 * runner, 21_000 + 1000 * runner)
    free: list[int] = []
    for port in random.sample(own, len(own)):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            free.append(port)
        if len(free) == count:
            return free
    raise AssertionError("too few ports are free")
