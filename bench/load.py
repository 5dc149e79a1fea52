"""The two loops that send calls: closed (as fast as answers come) and open (at fixed times, whatever comes back)."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence

from bench import framing
from bench.bell import Bell
from bench.connection import Connection, connect

_OK = b'"Code":"OK"'
_FAULTS_KEPT = 3


class Load:
    """What both loops share: counting answers, and the faults among them."""

    def __init__(self) -> None:
        self.accepted = 0
        self.open = 0
        """Calls without an answer yet."""
        self.faults: list[str] = []
        self._done = asyncio.Event()
        self._stopped = False
        self._connections: list[Connection[float]] = []
        self._idle: deque[Connection[float]] = deque()

    async def start(self, host: str, port: int, connections: int) -> None:
        self._connections = await connect(host, port, connections, self._answered, self._lost)
        self._idle.extend(self._connections)
        self._begin()

    async def for_seconds(self, seconds: float) -> None:
        """Return after so long, or when there is nothing left to send."""
        try:
            await asyncio.wait_for(self._done.wait(), seconds)
        except TimeoutError:
            return

    def stop(self) -> None:
        """Send no more."""
        self._stopped = True

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def _begin(self) -> None:
        raise NotImplementedError

    def _answered(self, connection: Connection[float], answer: bytes, about: float) -> None:
        raise NotImplementedError

    def _judge(self, answer: bytes) -> None:
        self.open -= 1
        if answer.startswith(b"HTTP/1.1 200 ") and _OK in answer:
            self.accepted += 1
        else:
            self._fault(f"not OK: {framing.body_of(answer).decode('utf-8', 'replace')}")

    def _lost(self) -> None:
        self._fault("a connection was lost")

    def _fault(self, sentence: str) -> None:
        if len(self.faults) < _FAULTS_KEPT:
            self.faults.append(sentence)
        self._stopped = True
        self._done.set()


class ClosedLoop(Load):
    """A connection sends its next call when its last was answered; with ``most_open``, when a cycle has room."""

    def __init__(self, signed: Sequence[bytes], *, again: bool, most_open: int, bell: Bell | None) -> None:
        super().__init__()
        self._calls: Iterator[bytes] = itertools.cycle(signed) if again else iter(signed)
        self._bell = bell
        self._most_open = most_open if bell is not None else 0
        if bell is not None:
            bell.on_ring = self._pump

    def _begin(self) -> None:
        self._pump()

    def _answered(self, connection: Connection[float], answer: bytes, about: float) -> None:
        self._judge(answer)
        self._idle.append(connection)
        self._pump()

    def _pump(self) -> None:
        while self._idle and not self._stopped and self._has_room():
            call = next(self._calls, None)
            if call is None:
                self.stop()
                self._done.set()
                return
            self.open += 1
            self._idle.popleft().send(call, 0.0)

    def _has_room(self) -> bool:
        if not self._most_open or self._bell is None:
            return True
        return self.open + self.accepted - self._bell.rung < self._most_open


class OpenLoop(Load):
    """Calls leave at fixed times. One that finds no idle connection waits for one; its clock runs already."""

    def __init__(self, signed: Sequence[bytes], *, rate: int) -> None:
        super().__init__()
        self._calls = iter(signed)
        self._count = len(signed)
        self._rate = rate
        self._waiting: deque[float] = deque()
        self._finished: list[tuple[float, float]] = []
        self.lateness: list[float] = []

    def latencies(self, begin: float, end: float) -> list[float]:
        """Return finish minus intended time of the calls that were meant to leave inside a window."""
        return [finish - meant for meant, finish in self._finished if begin <= meant < end]

    def _begin(self) -> None:
        pace = (asyncio.get_running_loop(), time.perf_counter() + 0.01)
        threading.Thread(target=self._pace, args=pace, daemon=True).start()

    def _pace(self, loop: asyncio.AbstractEventLoop, start: float) -> None:
        """Wake the loop at each intended time; a thread, because the loop's own timers count in milliseconds."""
        for number in range(self._count):
            meant = start + number / self._rate
            time.sleep(max(meant - time.perf_counter(), 0))
            if self._stopped:
                return
            loop.call_soon_threadsafe(self._due, meant)

    def _due(self, meant: float) -> None:
        if self._stopped:
            return
        self.lateness.append(time.perf_counter() - meant)
        self._waiting.append(meant)
        self._pump()

    def _answered(self, connection: Connection[float], answer: bytes, about: float) -> None:
        self._finished.append((about, time.perf_counter()))
        self._judge(answer)
        self._idle.append(connection)
        self._pump()

    def _pump(self) -> None:
        while self._idle and self._waiting:
            call = next(self._calls)
            self.open += 1
            self._idle.popleft().send(call, self._waiting.popleft())
