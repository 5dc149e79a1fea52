"""An application that tells what reached it, and a peer that speaks bytes; for the tests of the edge."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from chatgate.web.app import Receive, Scope, Send
from chatgate.web.server import Server
from chatgate.web.whole import WHOLE
from chatgate.wire import HttpResponse

PATIENCE = 10.0
"""Seconds after which a test that waits for the server has failed."""

# Requests that are begun: they want an empty line, or a body.
GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Echo:
    """Answers every call with what it saw.

    Until ``gate`` is set, ``/wait`` holds its answer and ``/hold`` its reading; ``/unread`` answers without reading.
    """

    whole = False
    """Whether it answers in one write, as the gateway does; else as any ASGI application."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.disconnects = 0
        self.gate = asyncio.Event()
        self._called: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        self.calls.append(path)
        self._called[path].set()
        if path == "/hold":
            await self.gate.wait()
        body = b"" if path == "/unread" else await self._body(receive)
        if body is None:
            self.disconnects += 1
        if path == "/wait":
            await self.gate.wait()
        seen = {
            "method": scope["method"],
            "path": path,
            "query": scope["query_string"].decode(),
            "version": scope["http_version"],
            "scheme": scope["scheme"],
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "body": (body or b"").decode("latin-1"),
        }
        answer = HttpResponse(status=200, headers={"content-type": "application/json"}, body=json.dumps(seen).encode())
        await (scope["extensions"][WHOLE]["send"](answer) if self.whole else _answer(send, answer))

    async def called(self, path: str) -> None:
        """Wait until a call of this path has begun."""
        async with asyncio.timeout(PATIENCE):
            await self._called[path].wait()

    @staticmethod
    async def _body(receive: Receive) -> bytes | None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += bytes(message["body"])
            if not message["more_body"]:
                return body


async def _answer(send: Send, answer: HttpResponse) -> None:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Peer:
    """One connection, as the client sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes, *, piece: int = 1 << 30) -> None:
        """Send in pieces, each of which the server gets to read by itself."""
        for start in range(0, len(data), piece):
            self.writer.write(data[start : start + piece])
            await self.writer.drain()
            if piece < len(data):
                await asyncio.sleep(0)

    async def send_until_reset(self, data: bytes) -> None:
        """Send, and fail if all of it is taken."""
        with pytest.raises(ConnectionError):
            await self.send(data, piece=1 << 20)

    async def reply(self) -> Reply:
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.split("\r\n")[1:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(int(head.split(" ", 2)[1]), headers, body)

    async def rest(self) -> bytes:
        """Return what comes until the server closes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()


@dataclass(frozen=True, slots=True)
class Edge:
    """A server on a free port, with the echo behind it."""

    server: Server
    app: Echo = field(default_factory=Echo)

    @asynccontextmanager
    async def peer(self, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.server.port, ssl=tls, server_hostname="localhost" if tls else None, limit=1 << 22
        )
        try:
            yield Peer(reader, writer)
        finally:
            writer.transport.abort()

    async def ask(self, data: bytes, *, piece: int = 1 << 30) -> Reply:
        """Send bytes on a connection of their own and return the first reply."""
        async with self.peer() as peer:
            await peer.send(data, piece=piece)
            return await peer.reply()


@asynccontextmanager
async def edge(**settings: Any) -> AsyncIterator[Edge]:
    """Run a server for the length of a test. Calls that wait are let go at its end."""
    app = Echo()
    server = Server(app, **{"drain_seconds": 1.0, **settings})
    await server.start()
    try:
        yield Edge(server, app)
    finally:
        app.gate.set()
        await server.stop()


UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def check_refusal(reply: Reply, status: int, code: str) -> None:
    """Check that a reply is the error envelope, whole and well-formed."""
    assert (reply.status, reply.json["Code"]) == (status, code)
    assert set(reply.json) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert UUID.fullmatch(reply.json["RequestId"])
    assert reply.json["Message"].endswith(".")
    assert reply.headers["content-type"] == "application/json;charset=utf-8"
    assert reply.headers["connection"].lower() == "close"
