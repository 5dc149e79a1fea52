"""One lane a provider: a fixed number of slots, each carrying one message at a time.

Rules:

1. Slots, not batches: a slot that is done takes the next message at once; nobody waits for the slowest of a batch.
2. A hung provider fills its own slots and nothing else: lanes share nothing.
3. An attempt is committed before a byte leaves, and its end before the slot takes another message.
4. Nothing is sent at or after the end of its time to live, or when its lease could run out while the request is open:
   both are looked at again right before the request is written.
5. What is stopped before a byte left is given back: only an open request can have an unknown outcome.
6. While the clock is not steady nothing is claimed, settled or sent: a time to live cannot be judged.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic_ns

import msgspec
import structlog

from chatgate.clock import SECOND, Clock, Instant
from chatgate.domain.lifecycle import UnknownPolicy
from chatgate.domain.message import Attempt, Label, Message, Outcome, SendResult, Status
from chatgate.domain.throttle import SlidingWindow
from chatgate.errors import StoreUnavailable
from chatgate.providers.base import Provider
from chatgate.store.acceptance import Beginning, Release
from chatgate.store.attempts import AttemptEnd
from chatgate.store.claims import Claim
from chatgate.store.store import Store
from chatgate.telemetry import Metrics

log = structlog.get_logger(__name__)

IN_HAND = 4
"""Messages that may wait in memory, as a multiple of the slots; what comes beyond is left in the database."""

POLL = 0.25
"""Seconds between looks for due messages when nothing was found: backlog, retries, rescue. A message accepted by this
node does not wait for it."""

GATHER = 0.005
"""Seconds in which slots that become free are gathered before the backlog is claimed for them together."""

SETTLE_EVERY = 5_000_000_000
"""Nanoseconds between looks for what needs no slot while none is free: it passes over the whole backlog."""

LEASE_MARGIN = 10 * SECOND
"""How much longer an attempt's lease is than the provider's reply time-out: for the wait before the request, and for
the commits around it."""

LONGEST_PACE = 5
"""Seconds that a slot may wait for its turn where a rate is set, well within the margin: more slots than get their turn
in that time are not made."""

NANOSECONDS = 1_000_000_000

TOO_LATE = SendResult(outcome=Outcome.DEFERRED, code="TooLate", reason="No time was left to send it.")
STOPPING = SendResult(outcome=Outcome.DEFERRED, code="Stopping", reason="This node stopped before it was sent.")
CLOCK_JUMPED = SendResult(outcome=Outcome.DEFERRED, code="ClockJumped", reason="The clock was set before it was sent.")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with unknown outcomes."""

    unknown: dict[Label, UnknownPolicy]
    unknown_wait: int
    """Milliseconds that a receipt has to resolve an unknown outcome before it is sent once more."""


