"""From the bytes of a send request to its answer.

The order: source address (401 or 11) ▶ ``validation`` ▶ the recipient: a block (8), then its script ▶ session limits
(21) ▶ a ``seq`` used before (12, by switch) ▶ accepted, and in the journal, before anything is answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from random import Random

import msgspec

from chatgate.clock import Instant
from chatgate.simulators.journal import Batch
from chatgate.simulators.viber import callbacks, validation
from chatgate.simulators.viber.call import Call
from chatgate.simulators.viber.events import Events
from chatgate.simulators.viber.messages import Event, Message
from chatgate.simulators.viber.profiles import profile_of
from chatgate.simulators.viber.records import MessageAccepted, Record, ServiceRegistered
from chatgate.simulators.viber.schedule import Schedule
from chatgate.simulators.viber.scripts import Fault, Script, Timing, plan
from chatgate.simulators.viber.sessions import UNANSWERED_LIMIT, session_id
from chatgate.simulators.viber.statuses import Status
from chatgate.simulators.viber.switches import SwitchBoard, Switches
from chatgate.simulators.viber.world import Recipient, World

TOKENS = (10**18, 2**63)
"""19 digits that fit a signed 64-bit number, as in the samples."""
REQUESTS_KEPT = 1000

HangUp = Callable[[], Awaitable[object]]
"""Returns when the caller has gone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. ``status`` 0: nothing does, the connection is reset."""

    status: int
    body: bytes = b""


RESET = Answer(status=0)
UNAVAILABLE = Answer(status=503, body=b'{"error":"unavailable"}')


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer, for those who look."""

    at: Instant
    """In the time of the service."""
    peer: str
    body: str
    status: int
    """HTTP; 0 for a connection that was reset."""
    answer: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Who may send, and how much."""

    allowed_peers: Collection[str] | None = None
    """Source addresses; ``None`` for any."""
    allow_any_service: bool = False
    """An unknown service id is registered when it first sends."""
    unanswered_limit: int = UNANSWERED_LIMIT


class Reception:
    """Takes sends."""

    def __init__(
        self,
        *,
        world: World,
        post: Callable[[Record], Batch],
        schedule: Schedule,
        events: Events,
        board: SwitchBoard,
        random: Random,
        timing: Timing,
        rules: Rules,
    ) -> None:
        self._world = world
        self._post = post
        self._schedule = schedule
        self._events = events
        self._board = board
        self._random = random
        self._timing = timing
        self._rules = rules
        self._turns: dict[Recipient, int] = {}
        self._stopped = asyncio.Event()
        self.requests: deque[Request] = deque(maxlen=REQUESTS_KEPT)

    async def answer(self, raw: bytes, peer: str, hang_up: HangUp) -> Answer:
        """Answer one request. Cancelled or hung up on, it leaves nothing half done."""
        call = Call.read(raw, peer)
        answer = await self._answer(call, hang_up)
        self.requests.append(
            Request(
                at=self._schedule.now(call.service_id or 0),
                peer=peer,
                body=raw.decode(errors="replace"),
                status=answer.status,
                answer=answer.body.decode(),
            )
        )
        return answer

    def stop(self) -> None:
        """Let go of those who wait; what they sent is not accepted."""
        self._stopped.set()

    async def _answer(self, call: Call, hang_up: HangUp) -> Answer:
        switches = self._board.of(call.service_id)
        if switches.down or self._stopped.is_set():
            return UNAVAILABLE
        if status := self._refusal(call, switches):
            return self._refuse(call, status, switches)
        assert call.service_id is not None
        recipient = (call.service_id, call.number)
        script = self._world.scripts.get(recipient) or profile_of(call.number)
        if recipient in self._world.blocked and not script.unblocks:
            return self._refuse(call, Status.USER_BLOCKED, switches)
        turn = self._turn(recipient, script)
        if turn is Fault.UNAVAILABLE:
            return UNAVAILABLE
        if turn is Fault.HANG and not await self._wait(call.service_id, self._timing.hang, hang_up):
            return RESET
        status = turn if isinstance(turn, int) else 0
        if status := status or self._session_refusal(call, recipient) or self._seq_refusal(call, switches):
            return self._refuse(call, status, switches)
        return await self._accept(call, script, turn is Fault.RESET, hang_up)

    def _refusal(self, call: Call, switches: Switches) -> int:
        if self._rules.allowed_peers is not None and call.peer not in self._rules.allowed_peers:
            return switches.unauthorized_status
        service_id = call.service_id
        if self._rules.allow_any_service and service_id is not None and service_id not in self._world.services:
            self._post(ServiceRegistered(service_id=service_id))
        return validation.refusal(call, self._world)

    def _turn(self, recipient: Recipient, script: Script) -> int | Fault:
        """Return the script's answer to this send of the service to the number."""
        if len(script.answers) == 1:
            return script.answers[0]
        turn = self._turns.get(recipient, 0)
        self._turns[recipient] = turn + 1
        return script.answers[min(turn, len(script.answers) - 1)]

    def _session_refusal(self, call: Call, recipient: Recipient) -> int:
        assert call.type is not None
        if not call.type.session:
            return 0
        session = self._world.sessions.get(recipient)
        now = self._schedule.now(recipient[0])
        allowed = session is not None and session.allows(now, self._rules.unanswered_limit)
        return Status.SUCCESS if allowed else Status.WAIT_FOR_USER_RESPONSE

    def _seq_refusal(self, call: Call, switches: Switches) -> int:
        used = (call.service_id, call.seq) in self._world.seqs
        return Status.ALREADY_SENT if switches.refuse_duplicate_seq and used else Status.SUCCESS

    async def _accept(self, call: Call, script: Script, reset: bool, hang_up: HangUp) -> Answer:
        assert call.service_id is not None
        assert call.type is not None
        switches = self._board.of(call.service_id)
        message = self._message(call, script, switches)
        early = bool(message.events) and self._random.random() < switches.early
        stored = self._post(MessageAccepted(message=message))
        for event in message.events:
            self._events.schedule(event)
        try:
            await stored.stored()
        except OSError:
            return self._refuse(call, Status.INTERNAL_FAILURE, switches)
        if early and (tried := self._events.happen(message.events[0])) is not None:
            await tried.wait()
        if switches.latency:
            await self._wait(call.service_id, switches.latency, hang_up)
        if reset:
            return RESET
        answer = {"status": 0, "seq": call.seq, "message_token": self._wire(message.token, switches)}
        if call.type.session:
            session = self._world.sessions[call.service_id, call.number]
            answer["session_id"] = session_id(call.service_id, call.number, session)
        return Answer(status=200, body=msgspec.json.encode(answer))

    def _message(self, call: Call, script: Script, switches: Switches) -> Message:
        assert call.service_id is not None
        assert call.seq is not None
        assert call.type is not None
        service_id, number, token = call.service_id, call.number, self._new_token()
        now = self._schedule.now(service_id)
        steps = plan(script, timing=self._timing, random=self._random, accepted_at=now, ttl=call.ttl)
        if self._random.random() < switches.reordered:
            steps = [(step, at) for (step, _), (_, at) in zip(reversed(steps), steps, strict=True)]
        return Message(
            token=token,
            service_id=service_id,
            number=number,
            seq=call.seq,
            type=call.type.number,
            at=now,
            ttl=call.ttl,
            request=msgspec.Raw(msgspec.json.encode(call.body)),
            events=[
                Event(
                    id=self._world.new_event_id(),
                    service_id=service_id,
                    number=number,
                    do=step.do,
                    at=at,
                    token=token,
                    text=step.text,
                )
                for step, at in steps
            ],
        )

    def _refuse(self, call: Call, status: int, switches: Switches) -> Answer:
        answer: dict[str, int | str] = {"status": status}
        if call.seq is not None:
            answer["seq"] = call.seq
        if switches.token_on_errors:
            answer["message_token"] = self._wire(self._new_token(), switches)
        return Answer(status=200, body=msgspec.json.encode(answer))

    def _new_token(self) -> str:
        while (token := str(self._random.randrange(*TOKENS))) in self._world.messages:
            pass
        return token

    @staticmethod
    def _wire(token: str, switches: Switches) -> str | int:
        return callbacks.token(token, as_number=switches.token_as_number)

    async def _wait(self, service_id: int, milliseconds: int, hang_up: HangUp) -> bool:
        """Wait in the service's time; return whether it is over and the caller still there."""
        over = asyncio.Event()
        row = self._schedule.after(service_id, milliseconds, over.set)
        waits = [asyncio.ensure_future(wait) for wait in (over.wait(), hang_up(), self._stopped.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._schedule.cancel(row)
            for wait in waits:
                wait.cancel()
        return over.is_set()
