"""The one HTTP client to the operator's own providers: time-outs, bounded replies, and what a failure proves.

Rule: a request that provably never left is told apart from one whose fate is unknown. Everything that is not provably
the former is the latter.
"""

from __future__ import annotations

from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError

from chatgate.errors import ChatgateError
from chatgate.wire import HttpRequest, HttpResponse

LARGEST_REPLY = 256 * 1024
"""Bytes read of a reply; a provider's answer is a few hundred."""

NO_CONNECTION = "client error (Connect)"
"""The link in an error's chain of causes that proves that no connection was made. The error's class proves nothing: a
reply that does not come, and a connection that is closed after the request, are a ``ConnectError`` too."""


class NotSent(ChatgateError):
    """No byte of the request left: no connection could be made."""


class ReplyLost(ChatgateError):
    """The request may have arrived; no readable reply came back."""


class Outbound:
    """Keeps connections open to providers. Never follows redirects, never asks the environment for a proxy."""

    def __init__(self, *, connect_timeout: float, reply_timeout: float) -> None:
        """Time-outs in seconds; ``reply_timeout`` spans the whole request, so to connect takes at most half of it."""
        connect_timeout = min(connect_timeout, reply_timeout / 2)
        builder = ClientBuilder().follow_redirects(False).referer(False).no_proxy().http1_only()
        builder = builder.gzip(False).brotli(False).zstd(False).deflate(False).tcp_nodelay(True)
        builder = builder.connect_timeout(timedelta(seconds=connect_timeout)).timeout(timedelta(seconds=reply_timeout))
        builder = builder.pool_idle_timeout(timedelta(seconds=30))
        self._client: Client = builder.max_connections(None).user_agent("chatgate").build()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request; raises NotSent or ReplyLost."""
        try:
            build = self._client.request(request.method, request.path).body_bytes(request.body)
            for name, value in request.headers.items():
                build = build.header(name, value)
        except ValueError as error:
            raise NotSent(f"the request cannot be written: {error}") from error
        try:
            async with build.build_streamed() as response:
                body = await response.body_reader.read(LARGEST_REPLY + 1)
                whole = b"" if body is None else body.to_bytes()
                if len(whole) > LARGEST_REPLY:
                    raise ReplyLost("the reply is too large")
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpResponse(status=response.status, headers=headers, body=whole)
        except PyreqwestError as error:
            causes = _causes(error)
            if NO_CONNECTION in causes:
                raise NotSent(causes[-1]) from error
            raise ReplyLost("too late" if isinstance(error, TimeoutError) else "broken off or not HTTP") from error

    async def close(self) -> None:
        await self._client.close()


def _causes(error: PyreqwestError) -> list[str]:
    """Return the chain of causes in words, the outermost first."""
    causes = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
    return [cause["message"] for cause in causes or ()]
