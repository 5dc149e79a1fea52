"""A node as the process: event loop, signals, the ready line, the exit status."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Protocol

import structlog
import uvloop

log = structlog.get_logger(__name__)

SECOND_SIGNAL_GRACE = 2.0
"""Seconds that stopping may still take after a second signal. Nothing is lost: leases bring open work back."""


class Service(Protocol):
    url: str

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


def run(build: Callable[[Callable[[str], None]], Service], banner: Callable[[str], str] | None = None) -> int:
    """Run a service until SIGTERM or SIGINT; return the exit status.

    ``build`` is given what to call when the process must end (a failing disk). Once it serves, one line is printed to
    stdout, ``chatgate ready URL``; what people want to read goes to stderr.
    """
    return uvloop.run(_run(build, banner))


async def _run(build: Callable[[Callable[[str], None]], Service], banner: Callable[[str], str] | None) -> int:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    fatal: list[str] = []

    def on_fatal(reason: str) -> None:
        log.critical("process.fatal", reason=reason)
        fatal.append(reason)
        ended.set()

    def on_signal(number: signal.Signals) -> None:
        if ended.is_set():
            loop.call_later(SECOND_SIGNAL_GRACE, os._exit, 128 + number)
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    service = build(on_fatal)
    await service.start()
    print(f"chatgate ready {service.url}", flush=True)
    if banner is not None:
        print(banner(service.url), file=sys.stderr, flush=True)
    await ended.wait()
    await service.stop()
    return 1 if fatal else 0
