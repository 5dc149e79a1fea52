"""Tells whoever sent a message what became of it: at once if a session is bound, otherwise when one binds.

A receipt is told until it is acknowledged. An error, or no answer in time, makes it come again after a wait; a
permanent error settles it; a session that ends gives it back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime

from chatgate.clock import SECOND, Instant
from chatgate.simulators.sms import pdus
from chatgate.simulators.sms.records import Part, State
from chatgate.simulators.sms.session import Session
from chatgate.simulators.sms.submission import Timing

WINDOW = 100
"""Receipts open at one time on one session."""

# SMPP 3.4, 5.2.28
MESSAGE_STATES = {State.DELIVRD: 2, State.UNDELIV: 5}


class Receipts:
    """``settle`` is called once for each receipt that need not be told any more."""

    def __init__(self, timing: Timing, settle: Callable[[Part], None]) -> None:
        self._timing = timing
        self._settle = settle
        self._waiting: defaultdict[str, deque[Part]] = defaultdict(deque)
        """By system_id, oldest first."""
        self._sessions: defaultdict[str, dict[Session, int]] = defaultdict(dict)
        """By system_id: bound sessions that can receive, with how many receipts are open on each."""
        self._telling: set[asyncio.Task[None]] = set()
        self._retries: set[asyncio.TimerHandle] = set()

    def tell(self, part: Part) -> None:
        self._waiting[part.system_id].append(part)
        self._pump(part.system_id)

    def bound(self, session: Session) -> None:
        self._sessions[session.system_id][session] = 0
        self._pump(session.system_id)

    def gone(self, session: Session) -> None:
        self._sessions[session.system_id].pop(session, None)

    async def quiet(self) -> None:
        """Return when every receipt that a session can take was told once."""
        while self._telling:
            await asyncio.wait(set(self._telling))

    async def stop(self) -> None:
        for timer in self._retries:
            timer.cancel()
        for task in self._telling:
            task.cancel()
        await self.quiet()

    def _pump(self, system_id: str) -> None:
        waiting, sessions = self._waiting[system_id], self._sessions[system_id]
        while waiting and sessions:
            session = min(sessions, key=sessions.__getitem__)
            if sessions[session] >= WINDOW:
                return
            sessions[session] += 1
            task = asyncio.create_task(self._tell(session, waiting.popleft()))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, session: Session, part: Part) -> None:
        sessions = self._sessions[part.system_id]
        try:
            async with asyncio.timeout(self._timing.reply / SECOND):
                status = await session.deliver(body_of(part))
        except ConnectionError:
            self._waiting[part.system_id].appendleft(part)
        except TimeoutError:
            self._again(part)
        else:
            if status == pdus.OK or status in pdus.PERMANENT_ERRORS:
                self._settle(part)
            else:
                self._again(part)
        if session in sessions:
            sessions[session] -= 1
        self._pump(part.system_id)

    def _again(self, part: Part) -> None:
        def tell() -> None:
            self._retries.discard(timer)
            self.tell(part)

        timer = asyncio.get_running_loop().call_later(self._timing.retry / SECOND, tell)
        self._retries.add(timer)


def body_of(part: Part) -> bytes:
    """Return the deliver_sm that tells a part's fate: as text (SMPP 3.4, appendix B) and as optional parameters."""
    delivered = part.state is State.DELIVRD
    text = (
        f"id:{part.token} sub:001 dlvrd:{'001' if delivered else '000'} submit date:{_minute(part.at)} "
        f"done date:{_minute(part.done_at or part.at)} stat:{part.state} err:{'000' if delivered else '001'} "
        f"text:{part.text[:20]}"
    )
    body = pdus.deliver(
        source=part.number,
        destination=part.sender,
        destination_ton=part.sender_ton,
        destination_npi=part.sender_npi,
        text=text.encode("ascii", "replace"),
    )
    token = pdus.parameter(pdus.RECEIPTED_MESSAGE_ID, pdus.c_string(part.token))
    return body + token + pdus.parameter(pdus.MESSAGE_STATE, bytes([MESSAGE_STATES[part.state]]))


def _minute(instant: Instant) -> str:
    return datetime.fromtimestamp(instant / SECOND, UTC).strftime("%y%m%d%H%M")
