"""The one HTTP client to the operator's own providers: time-outs, bounded replies, and what a failure proves.

Rule: a request that provably never left is told apart from one whose fate is unknown. Everything that is not provably
the former is the latter.
"""

from __future__ import annotations

from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import ConnectError, ConnectTimeoutError, PoolTimeoutError, PyreqwestError

from chatgate.errors import ChatgateError
from chatgate.wire import HttpRequest, HttpResponse

LARGEST_REPLY = 256 * 1024
"""Bytes read of a reply; a provider's answer is a few hundred."""


class NotSent(ChatgateError):
    """No byte of the request left: no connection could be made."""


class ReplyLost(ChatgateError):
    """The request may have arrived; no readable reply came back."""


class Outbound:
    """Keeps connections open to providers. Never follows redirects, never asks the environment for a proxy."""

    def __init__(self, *, connect_timeout: float, reply_timeout: float) -> None:
        """Time-outs in seconds; ``reply_timeout`` spans the whole request."""
        builder = ClientBuilder().follow_redirects(False).referer(False).no_proxy().http1_only()
        builder = builder.gzip(False).brotli(False).zstd(False).deflate(False).tcp_nodelay(True)
        builder = builder.connect_timeout(timedelta(seconds=connect_timeout)).timeout(timedelta(seconds=reply_timeout))
        builder = builder.pool_timeout(timedelta(seconds=connect_timeout)).pool_idle_timeout(timedelta(seconds=30))
        self._client: Client = builder.max_connections(None).user_agent("chatgate").build()

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send one request; raises NotSent or ReplyLost."""
        build = self._client.request(request.method, request.path).body_bytes(request.body)
        for name, value in request.headers.items():
            build = build.header(name, value)
        try:
            async with build.build_streamed() as response:
                body = await response.body_reader.read(LARGEST_REPLY + 1)
                whole = b"" if body is None else body.to_bytes()
                if len(whole) > LARGEST_REPLY:
                    raise ReplyLost("the reply is too large")
                headers = {name.lower(): value for name, value in response.headers.items()}
                return HttpResponse(status=response.status, headers=headers, body=whole)
        except (ConnectError, ConnectTimeoutError, PoolTimeoutError) as error:
            raise NotSent(type(error).__name__) from error
        except PyreqwestError as error:
            raise ReplyLost(type(error).__name__) from error

    async def close(self) -> None:
        await self._client.close()
