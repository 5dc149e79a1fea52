"""One session with an SMS centre: a connection, its PDUs, and which reply belongs to which request.

The connection carries frames of 16 octets of header (length, command, status, sequence number) and a body (SMPP 3.4,
3.2). Either side may ask; the other answers under the same sequence number. The codec of smpp34 writes submit_sm and
reads deliver_sm; what is left has almost no body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import cast

import msgspec
import smpp34

from chatgate.errors import ChatgateError
from chatgate.providers.smpp import statuses
from chatgate.providers.smpp.options import Options

# SMPP 3.4, 5.1.2.1.
RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
BIND_TRANSCEIVER = 0x00000009
ENQUIRE_LINK = 0x00000015
ALERT_NOTIFICATION = 0x00000102

VERSION = 0x34
UNKNOWN_COMMAND = 0x03
"""Status ESME_RINVCMDID."""
LAST_SEQUENCE = 0x7FFFFFFF
LARGEST_FRAME = 128 * 1024
"""Octets; more than a body with every optional parameter of the largest size in use. Beyond, the stream is not SMPP."""

_HEADER = Struct(">IIII")


class SessionEnded(ChatgateError):
    """The session is over; a request without reply may have arrived."""


class BindRefused(ChatgateError):
    """The centre does not let us in; the text is the name of its status."""


class Reply(msgspec.Struct, frozen=True):
    """The answer to a request."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The first field of the body: a message id, or who the centre says it is."""
        return self.body.partition(b"\0")[0].decode("latin-1")


Deliver = Callable[["Session", int, smpp34.DeliverSm], None]
"""Takes a deliver_sm and its sequence number; answers it by ``Session.acknowledge`` when it is done with it."""


class Session(asyncio.Protocol):
    """Use it as the protocol of a new connection, then ``bind``."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._sequence = 0
        self._open: dict[int, asyncio.Future[Reply]] = {}
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the connection is gone."""

    # --- asking -------------------------------------------------------------------------------------------------------

    async def bind(self, options: Options) -> None:
        """Bind as transceiver; raises BindRefused or SessionEnded."""
        texts = (options.system_id, options.password, options.system_type)
        body = b"".join(text.encode("ascii") + b"\0" for text in texts)
        reply = await self.request(BIND_TRANSCEIVER, body + bytes([VERSION, 0, 0, 0]))
        if reply.status != statuses.OK:
            raise BindRefused(statuses.meaning(reply.status)[0])

    async def request(self, command: int, body: bytes = b"") -> Reply:
        """Send a request and return its reply, whatever its status. Raises SessionEnded when none can come any more.

        It waits as long as the session lives. Who stops waiting (by cancellation) forgets a reply that comes later.
        """
        if self._transport is None or self._transport.is_closing():
            raise SessionEnded("the connection is closed")
        self._sequence = sequence = self._sequence % LAST_SEQUENCE + 1
        waiter: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._open[sequence] = waiter
        self._write(command, statuses.OK, sequence, body)
        try:
            return await waiter
        finally:
            self._open.pop(sequence, None)

    # --- answering ----------------------------------------------------------------------------------------------------

    def acknowledge(self, sequence: int, status: int) -> None:
        """Answer a deliver_sm. On a session that is over this does nothing, and the centre delivers again."""
        self._write(DELIVER_SM | RESPONSE, status, sequence, b"\0")

    # --- the connection -----------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether a request could be written now."""
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of that class

    def connection_lost(self, exc: Exception | None) -> None:
        for waiter in self._open.values():
            if not waiter.done():
                waiter.set_exception(SessionEnded("the connection was lost"))
        if not self.ended.done():
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= _HEADER.size:
            length, command, status, sequence = _HEADER.unpack_from(buffer, start)
            if not _HEADER.size <= length <= LARGEST_FRAME:
                self.close()
                return
            if len(buffer) - start < length:
                break
            self._read(command, status, sequence, bytes(buffer[start : start + length]))
            start += length
        del buffer[:start]

    def _read(self, command: int, status: int, sequence: int, frame: bytes) -> None:
        if command & RESPONSE:
            waiter = self._open.get(sequence)
            if waiter is not None and not waiter.done():
                waiter.set_result(Reply(status, frame[_HEADER.size :]))
        elif command == DELIVER_SM:
            self._read_deliver(sequence, frame)
        elif command == ENQUIRE_LINK:
            self._write(ENQUIRE_LINK | RESPONSE, statuses.OK, sequence)
        elif command == UNBIND:
            self._write(UNBIND | RESPONSE, statuses.OK, sequence)
            if self._transport is not None:
                self._transport.close()
        elif command != ALERT_NOTIFICATION:  # the one that is not answered
            self._write(GENERIC_NACK, UNKNOWN_COMMAND, sequence)

    def _read_deliver(self, sequence: int, frame: bytes) -> None:
        try:
            delivered = smpp34.decode(frame)
        except smpp34.SmppError:
            self.acknowledge(sequence, statuses.PERMANENT_ERROR)
            return
        assert isinstance(delivered, smpp34.DeliverSm)
        self._deliver(self, sequence, delivered)

    def _write(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_HEADER.pack(_HEADER.size + len(body), command, status, sequence) + body)
