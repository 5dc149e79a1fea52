"""One connection to the centre: who is bound on it, which answer belongs to which request."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol, cast

from chatgate.simulators.journal import Batch
from chatgate.simulators.sms import pdus
from chatgate.simulators.sms.pdus import Bind, Malformed, Submit

NAME = "chatgate"
"""What the centre calls itself."""
LARGEST_FRAME = 128 * 1024
MOST_ANSWERS = 1000
"""Answers that may wait for the disk; beyond, a submit_sm is told that the queue is full."""
LAST_SEQUENCE = 0x7FFFFFFF

_BINDS = {pdus.BIND_RECEIVER, pdus.BIND_TRANSMITTER, pdus.BIND_TRANSCEIVER}


class Desk(Protocol):
    """What a session asks of the centre."""

    def admit(self, bind: Bind) -> int:
        """Return the status of the answer to a bind."""
        ...

    def bound(self, session: Session) -> None: ...

    def gone(self, session: Session) -> None: ...

    def submit(self, submit: Submit, system_id: str) -> tuple[int, str, Batch | None]:
        """Return status, message id, and what must be on disk before the answer."""
        ...


class Session(asyncio.Protocol):
    """The protocol of a connection."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._role = 0
        self._sequence = 0
        self._open: dict[int, asyncio.Future[int]] = {}
        self._answers: deque[tuple[Batch, int, str]] = deque()
        self._answering: asyncio.Task[None] | None = None
        self.system_id = ""
        """Who is bound; empty before."""

    @property
    def can_receive(self) -> bool:
        return self._role in (pdus.BIND_RECEIVER, pdus.BIND_TRANSCEIVER)

    async def deliver(self, body: bytes) -> int:
        """Send a deliver_sm and return the status of its answer; ``ConnectionError`` when none can come any more."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError
        self._sequence = sequence = self._sequence % LAST_SEQUENCE + 1
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._open[sequence] = waiter
        self._write(pdus.DELIVER_SM, pdus.OK, sequence, body)
        try:
            return await waiter
        finally:
            self._open.pop(sequence, None)

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of that class

    def connection_lost(self, exc: Exception | None) -> None:
        for waiter in self._open.values():
            if not waiter.done():
                waiter.set_exception(ConnectionError())
        self._desk.gone(self)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= pdus.HEADER.size:
            length, command, status, sequence = pdus.HEADER.unpack_from(buffer, start)
            if not pdus.HEADER.size <= length <= LARGEST_FRAME:
                self._write(pdus.GENERIC_NACK, pdus.BAD_COMMAND_LENGTH, sequence)
                self._end()
                return
            if len(buffer) - start < length:
                break
            self._read(command, status, sequence, bytes(buffer[start + pdus.HEADER.size : start + length]))
            start += length
        del buffer[:start]

    def _read(self, command: int, status: int, sequence: int, body: bytes) -> None:
        try:
            if command & pdus.RESPONSE:
                waiter = self._open.get(sequence)
                if waiter is not None and not waiter.done():
                    waiter.set_result(status)
            elif command in _BINDS:
                self._bind(command, sequence, pdus.read_bind(body))
            elif command == pdus.SUBMIT_SM:
                self._submit(sequence, body)
            elif command in (pdus.ENQUIRE_LINK, pdus.UNBIND):
                self._write(command | pdus.RESPONSE, pdus.OK, sequence)
                if command == pdus.UNBIND:
                    self._end()
            else:
                self._write(pdus.GENERIC_NACK, pdus.BAD_COMMAND, sequence)
        except Malformed:
            self._write(command | pdus.RESPONSE, pdus.BAD_COMMAND_LENGTH, sequence)

    def _bind(self, command: int, sequence: int, bind: Bind) -> None:
        status = pdus.ALREADY_BOUND if self._role else self._desk.admit(bind)
        answer = command | pdus.RESPONSE
        if status != pdus.OK:
            self._write(answer, status, sequence)
            return
        self._role, self.system_id = command, bind.system_id
        self._write(answer, pdus.OK, sequence, pdus.bind_answer(NAME))
        self._desk.bound(self)

    def _submit(self, sequence: int, body: bytes) -> None:
        answer = pdus.SUBMIT_SM | pdus.RESPONSE
        if self._role not in (pdus.BIND_TRANSMITTER, pdus.BIND_TRANSCEIVER):
            self._write(answer, pdus.NOT_BOUND, sequence)
            return
        if len(self._answers) >= MOST_ANSWERS:
            self._write(answer, pdus.QUEUE_FULL, sequence)
            return
        status, token, batch = self._desk.submit(pdus.read_submit(body), self.system_id)
        if batch is None:
            self._write(answer, status, sequence)
            return
        self._answers.append((batch, sequence, token))
        if self._answering is None:
            self._answering = asyncio.get_running_loop().create_task(self._answer())

    async def _answer(self) -> None:
        """Answer accepted submits in their order, each when it is on disk."""
        while self._answers:
            batch, sequence, token = self._answers[0]
            try:
                await batch.stored()
            except OSError:
                self._write(pdus.SUBMIT_SM | pdus.RESPONSE, pdus.SYSTEM_ERROR, sequence)
            else:
                self._write(pdus.SUBMIT_SM | pdus.RESPONSE, pdus.OK, sequence, pdus.c_string(token))
            self._answers.popleft()
        self._answering = None

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _write(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(pdus.frame(command, status, sequence, body))
