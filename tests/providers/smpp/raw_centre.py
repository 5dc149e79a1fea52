"""A centre that does with each PDU what the test says; by default it takes everything."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass

BIND, SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x09, 0x04, 0x05, 0x06, 0x15
ANSWER = 0x80000000


@dataclass(frozen=True)
class Pdu:
    command: int
    status: int
    sequence: int
    body: bytes


class Line:
    """The centre's end of a connection."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    def answer(self, pdu: Pdu, status: int = 0, body: bytes = b"") -> None:
        self.write(pdu.command | ANSWER, status, pdu.sequence, body)

    def write(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self.write_bytes(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)

    def write_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    def cut(self) -> None:
        """End the connection without a word."""
        self._writer.transport.abort()


Do = Callable[[Line, Pdu], None]


def accept(line: Line, pdu: Pdu) -> None:
    line.answer(pdu, body=b"id%d\0" % pdu.sequence if pdu.command == SUBMIT else b"centre\0")


def stay_silent(line: Line, pdu: Pdu) -> None:
    """Do nothing."""


def refuse(status: int) -> Do:
    return lambda line, pdu: line.answer(pdu, status)


class RawCentre:
    """``on[command]`` is what is done with a PDU; ``got`` are those that came, ``lines`` the connections."""

    def __init__(self, tls: ssl.SSLContext | None = None, **on: Do) -> None:
        self.on = {BIND: accept, SUBMIT: accept, UNBIND: accept, ENQUIRE: accept} | {
            {"bind": BIND, "submit": SUBMIT, "enquire": ENQUIRE, "unbind": UNBIND}[name]: do for name, do in on.items()
        }
        self.got: list[Pdu] = []
        self.lines: list[Line] = []
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> RawCentre:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for line in self.lines:
            line.cut()

    def all(self, command: int) -> list[Pdu]:
        return [pdu for pdu in self.got if pdu.command == command]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(writer)
        self.lines.append(line)
        try:
            while True:
                length, command, status, sequence = struct.unpack(">IIII", await reader.readexactly(16))
                pdu = Pdu(command, status, sequence, await reader.readexactly(length - 16))
                self.got.append(pdu)
                self.on.get(command, stay_silent)(line, pdu)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
