"""Runs an ASGI application on a listener of its own, inside a running event loop.

To the scope of every request it adds the extension ``viber.reset``, whose function ``reset`` resets the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BACKLOG = 2048
KEEP_ALIVE = 75
"""Seconds. Longer than clients keep a connection, so that none is closed under a request by accident."""
GRACE = 1
"""Seconds for answers on their way when it stops."""

RESET_EXTENSION = "viber.reset"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Server:
    """A running server."""

    def __init__(self, server: _Embedded, listener: socket.socket, task: asyncio.Task[None]) -> None:
        self._server = server
        self._task = task
        self.host: str
        self.port: int
        self.host, self.port = listener.getsockname()[:2]

    @classmethod
    async def start(cls, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Server:
        """Listen and serve. Port 0 takes a free one. ``OSError`` if the address cannot be had."""
        listener = _listen(host, port)
        server = _Embedded(
            uvicorn.Config(
                app,
                http=_ResettableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
            )
        )
        task = asyncio.create_task(server.serve(sockets=[listener]))
        running = cls(server, listener, task)
        listening = asyncio.create_task(server.listening.wait())
        await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            listening.cancel()
            await task
        return running

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def stop(self) -> None:
        """Stop listening; requests that are not answered within the grace are cancelled."""
        self._server.should_exit = True
        await self._task


def _listen(host: str, port: int) -> socket.socket:
    # With the protocol named, or asyncio leaves Nagle's algorithm on: 40 ms an answer.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


class _Embedded(uvicorn.Server):
    """uvicorn as a guest: signals stay with the host, and it says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class _ResettableProtocol(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {RESET_EXTENSION: {"reset": self._reset}}

    def _reset(self) -> None:
        if self.transport.is_closing():
            return
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.transport.abort()
