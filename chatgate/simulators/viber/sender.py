"""Sends callbacks.

Rules:
1. Callbacks of one message go out one after the other, in the order in which their events happened; the next one waits
   until the one before is acknowledged or dropped.
2. Callbacks of different messages go out side by side, at most ``IN_FLIGHT`` at once.
3. Only HTTP 200 acknowledges. Anything else is tried again by the retry schedule, then dropped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chatgate.simulators.viber.messages import Event, EventState
from chatgate.simulators.viber.schedule import Schedule

IN_FLIGHT = 64
OK = 200

Post = Callable[[str, bytes], Awaitable[int]]
"""Posts a body to a URL and returns the HTTP status, or 0 if there is no answer."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One callback as it goes out."""

    url: str
    body: bytes
    copies: int = 1


@dataclass(slots=True)
class _Job:
    event: Event
    attempts: int = 0
    tried: asyncio.Event = field(default_factory=asyncio.Event)


class CallbackSender:
    """``envelope`` is asked before every attempt; ``settle`` is told the end of every callback."""

    def __init__(
        self,
        *,
        post: Post,
        schedule: Schedule,
        retries: tuple[int, ...],
        envelope: Callable[[Event], Envelope],
        settle: Callable[[Event, EventState, str], None],
    ) -> None:
        self._post = post
        self._schedule = schedule
        self._retries = retries
        self._envelope = envelope
        self._settle = settle
        self._lanes: dict[str, deque[_Job]] = {}
        self._ready: deque[_Job] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, event: Event) -> asyncio.Event:
        """Send the callback of an event. The answer is set when its first attempt is over."""
        job = _Job(event)
        lane = self._lanes.setdefault(_lane_of(event), deque())
        lane.append(job)
        if len(lane) == 1:
            self._go(job)
        return job.tried

    async def quiet(self) -> bool:
        """Wait until nothing is on its way; return whether anything was."""
        busy = bool(self._tasks)
        while self._tasks:
            await asyncio.wait(self._tasks)
        return busy

    async def stop(self) -> None:
        """Give up what is on its way. It counts as not sent."""
        self._ready.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _go(self, job: _Job) -> None:
        self._ready.append(job)
        self._fill()

    def _fill(self) -> None:
        while self._ready and len(self._tasks) < IN_FLIGHT:
            task = asyncio.get_running_loop().create_task(self._attempt(self._ready.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._attempted)

    def _attempted(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._fill()

    async def _attempt(self, job: _Job) -> None:
        envelope = self._envelope(job.event)
        status = await self._post(envelope.url, envelope.body)
        for _ in range(envelope.copies - 1):
            await self._post(envelope.url, envelope.body)
        job.attempts += 1
        if status == OK:
            self._finish(job, EventState.ACKNOWLEDGED, "")
        elif job.attempts > len(self._retries):
            self._finish(job, EventState.DROPPED, f"no 200 in {job.attempts} attempts, last answer {status}")
        else:
            self._schedule.after(job.event.service_id, self._retries[job.attempts - 1], lambda: self._go(job))
        job.tried.set()

    def _finish(self, job: _Job, outcome: EventState, reason: str) -> None:
        self._settle(job.event, outcome, reason)
        lane = self._lanes[_lane_of(job.event)]
        lane.popleft()
        if lane:
            self._go(lane[0])
        else:
            del self._lanes[_lane_of(job.event)]


def _lane_of(event: Event) -> str:
    return event.token or f"event {event.id}"
