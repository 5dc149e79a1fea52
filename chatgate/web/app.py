"""The ASGI edge: which path leads where, and ASGI turned into plain values and back.

=====================================  ==========================================================
``/`` GET, POST                        the RPC API, any Host
``/receipts/{provider}/{secret}``      receipts and replies of providers
``/meta/v1/…``                         what the API is, for programs
``/healthz`` ``/readyz`` ``/metrics``  liveness, readiness, Prometheus
what the composition adds              the sandbox's routes; later the console
=====================================  ==========================================================

Everything else, and every wrong method, is refused in the envelope of the API: an SDK that reads HTML fails without a
reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

import msgspec
import structlog

from chatgate import ids
from chatgate.errors import (
    BODY_TOO_LARGE,
    INTERNAL_ERROR,
    PATH_NOT_FOUND,
    UNSUPPORTED_METHOD,
    ApiError,
    StoreUnavailable,
)
from chatgate.gateway.chain import Gateway
from chatgate.protocol import response
from chatgate.protocol.request import Format
from chatgate.receipts.intake import Intake
from chatgate.telemetry import Metrics
from chatgate.web.metadata.pages import Metadata
from chatgate.web.proxies import TrustedProxies
from chatgate.web.whole import WHOLE, Whole
from chatgate.wire import HttpRequest, HttpResponse, join_headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 1 << 20

log = structlog.get_logger(__name__)


REST = "…"
"""At the end of a path: whatever follows."""


class Own(NamedTuple):
    """A route of the node itself."""

    path: str
    methods: tuple[str, ...]
    answer: Callable[[HttpRequest], Awaitable[HttpResponse | ApiError]]


class App:
    """The application as a value: everything that it needs is handed in."""

    def __init__(
        self,
        *,
        gateway: Gateway | None,
        intake: Intake,
        proxies: TrustedProxies,
        metadata: Metadata,
        metrics: Metrics,
        ready: Callable[[], Awaitable[None]],
        mounts: Mapping[str, AsgiApp],
    ) -> None:
        """``gateway`` is None on a node that only works. ``mounts``: first path segment to application."""
        self._gateway = gateway
        self._intake = intake
        self._proxies = proxies
        self._metadata = metadata
        self._metrics = metrics
        self._ready = ready
        self.mounts = mounts
        """By the first segment of their paths."""
        self.own: Mapping[str, Own] = {
            "receipts": Own("/receipts/{provider}/{secret}", ("GET", "POST"), self._receipt),
            "meta": Own(f"/meta/{REST}", ("GET", "HEAD"), self._page),
            **{name: Own(f"/{name}", ("GET", "HEAD"), self._health) for name in ("healthz", "readyz", "metrics")},
        }
        """The other routes, by the first segment of their paths."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/" and self._gateway is not None:
            await self._api(self._gateway, scope, receive, send)  # it never raises
        else:
            await self._guarded(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._dispatch(scope, receive, sending)
        except Exception:  # a fault of ours, in the envelope as everything else
            log.exception("request.failed")
            if not began:
                await _answer(scope, self._refusal(scope, join_headers(scope["headers"]), ApiError(INTERNAL_ERROR)))

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        segment = path.partition("/")[2].partition("/")[0]  # empty for "*" too
        mount = self.mounts.get(segment)
        if mount is not None:
            await mount(scope, receive, send)
        else:
            await self._own(segment, scope, receive, send)

    async def _api(self, gateway: Gateway, scope: Scope, receive: Receive, send: Send) -> None:
        headers = join_headers(scope["headers"])
        request = await self._read(scope, headers, ("GET", "POST"), receive)
        if isinstance(request, ApiError):
            await _answer(scope, self._refusal(scope, headers, request))
            return
        await _answer(scope, await gateway.answer(request))

    async def _read(
        self, scope: Scope, headers: dict[str, str], methods: tuple[str, ...], receive: Receive
    ) -> HttpRequest | ApiError:
        """Return the request as a plain value, or why there is none."""
        if scope["method"] not in methods:
            return ApiError(UNSUPPORTED_METHOD, headers={"allow": ", ".join(methods)})
        body = await _body(receive)
        return ApiError(BODY_TOO_LARGE) if body is None else self._request(scope, headers, body)

    def _refusal(self, scope: Scope, headers: dict[str, str], error: ApiError) -> HttpResponse:
        """Return a refusal in the API's envelope for a request that is no API call."""
        host, secure = headers.get("host", response.NAMELESS), self._request(scope, headers, b"").secure
        return response.failure(Format.JSON, ids.request_id(), host, error, secure=secure)

    def _request(self, scope: Scope, headers: dict[str, str], body: bytes) -> HttpRequest:
        client = scope["client"]
        peer, secure = self._proxies.resolve(client[0] if client else "", headers, scope["scheme"] == "https")
        query: bytes = scope["query_string"]
        return HttpRequest(
            method=scope["method"], path=scope["path"], query=query.decode("latin-1"), headers=headers, body=body,
            peer=peer, secure=secure,
        )  # fmt: skip

    async def _own(self, segment: str, scope: Scope, receive: Receive, send: Send) -> None:
        path, headers = scope["path"], join_headers(scope["headers"])
        own = self.own.get(segment)
        answer: HttpResponse | ApiError = ApiError(PATH_NOT_FOUND)
        if own is not None and (own.path.endswith(REST) or own.path.count("/") == path.count("/")):
            request = await self._read(scope, headers, own.methods, receive)
            answer = request if isinstance(request, ApiError) else await own.answer(request)
        await _answer(scope, self._refusal(scope, headers, answer) if isinstance(answer, ApiError) else answer)

    async def _receipt(self, request: HttpRequest) -> HttpResponse:
        _, _, provider, secret = request.path.split("/")
        return await self._intake.take(provider, secret, request)

    async def _page(self, request: HttpRequest) -> HttpResponse | ApiError:
        return self._metadata.answer(request)

    async def _health(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/metrics":
            return HttpResponse(
                status=200,
                headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"},
                body=self._metrics.page(),
            )
        if request.path == "/readyz":
            try:
                await self._ready()
            except StoreUnavailable as error:
                return json_answer(503, {"status": "unavailable", "reason": str(error)})
        return json_answer(200, {"status": "ok"})


def json_answer(status: int, value: object) -> HttpResponse:
    return HttpResponse(
        status=status, headers={"content-type": "application/json;charset=utf-8"}, body=msgspec.json.encode(value)
    )


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body; None when it is larger than ``LARGEST_BODY``, or the peer left before its end."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= LARGEST_BODY else None
    chunks, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None  # half a body means nothing; whatever is answered goes nowhere
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > LARGEST_BODY:
            return None
    return b"".join(chunks)


async def _answer(scope: Scope, answer: HttpResponse) -> None:
    send: Whole = scope["extensions"][WHOLE]["send"]
    await send(answer)
