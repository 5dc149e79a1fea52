"""A client's keep-alive connection with one request in flight: the load and the partner's receipts go over these."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from bench import framing

About = TypeVar("About")
"""What the owner wants to be told with the answer."""

Answered = Callable[["Connection[About]", bytes, About], None]


class Connection(asyncio.Protocol, Generic[About]):
    """Calls ``answered`` with each whole answer, ``lost`` when the peer went away or spoke something else."""

    def __init__(self, answered: Answered[About], lost: Callable[[], None]) -> None:
        self._answered = answered
        self._lost = lost
        self._rest = b""
        self._about: About
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes, about: About) -> None:
        self._about = about
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if framing.size_of_first(data) != len(data):
            self._rest = data
            return
        self._rest = b""
        self._answered(self, data, self._about)

    def connection_lost(self, _error: Exception | None) -> None:
        self._lost()

    def close(self) -> None:
        self._lost = _expected
        self._transport.close()


async def connect(
    host: str, port: int, count: int, answered: Answered[About], lost: Callable[[], None]
) -> list[Connection[About]]:
    """Open ``count`` connections."""
    loop = asyncio.get_running_loop()
    made = [loop.create_connection(lambda: Connection(answered, lost), host, port) for _ in range(count)]
    return [protocol for _, protocol in await asyncio.gather(*made)]


def _expected() -> None:
    """We closed it."""