class Lane:
    """Carries messages to one provider."""

    def __init__(
        self,
        provider: Provider,
        store: Store,
        clock: Clock,
        policy: Policy,
        metrics: Metrics,
        jitter: Callable[[], float],
        *,
        poll: float = POLL,
        monotonic: Callable[[], int] = monotonic_ns,
    ) -> None:
        """``jitter`` from 0 to 1; ``poll`` in seconds; ``monotonic`` in nanoseconds, for the rate."""
        self.name = provider.name
        self._provider = provider
        self._store = store
        self._clock = clock
        self._policy = policy
        self._metrics = metrics
        self._jitter = jitter
        self._poll = poll
        self._monotonic = monotonic
        settings = provider.settings
        rate = settings.rate
        self._slots = min(settings.max_in_flight, rate * LONGEST_PACE) if rate else settings.max_in_flight
        self._rate = SlidingWindow(rate, NANOSECONDS) if rate else None
        self._longest_send = int(settings.reply_timeout * SECOND)
        self._lease = self._longest_send + LEASE_MARGIN
        self._in_hand: deque[Message] = deque()
        self._takers: deque[asyncio.Future[Message | None]] = deque()
        self._freed = asyncio.Event()
        self._settled_at = -SETTLE_EVERY
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # --- handing over -------------------------------------------------------------------------------------------------

    def has_room(self) -> bool:
        """Whether a message accepted now may stay in this node's hands."""
        return not self._stopping.is_set() and len(self._in_hand) < self._slots * IN_HAND

    def hand(self, message: Message) -> None:
        """Take a message that this node holds by its accept lease, or has claimed. A claimed one goes first: its lease
        is that of its attempt and must not run out before it begins."""
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(message)
                return
        if message.status is Status.SENDING:
            self._in_hand.appendleft(message)
        else:
            self._in_hand.append(message)

    # --- running ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._slot(), name=f"{self.name}-{n}") for n in range(self._slots)]
        self._tasks.append(asyncio.create_task(self._feed(), name=f"{self.name}-feed"))

    async def stop(self, seconds: float) -> None:
        """Claim nothing more, give back what is in hand, let open requests end, give up on them after ``seconds``."""
        self._stopping.set()
        await self._give_back_all()
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
        _, late = await asyncio.wait(self._tasks, timeout=seconds) if self._tasks else (set(), set())
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._give_back_all()  # what a claim that was under way has brought

    async def _slot(self) -> None:
        while (message := await self._next()) is not None:
            try:
                await self._carry(message)
            except StoreUnavailable:
                # The attempt's lease brings the message back; the outcome of what was sent is then unknown.
                log.error("lane.store_unavailable", provider=self.name, message_id=message.id)
                await self._sleep(self._poll)
            except Exception:
                log.exception("lane.failed", provider=self.name, message_id=message.id)

    async def _next(self) -> Message | None:
        if self._stopping.is_set():
            return None
        if self._in_hand:
            return self._in_hand.popleft()
        taker: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        self._takers.append(taker)
        self._freed.set()
        return await taker

    async def _feed(self) -> None:
        """Bring due messages from the database to free slots, and settle those that need no slot."""
        while not self._stopping.is_set():
            backlog = False
            try:
                backlog = await self._claim()
            except StoreUnavailable:
                log.warning("lane.store_unavailable", provider=self.name)
            except Exception:
                log.exception("lane.claim_failed", provider=self.name)
            if backlog:
                await self._free_slots()
            else:
                await self._sleep(self._poll)

    async def _free_slots(self) -> None:
        """Return when slots are free again (several at once, if others follow closely), or after a poll."""
        if not self._takers:
            self._freed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), self._poll)
        await self._sleep(GATHER)

    async def _claim(self) -> bool:
        """Take what is due; return whether there may be more of it than there were free slots."""
        free, now = len(self._takers), self._clock.now()
        if not self._clock.is_steady():
            return False
        if free == 0:
            if self._monotonic() - self._settled_at < SETTLE_EVERY:
                return True
            self._settled_at = self._monotonic()
        claim = Claim(
            lane=self.name, now=now, limit=free or self._slots, settle_only=free == 0, until=now + self._lease,
            keys=self._store.keys.next, unknown_wait=self._policy.unknown_wait, unknown_policy=self._policy.unknown,
        )  # fmt: skip
        claimed = await self._store.claim(claim)
        for message in reversed(claimed.to_send):  # each goes before those in hand, so the first due is the first again
            self.hand(message)
        if claimed.settled:
            self._metrics.settled.inc(claimed.settled)
        return claimed.more or free == 0

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but wake at once when stopping."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    # --- one message --------------------------------------------------------------------------------------------------

    async def _carry(self, message: Message) -> None:
        await self._pace()
        if self._stopping.is_set():
            await self._give_back(message, STOPPING)
            return
        if not self._clock.is_steady():  # the store holds it until the time is known: what is here knows the old one
            await self._give_back(message, CLOCK_JUMPED)
            return
        if message.status is Status.ACCEPTED:
            begun = await self._begin(message)
            if begun is None:
                return
            message = begun
        started_at = self._clock.now()
        if not self._clock.is_steady():
            result = CLOCK_JUMPED
        elif not self._in_time(message, started_at):
            result = TOO_LATE
        else:
            in_flight = self._metrics.in_flight.labels(self.name)
            in_flight.inc()
            try:
                result = await self._provider.send(message, started_at)
            except Exception as error:
                log.exception("lane.provider_raised", provider=self.name, message_id=message.id)
                result = SendResult(
                    outcome=Outcome.UNKNOWN, code=type(error).__name__, reason="The provider module failed."
                )
            finally:
                in_flight.dec()
        await self._end(message, started_at, result)

    async def _begin(self, message: Message) -> Message | None:
        """Commit the first attempt; None when the message is in other hands, or its time is over."""
        now = self._clock.now()
        if message.due_at is None or now >= message.expires_at:
            return None  # the accept lease brings it back, and then it runs out
        until = now + self._lease
        if not await self._store.begin(Beginning(message_id=message.id, lease=message.due_at, now=now, until=until)):
            return None
        return msgspec.structs.replace(message, status=Status.SENDING, attempt=1, due_at=until)

    def _in_time(self, message: Message, now: Instant) -> bool:
        """Whether a request that is written now begins within the time to live and ends within the lease."""
        return now < message.expires_at and message.due_at is not None and now + self._longest_send <= message.due_at

    async def _give_back_all(self) -> None:
        held, self._in_hand = list(self._in_hand), deque()
        await asyncio.gather(*(self._give_back(message, STOPPING) for message in held), return_exceptions=True)

    async def _give_back(self, message: Message, because: SendResult) -> None:
        if message.status is Status.ACCEPTED and message.due_at is not None:
            await self._store.release(Release(message_id=message.id, lease=message.due_at, now=self._clock.now()))
        else:  # claimed, not begun to send: the attempt ends as what it is
            await self._end(message, self._clock.now(), because)

    async def _pace(self) -> None:
        """Wait for a turn within the rate, or for the stop."""
        while self._rate is not None and not self._stopping.is_set() and (wait := self._rate.admit(self._monotonic())):
            await self._sleep(wait / NANOSECONDS)

    async def _end(self, message: Message, started_at: int, result: SendResult) -> None:
        self._metrics.attempts.labels(self.name, result.outcome).inc()
        attempt = Attempt(
            message_id=message.id, number=message.attempt, provider=self.name, started_at=started_at,
            ended_at=self._clock.now(), result=result,
        )  # fmt: skip
        end = AttemptEnd(
            attempt=attempt, message=message, jitter=self._jitter(), keys=self._store.keys.next,
            unknown_wait=self._policy.unknown_wait, unknown_policy=self._policy.unknown,
        )  # fmt: skip
        if await self._recorded(end, message) is None:
            self._metrics.overtaken.inc()

    async def _recorded(self, end: AttemptEnd, message: Message) -> Status | None:
        """Store the end of an attempt, again and again while its lease lasts: an outcome that is known must not become
        unknown because the database was away for a moment. Storing it twice changes nothing."""
        while True:
            try:
                return await self._store.record(end)
            except StoreUnavailable:
                if self._stopping.is_set() or message.due_at is None or self._clock.now() >= message.due_at:
                    raise
                await self._sleep(self._poll)
