"""The simulated SMS centre: what a test, the sandbox or the command ``chatgate simulate sms`` holds in its hands.

Anybody who binds is let in, under any system_id; where a password is configured, with it. What was accepted, and what
is still to be told, is in the journal and survives a kill. Which numbers were throttled once does not.

Every sender has a time of its own: the clock's, plus what ``advance`` added. All instants it shows are in that time;
``next_due`` is in the clock's, so that the difference to the clock is what to advance by.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Collection
from pathlib import Path
from random import Random

from chatgate.clock import Clock, Instant
from chatgate.simulators.journal import Batch, Journal
from chatgate.simulators.sms import pdus, phone, submission
from chatgate.simulators.sms.pdus import Bind, Submit
from chatgate.simulators.sms.phone import PhoneMessage
from chatgate.simulators.sms.receipts import Receipts
from chatgate.simulators.sms.records import DECODER, Part, PartAccepted, PartDone, ReceiptSettled, Record, TimeAdvanced
from chatgate.simulators.sms.schedule import Schedule
from chatgate.simulators.sms.session import Session
from chatgate.simulators.sms.submission import Timing
from chatgate.simulators.sms.world import KEEP_PARTS, World

COMPACT_ABOVE = 100_000
"""Records in the journal; above, it is rewritten at start if that halves it."""
RECENT = 1000
"""Submits kept for those who look."""
DEFAULT_TIMING = Timing()


class SmsCentre:
    """Start it before anything else is asked of it."""

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Path | None,
        random: Random,
        timing: Timing = DEFAULT_TIMING,
        password: str | None = None,
        compact_above: int = COMPACT_ABOVE,
        keep_parts: int = KEEP_PARTS,
    ) -> None:
        """``journal=None`` keeps everything in memory. ``password=None`` lets everybody in."""
        self._clock = clock
        self._random = random
        self._timing = timing
        self._password = password
        self._compact_above = compact_above
        self._world = World(keep_parts)
        self._journal = Journal(journal, DECODER)
        self._schedule = Schedule(clock, self._world.ahead, self._done)
        self._receipts = Receipts(timing, self._told)
        self._throttled: set[str] = set()
        self._sessions: set[Session] = set()
        self._requests: deque[Submit] = deque(maxlen=RECENT)
        self._server: asyncio.Server | None = None
        self.port = 0

    # --- running ------------------------------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Read the journal, take up what it left undone, and listen. Port 0 takes a free one.

        ``JournalError`` if the journal cannot be read, ``OSError`` if the address cannot be had.
        """
        records = self._journal.open()
        for record in records:
            self._world.apply(record)
        if len(records) > self._compact_above:
            live = list(self._world.records())
            if len(live) <= len(records) // 2:
                self._journal.compact(live)
        for part in self._world.parts.values():
            if part.settled:
                continue
            if part.done_at is None:
                self._schedule.put(part)
            else:
                self._receipts.tell(part)
        self._schedule.start()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._server = await asyncio.get_running_loop().create_server(self._connected, host, port, family=family)
        except OSError:
            await self.stop()
            raise
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop at once, without unbinding. Receipts that are not acknowledged are told after the next start."""
        self._schedule.stop()
        if self._server is not None:
            self._server.close()
        await self._receipts.stop()
        for session in self._sessions:
            session.close()
        await self._journal.close()

    # --- looking and moving -------------------------------------------------------------------------------------------

    def inbox(self, sender_ids: Collection[str] | None, number: str) -> list[PhoneMessage]:
        """Return what arrived on a phone from some senders (``None``: from any), newest first."""
        return phone.inbox(self._world.phones.get(number, []), sender_ids)

    def requests(self) -> list[Submit]:
        """Return the last submits since the start, whatever their answer, oldest first."""
        return list(self._requests)

    def now(self, sender: str) -> Instant:
        """Return the time of a sender."""
        return self._clock.now() + self._world.ahead(sender)

    def advance(self, sender: str | None, milliseconds: int) -> None:
        """Move the time of a sender (``None``: of all) forward; what it has planned is due so much earlier."""
        self._note(TimeAdvanced(sender=sender, milliseconds=milliseconds))
        self._schedule.moved()

    def next_due(self, sender: str | None = None) -> Instant | None:
        """Return when something happens next to a sender's (``None``: anybody's) messages, in the clock's time."""
        return self._schedule.next_due(sender)

    async def run_due(self) -> None:
        """Do all that is due now, and return when its receipts were told to those who are bound."""
        self._schedule.run_due()
        await self._receipts.quiet()

    # --- what sessions ask --------------------------------------------------------------------------------------------

    def admit(self, bind: Bind) -> int:
        if not bind.system_id:
            return pdus.BAD_SYSTEM_ID
        return pdus.OK if self._password in (None, bind.password) else pdus.BAD_PASSWORD

    def bound(self, session: Session) -> None:
        if session.can_receive:
            self._receipts.bound(session)

    def gone(self, session: Session) -> None:
        self._sessions.discard(session)
        self._receipts.gone(session)

    def submit(self, submit: Submit, system_id: str) -> tuple[int, str, Batch | None]:
        self._requests.append(submit)
        status = submission.status_of(submit, self._throttled)
        if status != pdus.OK:
            return status, "", None
        at = self.now(submit.source)
        part = submission.accept(
            submit, token=self._new_token(), system_id=system_id, at=at, timing=self._timing, random=self._random
        )
        batch = self._note(PartAccepted(part=part))
        if part.due is not None:
            self._schedule.put(part)
        return pdus.OK, part.token, batch

    def _connected(self) -> Session:
        session = Session(self)
        self._sessions.add(session)
        return session

    def _new_token(self) -> str:
        while (token := f"{self._random.getrandbits(64):016x}") in self._world.parts:
            pass
        return token

    def _done(self, part: Part) -> None:
        self._note(PartDone(token=part.token, at=self.now(part.sender)))
        if part.wants_receipt:
            self._receipts.tell(part)

    def _told(self, part: Part) -> None:
        self._note(ReceiptSettled(token=part.token))

    def _note(self, record: Record) -> Batch:
        self._world.apply(record)
        return self._journal.post(record)
