"""Start and stop of the HTTP server, inside a running loop.

Of uvicorn this takes the configuration, the shared state and the protocol, but not ``uvicorn.Server``: that one owns
signals, ends the process when it cannot bind, and wakes ten times a second. Here the runtime owns signals, an address
that cannot be had is a ``SettingError``, and the only timer is the sweep that ticks every connection.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from chatgate.errors import SettingError
from chatgate.web.bounded import BoundedProtocol
from chatgate.web.farewell import Farewell
from chatgate.web.unfinished import Unfinished

RECEIVE_SECONDS = 10.0
IDLE_SECONDS = 75.0
"""Longer than the pools of the official SDKs keep a connection, so that the client is the one who closes."""
BACKLOG = 2048

_RECEIVE_TICKS = 10
"""The receive deadline is met to a tenth of itself."""
_DRAIN_STEP = 0.005
_TLS_GOODBYE_SECONDS = 2.0
"""Clients that keep an idle connection in a pool do not answer when it is closed."""


class Server:
    """Serves an ASGI application over HTTP/1.1, or HTTPS when certificate and key are given.

    ``port`` 0 takes a free port. ``drain_seconds``: how long ``stop`` lets calls in flight finish. ``receive_seconds``:
    for a whole request, from its first byte to its last. ``idle_seconds``: between requests.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        drain_seconds: float = 30.0,
        receive_seconds: float = RECEIVE_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.port = port
        """The port that is listened on, once started."""
        self._host = host
        self._tls = (tls_cert, tls_key)
        self._drain_seconds = drain_seconds
        self._interval = receive_seconds / _RECEIVE_TICKS
        self._idle_ticks = math.ceil(idle_seconds / self._interval)
        self._config = _config(app)
        self._state = ServerState()
        self._connections = cast("set[BoundedProtocol | Farewell]", self._state.connections)
        self._unfinished = Unfinished()
        self._listener: asyncio.AbstractServer | None = None
        self._sweep_timer: asyncio.TimerHandle | None = None

    @property
    def url(self) -> str:
        """Where this machine reaches the server, such as ``http://127.0.0.1:8080``."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)
        return f"{'https' if self._tls[0] else 'http'}://{f'[{host}]' if ':' in host else host}:{self.port}"

    async def start(self) -> None:
        """Bind and accept. Raises ``SettingError`` when the address or the TLS files cannot be used."""
        loop = asyncio.get_running_loop()
        context = _tls_context(*self._tls)
        try:
            listener = await loop.create_server(
                lambda: BoundedProtocol(self._config, self._state, {}, loop, unfinished=self._unfinished),
                self._host,
                self.port,
                ssl=context,
                ssl_handshake_timeout=self._interval * _RECEIVE_TICKS if context else None,
                ssl_shutdown_timeout=_TLS_GOODBYE_SECONDS if context else None,
                backlog=BACKLOG,
            )
        except (OSError, OverflowError) as error:
            raise SettingError(
                f"Cannot listen on {self._host} port {self.port}: {_because(error)}. "
                "Choose an address of this machine and a port that nothing else uses."
            ) from error
        self._listener = listener
        self.port = listener.sockets[0].getsockname()[1]
        self._sweep()

    async def stop(self) -> None:
        """Accept no more, close idle connections, let calls finish for ``drain_seconds``, cut off the rest."""
        if self._listener is None:
            return
        self._listener.close()
        self._listener = None
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._drain_seconds
        await asyncio.sleep(_DRAIN_STEP)  # to read what has arrived already; else it would be lost with its connection
        while self._connections:
            for connection in tuple(self._connections):
                connection.shutdown()
            if loop.time() >= deadline:
                break
            await asyncio.sleep(_DRAIN_STEP)
        if self._connections or self._state.tasks:
            await self._cut_off()
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()

    async def _cut_off(self) -> None:
        """Drop connections before their calls, so that a cancelled call does not answer."""
        for connection in tuple(self._connections):
            connection.transport.abort()
        await asyncio.sleep(_DRAIN_STEP)
        tasks = tuple(self._state.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1)

    def _sweep(self) -> None:
        self._sweep_timer = asyncio.get_running_loop().call_later(self._interval, self._sweep)
        for connection in tuple(self._connections):
            connection.tick(_RECEIVE_TICKS, self._idle_ticks)


def _config(app: ASGIApp) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    config.load()
    return config


def _tls_context(cert: str | None, key: str | None) -> ssl.SSLContext | None:
    if not cert and not key:
        return None
    if not cert or not key:
        raise SettingError("TLS needs both a certificate file and a key file; only one of them is set.")
    for path, what in ((cert, "certificate"), (key, "key")):
        try:
            with open(path, "rb"):
                pass
        except OSError as error:
            raise SettingError(f"The TLS {what} file {path} cannot be read: {_because(error)}.") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, password="")  # a key under a passphrase fails instead of asking a terminal
    except (ssl.SSLError, ValueError) as error:
        raise SettingError(
            f"The TLS certificate {cert} and key {key} cannot be used: {_because(error)}. "
            "Both must be PEM, without a passphrase, and belong to each other."
        ) from error
    return context


def _because(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
