"""HTTP with bounds: what a peer may send, how much of it and for how long.

uvicorn's httptools protocol has no limit of its own. This subclass adds, while the bytes arrive:

* request target at most ``TARGET_BYTES`` (414), header lines at most ``HEADER_BYTES`` and ``HEADERS`` of them (431),
  body at most ``BODY_BYTES`` (413), the whole request within the server's receive deadline (408), all that is not whole
  together within ``unfinished`` (503);
* what RFC 9112 asks and httptools leaves open: exactly one ``Host`` (3.2), absolute-form targets (3.2.2), no transfer
  coding but ``chunked`` (6.1); and RFC 9110: trailers are dropped (6.5.1), an offer to upgrade is declined (7.8);
* requests that wait on one connection are bounded, and answered in their order; so is a refusal.

Whatever is refused gets the API's error envelope (``farewell``) and the connection is closed. The common request, whole
in one read, costs one comparison; deadlines are counted in ticks of the server's sweep, not by timers.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from chatgate import errors
from chatgate.errors import ApiError
from chatgate.web.exchange import Exchange
from chatgate.web.farewell import Farewell
from chatgate.web.unfinished import Unfinished
from chatgate.web.whole import WHOLE, written
from chatgate.wire import HttpResponse

TARGET_BYTES = 1 << 20
HEADER_BYTES = 32 << 10
"""Of all header lines together, each with its ``: `` and CRLF."""
HEADERS = 100
BODY_BYTES = 1 << 20
WAITING_REQUESTS = 100
"""Pipelined requests that wait behind the one being answered."""

_PIECE = 8 << 10
"""The parser is fed at most this much at once, so that a header is cut off at most this far beyond its limit."""
_SLASH = ord("/")
_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)([/?#].*)?", re.IGNORECASE | re.DOTALL)
_WATCHED = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect", b"upgrade"))


class BoundedProtocol(HttpToolsProtocol):
    """One connection. The server calls ``tick`` at a steady pace, and ``shutdown`` when it stops."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        unfinished: Unfinished,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._unfinished = unfinished
        self._extensions: dict[str, dict[object, object]] = {WHOLE: {"send": self._answer}}
        self.cycle: Exchange
        self._answered: Exchange
        """The cycle that runs. In its scope it would be a ring of references, for the collector."""
        self.refusal: ApiError | None = None
        """To be answered when the requests before it have been."""
        self.age = 0
        """Ticks since the connection came to wait for its peer."""
        self.received = 0
        """Bytes of pieces in which the request that arrives was not yet whole; 0 when none is on its way."""
        self.body_received = 0
        self.host: bytes | None = None
        self.upgrade = False
        self.whole: object = None
        """The scope of the last request that arrived whole; ``scope`` is another one while a request arrives."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport, self)

    # --- bytes ---------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if len(data) <= _PIECE:
            self._take(data)
            return
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            if not self._take(view[start : start + _PIECE]):
                return

    def _take(self, piece: bytes | memoryview) -> bool:
        """Parse a piece of what arrived; False when the connection takes no more."""
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserError as error:
            self._refuse(_refusal_of(error))
            return False
        except httptools.HttpParserUpgrade as upgrade:
            rest = piece[upgrade.args[0] :]
        else:
            return self.scope is self.whole or self._take_part(len(piece))
        return self._decline_upgrade(rest)

    def _take_part(self, size: int) -> bool:
        """Count a piece at whose end the request was not whole."""
        if not self.received:
            self.age = 0
        self.received += size
        self._unfinished.add(self.give_up, size)
        if self.parser is None or self.refusal is not None:  # it was this one that had to go
            return False
        if self._body_arrives():  # and bytes that are neither head nor body: chunk framing and trailers
            if self.received - self.body_received > TARGET_BYTES + HEADER_BYTES + BODY_BYTES:
                self._refuse(ApiError(errors.BODY_TOO_LARGE))
                return False
        # The first piece may begin with the end of another request, and the request line is counted too.
        elif self.received - len(self.url) > HEADER_BYTES + _PIECE or len(self.headers) > HEADERS:
            self._refuse(ApiError(errors.HEADERS_TOO_LARGE))
            return False
        return True

    def _body_arrives(self) -> bool:
        return self.cycle is not None and self.cycle.scope is self.scope and self.whole is not self.scope

    def _decline_upgrade(self, rest: bytes | memoryview) -> bool:
        """Read a request again without its ``Upgrade``: the parser takes what follows for the other protocol."""
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.host = None
        self.upgrade = False
        return self._take(b"\r\n".join([*lines, b"", b""])) and (not rest or self._take(rest))

    # --- what the parser reports -----------------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        if not self.url:
            self.url = url
            return
        if isinstance(self.url, bytes):
            self.url = cast(bytes, bytearray(self.url))  # grows in place, however small the pieces are
        self.url += url
        if len(self.url) > TARGET_BYTES:
            raise ApiError(errors.URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _WATCHED and self.headers is not _TRAILERS:
            self._watch(name, value)
        self.headers.append((name, value))

    def _watch(self, name: bytes, value: bytes) -> None:
        if name == b"host":
            if self.host is not None:
                raise ApiError(errors.BAD_REQUEST, "The request has more than one Host header.")
            self.host = value
        elif name == b"content-length":
            if int(value) > BODY_BYTES:
                raise ApiError(errors.BODY_TOO_LARGE)
        elif name == b"transfer-encoding":
            if value.strip().lower() != b"chunked":
                raise ApiError(errors.BAD_REQUEST, "The only transfer coding that is understood is chunked.")
        elif name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        else:
            self.upgrade = True

    def on_headers_complete(self) -> None:
        if self.received or len(self.headers) > HEADERS:
            self._check_headers()
        version = self.parser.get_http_version()
        if self.host is None and version != "1.0":
            raise ApiError(errors.BAD_REQUEST, "The request has no Host header.")
        if self.upgrade:
            self.upgrade = self.parser.should_upgrade()
            if self.upgrade:
                return
        if self.pipeline and len(self.pipeline) >= WAITING_REQUESTS:
            raise ApiError(errors.SERVICE_UNAVAILABLE, "Too many requests wait on this connection.")
        self._begin(version)
        self.headers = _TRAILERS
        self.body_received = 0

    def _begin(self, version: str) -> None:
        """Begin to answer a request, or let it wait behind the one that is being answered."""
        url, scope = bytes(self.url), self.scope
        raw_path, _, query = (url if url[0] == _SLASH else self._origin_form(url)).partition(b"#")[0].partition(b"?")
        path = raw_path.decode("ascii")
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = raw_path
        scope["query_string"] = query
        scope["extensions"] = self._extensions
        before = self.cycle
        cycle = self.cycle = Exchange(
            self, scope, keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            expects_continue=self.expect_100_continue,
        )  # fmt: skip
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _check_headers(self) -> None:
        """Measure headers that came in several pieces: fewer cannot exceed the limit."""
        if len(self.headers) > HEADERS:
            raise ApiError(errors.HEADERS_TOO_LARGE, f"The request has more than {HEADERS} headers.")
        if sum(len(name) + len(value) + 4 for name, value in self.headers) > HEADER_BYTES:
            raise ApiError(errors.HEADERS_TOO_LARGE)

    def _origin_form(self, target: bytes) -> bytes:
        """Return path and query of a target in absolute form, or ``*``."""
        if self.parser.get_method() == b"CONNECT":
            raise ApiError(errors.UNSUPPORTED_METHOD, headers={"allow": "GET, POST"})
        if absolute := _ABSOLUTE.fullmatch(target):
            authority, target = absolute[1], absolute[2] or b"/"
            self.headers[:] = [(name, authority if name == b"host" else value) for name, value in self.headers]
            return target if target[0] == _SLASH else b"/" + target
        if target != b"*":
            raise ApiError(errors.BAD_REQUEST, "The request target is neither a path nor an http URL.")
        return target

    def on_body(self, body: bytes) -> None:
        self.body_received += len(body)
        if self.body_received > BODY_BYTES:
            raise ApiError(errors.BODY_TOO_LARGE)
        self.cycle.take(body)

    def on_message_complete(self) -> None:
        if self.upgrade:
            return
        self.whole = self.scope
        if self.received:
            self._unfinished.forget(self.give_up)
            self.received = 0
        self.age = 0
        self.host = None
        self.cycle.end()

    # --- answers ---------------------------------------------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cast(Exchange, cycle)
        super()._start_asgi_task(cycle, app)

    async def _answer(self, answer: HttpResponse) -> None:
        """Send a whole answer; takes the place of a cycle's two ``send``."""
        cycle = self._answered
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if cycle.disconnected:
            return
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.wake()
        self.transport.write(written(answer, close=not cycle.keep_alive, bodiless=cycle.scope["method"] == "HEAD"))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def on_response_complete(self) -> None:
        """Go on with the request that waits, with the refusal, or with reading; ``tick`` watches the idle time."""
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.refusal is not None:
            self._part(self.refusal)
            return
        self.flow.resume_reading()

    def _refuse(self, error: ApiError) -> None:
        """Answer the request that arrives with an error, behind those before it, and end the connection."""
        cycle = self.cycle
        busy = cycle is not None and not cycle.response_complete
        if self._body_arrives():
            if cycle.response_started:
                self.transport.close()
                return
            cycle.disconnected = True  # whatever the application still says goes nowhere
            cycle.waiting_for_100_continue = False
            cycle.wake()
            busy = bool(self.pipeline)
            if busy:
                self.pipeline.popleft()
        if busy:
            self.refusal = error
            self.flow.pause_reading()
        else:
            self._part(error)

    def give_up(self) -> None:
        """Make room for others."""
        self._refuse(ApiError(errors.SERVICE_UNAVAILABLE, "Too much is on its way at once; send it again."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._unfinished.forget(self.give_up)
        super().connection_lost(exc)

    def _part(self, error: ApiError) -> None:
        self._unfinished.forget(self.give_up)
        if self.transport.is_closing():
            return
        host = self.host.decode("latin-1") if self.host else "{}:{}".format(*(self.server or ("", "")))
        self.connections.discard(self)
        self.flow.resume_writing()
        farewell = Farewell(self.transport, self.connections, self.loop)
        if self.flow.read_paused:
            self.transport.resume_reading()
        farewell.say(error, self.scheme or "http", host)
        self.parser = None  # type: ignore[assignment]
        self.url, self.headers = b"", []  # connection and flow are a cycle: they wait for the collector

    # --- time ------------------------------------------------------------------------------------------------------

    def tick(self, receive_ticks: int, idle_ticks: int) -> None:
        """Count a tick of waiting for the peer: for the rest of a request, for its reading, or for another request."""
        self.age += 1
        if self.transport.is_closing() or self.flow.write_paused:
            if self.age > idle_ticks:
                self.transport.abort()
        elif self.received and not self.flow.read_paused:
            if self.age > receive_ticks:
                self._refuse(ApiError(errors.RECEIVE_TIMEOUT))
        elif self.cycle is None or self.cycle.response_complete:
            if self.age > idle_ticks:
                self.transport.close()
        else:
            self.age = 0  # the application is at work; that time is not the peer's

    def shutdown(self) -> None:
        """Close when idle, or after the answers to what has arrived; refuse what has only begun to arrive."""
        if self.received and (self.cycle is None or self.cycle.response_complete):
            self._refuse(ApiError(errors.SERVICE_UNAVAILABLE))
        else:
            super().shutdown()


class _Flow(FlowControl):
    """Reads on only when nothing waits behind the request that is being answered."""

    def __init__(self, transport: asyncio.Transport, connection: BoundedProtocol) -> None:
        super().__init__(transport)
        self._connection = connection

    def resume_reading(self) -> None:
        if self.read_paused and not self._connection.pipeline and self._connection.refusal is None:
            super().resume_reading()


class _Dropped(list[tuple[bytes, bytes]]):
    """Takes the header lines that come after a body, and forgets them."""

    def append(self, _header: tuple[bytes, bytes], /) -> None:
        pass


_TRAILERS = _Dropped()


def _refusal_of(error: httptools.HttpParserError) -> ApiError:
    """Return the refusal that one of our callbacks raised, or what the parser says; a fault of ours is raised."""
    cause = error.__context__
    if isinstance(cause, ApiError):
        return cause
    if cause is None:
        return ApiError(errors.BAD_REQUEST, f"{errors.BAD_REQUEST.message.rstrip('.')}: {error}.")
    if isinstance(cause, ValueError | httptools.HttpParserError):
        return ApiError(errors.BAD_REQUEST)
    raise cause
