"""Host names of customers' endpoints, looked up in threads of their own.

A name server that does not answer holds a thread for many seconds. The loop's own few threads would soon be full, and
nobody could be called any more.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 128
"""Names that are looked up at one time; a thread is made when it is needed."""

LookUp = Callable[[str, int, int], list[ResolveResult]]
"""Returns the addresses of a host name for a port and a family; may block."""


class Names(AbstractResolver):
    """Looks names up, as the system does unless told otherwise."""

    def __init__(self, look_up: LookUp | None = None) -> None:
        self._look_up = look_up or _system
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises OSError when there are none."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._look_up, host, port, family)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _system(host: str, port: int, family: int) -> list[ResolveResult]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
    return [
        ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=_NUMERIC)
        for kind, _, protocol, _, address in found
    ]


_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
