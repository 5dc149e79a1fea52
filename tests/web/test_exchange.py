"""What an application receives, whole and in pieces; and that it hears when the peer leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chatgate.web.app import Receive, Scope, Send
from chatgate.web.server import Server
from tests.web.raw_http import CHUNKED, PATIENCE, POST


class Listener:
    """Notes what it receives, up to the peer's leaving; it never answers."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, bytes, bool]] = asyncio.Queue()

    async def __call__(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while True:
            message = await receive()
            self.heard.put_nowait((message["type"], message.get("body", b""), message.get("more_body", False)))
            if message["type"] == "http.disconnect":
                return

    async def next(self) -> tuple[str, bytes, bool]:
        return await asyncio.wait_for(self.heard.get(), PATIENCE)


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def connect(listener: Listener) -> AsyncIterator[Callable[[], Awaitable[asyncio.StreamWriter]]]:
    server = Server(listener, drain_seconds=0.1)
    await server.start()

    async def connect() -> asyncio.StreamWriter:
        return (await asyncio.open_connection("127.0.0.1", server.port))[1]

    yield connect
    await server.stop()


Connect = Callable[[], Awaitable[asyncio.StreamWriter]]


@pytest.mark.parametrize(
    ("sent", "body"), [(POST + b"\r\n", b""), (POST + b"Content-Length: 3\r\n\r\nabc", b"abc")], ids=["empty", "body"]
)
async def test_whole_and_then_nothing_until_the_peer_leaves(
    listener: Listener, connect: Connect, sent: bytes, body: bytes
) -> None:
    peer = await connect()
    peer.write(sent)
    assert await listener.next() == ("http.request", body, False)
    await asyncio.sleep(0.05)
    assert listener.heard.empty()
    peer.close()
    assert await listener.next() == ("http.disconnect", b"", False)


async def test_in_pieces(listener: Listener, connect: Connect) -> None:
    peer = await connect()
    peer.write(CHUNKED + b"3\r\nabc\r\n")
    assert await listener.next() == ("http.request", b"abc", True)
    peer.write(b"2\r\nde\r\n")
    assert await listener.next() == ("http.request", b"de", True)
    peer.write(b"0\r\n\r\n")
    assert await listener.next() == ("http.request", b"", False)
    peer.close()
    assert await listener.next() == ("http.disconnect", b"", False)


async def test_the_peer_leaves_in_the_middle(listener: Listener, connect: Connect) -> None:
    peer = await connect()
    peer.write(CHUNKED + b"3\r\nabc\r\n")
    assert await listener.next() == ("http.request", b"abc", True)
    peer.close()
    assert await listener.next() == ("http.disconnect", b"", False)


async def test_goes_on_when_the_peer_waits_for_it(listener: Listener, connect: Connect) -> None:
    peer = await connect()
    peer.write(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    await asyncio.sleep(0.05)
    assert listener.heard.empty()
    peer.write(b"abc")
    assert await listener.next() == ("http.request", b"abc", False)
