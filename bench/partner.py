"""A partner that costs next to nothing: accepts every message, and says a moment later that it was delivered and read.

It prints its ports as one line of JSON when it listens. Requests:

* ``POST``: a message; answered ``{"status":0,"message_token":…}``
* ``PUT``: the body is the address for receipts
* ``GET``: what was seen, as JSON (``Seen``)

Receipts go out over ``CONNECTIONS`` keep-alive connections: their number bounds how many wait for one commit.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections import deque
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import msgspec
import uvloop

from bench import framing
from bench.bell import Ringer
from bench.connection import Connection, connect

HOST = "127.0.0.1"
CONNECTIONS = 64

DELIVERED_AFTER = READ_AFTER = 0.05
"""Seconds. Long enough for the gateway to commit the reply first, as with a real phone at the other end."""
_DELIVERED, _READ = 0, 1

_FIRST_TOKEN = 5_000_000_000_000_000_000
"""Tokens have 19 digits."""


class Ports(msgspec.Struct, frozen=True):
    port: int
    bell: int


class Seen(msgspec.Struct, kw_only=True):
    sends: int = 0
    receipts: int = 0
    """Acknowledged ones."""
    refused: list[str] = []
    """Answers to receipts that were not 200."""


class _Send(msgspec.Struct):
    service_id: int
    dest: str


class _Receipt(NamedTuple):
    send: _Send
    token: int
    status: int


class Partner:
    """Messages in, receipts out."""

    def __init__(self, ringer: Ringer) -> None:
        self.seen = Seen(refused=[])
        self._ringer = ringer
        self._loop = asyncio.get_running_loop()
        self._decode = msgspec.json.Decoder(_Send).decode
        self._idle: deque[Connection[_Receipt]] = deque()
        self._waiting: deque[_Receipt] = deque()
        self._path = self._host = ""

    async def report_to(self, url: str) -> None:
        """Take the address for receipts and connect to it."""
        address = urlsplit(url)
        self._path, self._host = address.path, address.netloc
        opened = await connect(HOST, address.port or 80, CONNECTIONS, self._acknowledged, self._gone)
        self._idle = deque(opened)

    def take(self, body: bytes) -> bytes:
        """Accept a message; return the reply."""
        send = self._decode(body)
        token = _FIRST_TOKEN + self.seen.sends
        self.seen.sends += 1
        self._loop.call_later(DELIVERED_AFTER, self._post, _Receipt(send, token, _DELIVERED))
        return b'{"status":0,"message_token":%d}' % token

    def _post(self, receipt: _Receipt) -> None:
        if not self._idle:
            self._waiting.append(receipt)
            return
        self._idle.popleft().send(self._request(receipt), receipt)

    def _request(self, receipt: _Receipt) -> bytes:
        send, now = receipt.send, time.time_ns() // 1_000_000
        body = (
            f'{{"message_token":{receipt.token},"message_status":{receipt.status},"message_time":{now},'
            f'"phone_number":"{send.dest}","service_id":{send.service_id}}}'
        ).encode()
        return framing.request("POST", self._path, self._host, body)

    def _acknowledged(self, connection: Connection[_Receipt], answer: bytes, receipt: _Receipt) -> None:
        if not answer.startswith(b"HTTP/1.1 200 "):
            self.seen.refused.append(answer.decode("utf-8", "replace"))
        self.seen.receipts += 1
        if receipt.status == _DELIVERED:
            self._loop.call_later(READ_AFTER, self._post, receipt._replace(status=_READ))
        else:
            self._ringer.ring()
        if self._waiting:
            following = self._waiting.popleft()
            connection.send(self._request(following), following)
        else:
            self._idle.append(connection)

    def _gone(self) -> None:
        """The gateway was stopped."""
        self._idle.clear()


class _Door(asyncio.Protocol):
    """One connection of the gateway, or of the bench."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self._rest = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        while size := framing.size_of_first(data):
            self._take(data[:size])
            data = data[size:]
        self._rest = data

    def _take(self, request: bytes) -> None:
        body = framing.body_of(request)
        if request.startswith(b"POST"):
            self._transport.write(framing.answer(self._partner.take(body)))
        elif request.startswith(b"PUT"):
            task = asyncio.create_task(self._partner.report_to(body.decode()))
            self._tasks.add(task)
            task.add_done_callback(lambda _: self._transport.write(framing.answer(b"{}")))
        else:
            self._transport.write(framing.answer(msgspec.json.encode(self._partner.seen)))


async def serve() -> None:
    loop = asyncio.get_running_loop()
    ringer = Ringer()
    partner = Partner(ringer)
    door = await loop.create_server(lambda: _Door(partner), HOST, 0)
    bell = await loop.create_server(lambda: ringer, HOST, 0)
    gc.freeze()
    gc.disable()
    ports = Ports(door.sockets[0].getsockname()[1], bell.sockets[0].getsockname()[1])
    sys.stdout.buffer.write(msgspec.json.encode(ports) + b"\n")
    sys.stdout.buffer.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
