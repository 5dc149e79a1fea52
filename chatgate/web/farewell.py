"""The last words on a connection: an error that is found before there is a request.

The answer is the gateway's error envelope in JSON, because official SDKs fail on a body that is none. It is written in
the voice of HTTP/1.1 with ``Connection: close``. Then the connection lingers: a socket that is closed while the peer
still sends is reset, and the reset can overtake the answer. So only our half is closed (TLS has no halves), and what
the peer still sends is thrown away, up to ``LINGER_BYTES`` and for ``LINGER_SECONDS``. RFC 9112, 9.6.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from chatgate import ids
from chatgate.errors import ApiError
from chatgate.protocol import response
from chatgate.protocol.request import Format
from chatgate.web.whole import written

LINGER_SECONDS = 5.0
LINGER_BYTES = 64 << 20
"""Well above what the two kernels hold for one connection (about 8 MB on loopback): a peer that was not scheduled for a
moment would find the reset before the answer."""


class Farewell(asyncio.Protocol):
    """Takes a transport over, answers, and closes it once the peer has had the chance to read.

    ``connections``: the server's set of open connections; the farewell is in it until the transport is closed.
    """

    def __init__(self, transport: asyncio.Transport, connections: set[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.transport = transport
        self._connections = connections
        self._left = LINGER_BYTES
        self._loop = loop
        self._deadline = loop.call_later(LINGER_SECONDS, self._end)
        connections.add(self)
        transport.set_protocol(self)

    def say(self, error: ApiError, scheme: str, host: str) -> None:
        """Send the refusal; ``scheme`` and ``host`` are those by which the peer called us."""
        answer = response.failure(Format.JSON, ids.request_id(), host, error, secure=scheme == "https")
        self.transport.write(written(answer, close=True))
        if self.transport.can_write_eof():
            with suppress(OSError):  # the peer may be gone
                self.transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._connections.discard(self)

    def _end(self) -> None:
        self.transport.close()
        self._deadline = self._loop.call_later(LINGER_SECONDS, self.transport.abort)

    def shutdown(self) -> None:
        """Nothing to hasten: the answer is on its way and the time is bounded."""

    def tick(self, receive_ticks: int, idle_ticks: int) -> None:
        """Nothing to watch: the farewell has its own deadline."""
