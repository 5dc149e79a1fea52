"""A centre on a clock moved by hand, and somebody who speaks SMPP to it.

The submit_sm that he writes and the deliver_sm that he reads go through the codec of smpp34, which is not the centre's.
"""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from random import Random
from typing import Any

import smpp34

from chatgate.clock import HandClock
from chatgate.simulators.sms.centre import SmsCentre
from chatgate.simulators.sms.submission import Timing

NUMBER = "380501234500"
TIMING = Timing(delivery=(500, 500), retry=20, reply=200)

BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x01, 0x02, 0x09
SUBMIT, DELIVER, UNBIND, ENQUIRE = 0x04, 0x05, 0x06, 0x15
ANSWER = 0x80000000
PATIENCE = 20.0


class Stage:
    """The centre and its clock."""

    def __init__(self, journal: Path | None = None, **settings: Any) -> None:
        self.clock: HandClock = settings.pop("clock", None) or HandClock()
        self.centre = SmsCentre(
            clock=self.clock,
            journal=journal,
            random=Random(settings.pop("seed", 1)),
            timing=settings.pop("timing", TIMING),
            **settings,
        )

    async def __aenter__(self) -> Stage:
        await self.centre.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.centre.stop()

    async def connect(self) -> Esme:
        """Return a connection that is not bound."""
        return Esme(*await asyncio.open_connection("127.0.0.1", self.centre.port))

    async def bind(self, system_id: str = "me", command: int = BIND_TRANSCEIVER) -> Esme:
        esme = await self.connect()
        assert (await esme.bind(system_id, command=command))[0] == 0
        return esme

    async def pass_time(self, milliseconds: int) -> None:
        """Let the clock move, stopping wherever something is due."""
        end = self.clock.now() + milliseconds
        await self.centre.run_due()
        while (due := self.centre.next_due()) is not None and due <= end:
            self.clock.set(max(due, self.clock.now()))
            await self.centre.run_due()
        self.clock.set(end)


class Esme:
    """Whoever sends. Acknowledges receipts with ``acknowledge``, or not at all when that is None."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sequence = 0
        self._answers: dict[int, asyncio.Future[tuple[int, int, bytes]]] = {}
        self._reading = asyncio.create_task(self._read())
        self.acknowledge: int | None = 0
        self.receipts: list[smpp34.DeliverSm] = []
        self.nacks: list[int] = []
        """Status of each generic_nack to nothing that was asked."""
        self.closed = asyncio.Event()

    async def ask(self, command: int, body: bytes = b"") -> tuple[int, int, bytes]:
        """Send a request; return command, status and body of its answer."""
        self._sequence += 1
        answer: asyncio.Future[tuple[int, int, bytes]] = asyncio.get_running_loop().create_future()
        self._answers[self._sequence] = answer
        self.write(command, 0, self._sequence, body)
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def bind(
        self, system_id: str = "me", password: str = "", *, command: int = BIND_TRANSCEIVER
    ) -> tuple[int, bytes]:
        body = f"{system_id}\0{password}\0\0".encode() + b"\x34\0\0\0"
        answered, status, answer = await self.ask(command, body)
        assert answered == command | ANSWER
        return status, answer

    async def submit(
        self,
        text: bytes | str = b"Hello",
        to: str = NUMBER,
        sender: str = "Shop",
        *,
        registered_delivery: int = 1,
        **own: Any,
    ) -> tuple[int, str]:
        """Send a submit_sm; return status and message id."""
        said = text.encode() if isinstance(text, str) else text
        submit = smpp34.SubmitSm(sender, to, said, registered_delivery=registered_delivery, **own)
        command, status, body = await self.ask(SUBMIT, submit.encode()[16:])
        assert command == SUBMIT | ANSWER
        return status, body.removesuffix(b"\0").decode()

    def write(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self.write_bytes(struct.pack(">IIII", 16 + len(body), command, status, sequence) + body)

    def write_bytes(self, data: bytes) -> None:
        self._writer.write(data)

    async def until_receipts(self, count: int) -> list[smpp34.DeliverSm]:
        """Return the receipts once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while len(self.receipts) < count:
                await asyncio.sleep(0.002)
        return self.receipts

    async def hang_up(self) -> None:
        """End the connection and return when the centre has ended it too."""
        self._writer.write_eof()
        await self._reading

    async def _read(self) -> None:
        try:
            while True:
                head = await self._reader.readexactly(16)
                length, command, status, sequence = struct.unpack(">IIII", head)
                self._take(command, status, sequence, head + await self._reader.readexactly(length - 16))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._writer.close()
            self.closed.set()

    def _take(self, command: int, status: int, sequence: int, frame: bytes) -> None:
        if command == DELIVER:
            receipt = smpp34.decode(frame)
            assert isinstance(receipt, smpp34.DeliverSm)
            self.receipts.append(receipt)
            if self.acknowledge is not None:
                self.write(DELIVER | ANSWER, self.acknowledge, sequence, b"\0")
        elif sequence in self._answers:
            self._answers.pop(sequence).set_result((command, status, frame[16:]))
        else:
            self.nacks.append(status)
