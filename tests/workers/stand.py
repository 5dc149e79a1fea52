"""A lane on a stand: a real store, a clock moved by hand, and a provider that does what the test says."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from secrets import token_bytes
from typing import Any

import msgspec

from chatgate.clock import SECOND, HandClock, Instant
from chatgate.domain.lifecycle import DEFAULT_UNKNOWN_POLICY
from chatgate.domain.message import Draft, Label, Message, Outcome, SendResult, Status
from chatgate.domain.receipt import News, Receipt, ReceiptStatus
from chatgate.providers.base import Provider, ProviderSettings, TakeReceipts
from chatgate.store.acceptance import ACCEPT_LEASE, Acceptance
from chatgate.store.receipts import Arrival
from chatgate.store.search import Story
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.wire import HttpRequest
from chatgate.workers.lane import Lane, Policy
from tests.drafts import draft

LANE = "viber"
UNKNOWN_WAIT = 10 * SECOND
REPLY_TIMEOUT = 20 * SECOND
LEASE = 30 * SECOND

DEFERRED = SendResult(outcome=Outcome.DEFERRED, code="NotConnected", reason="No connection.")
THROTTLED = SendResult(outcome=Outcome.THROTTLED, code="Http429", reason="Too fast.", retry_after=7000)
REFUSED = SendResult(outcome=Outcome.REFUSED, code="SRVC_NOT_VIBER_USER", reason="No Viber.")
UNKNOWN = SendResult(outcome=Outcome.UNKNOWN, code="ReplyLost", reason="No readable reply.")

Answer = SendResult | Exception | asyncio.Event
"""What a send gives, raises, or waits for before it is accepted."""


class Scripted:
    """A provider that answers in the order of ``answers``, then accepts everything."""

    def __init__(self, **settings: Any) -> None:
        self.name = LANE
        self.settings = ProviderSettings(kind="scripted", url="http://x/", receipts_secret="s" * 16, **settings)
        self.answers: deque[Answer] = deque()
        self.sends: list[tuple[int, int]] = []
        """Message and attempt, in the order in which they began."""
        self.on_send: Callable[[Message], Awaitable[None]] | None = None

    async def open(self, take: TakeReceipts) -> None: ...

    async def close(self) -> None: ...

    async def send(self, message: Message, now: Instant) -> SendResult:
        self.sends.append((message.id, message.attempt))
        if self.on_send is not None:
            await self.on_send(message)
        answer = self.answers.popleft() if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, SendResult):
            return answer
        if answer is not None:
            await answer.wait()
        return SendResult(outcome=Outcome.SENT, token=f"token-{message.id}-{message.attempt}", code="SRVC_SUCCESS")

    def read_receipts(self, request: HttpRequest) -> list[News]:
        raise NotImplementedError


class Stand:
    """One lane, not started yet. Messages go into its hands, or into the database only."""

    def __init__(
        self, store: Store, clock: HandClock, provider: Provider, through: Store | None = None, **lane: Any
    ) -> None:
        """``through`` is what the lane is given as its store."""
        self.store = store
        self.clock = clock
        self.provider = provider
        self.metrics = Metrics()
        policy = Policy(unknown=DEFAULT_UNKNOWN_POLICY, unknown_wait=UNKNOWN_WAIT)
        self.lane = Lane(
            provider, through or store, clock, policy, self.metrics, lambda: 0.0, **({"poll": 0.005} | lane)
        )

    async def accept(self, of: Draft | None = None, *, leased: bool = False) -> Message:
        """Commit a message; any lane may claim it at once, unless it is leased to this node's own hands."""
        now = self.clock.now()
        of = of or draft()
        wanted = Acceptance(
            key=self.store.keys.next(), draft=of, nonce=token_bytes(16), retry=None, request_id="R", now=now, lane=LANE,
            leased=leased, keys=self.store.keys.next,
        )  # fmt: skip
        assert (await self.store.accept(wanted)).stored
        return Message(
            id=wanted.key, account_id=of.account_id, draft=of, accepted_at=now, expires_at=now + of.ttl * SECOND,
            status=Status.ACCEPTED, attempt=0, due_at=now + ACCEPT_LEASE, request_id="R", sender=of.sender,
        )  # fmt: skip

    async def hand(self, of: Draft | None = None) -> int:
        """Commit a message under an accept lease and hand it to the lane, as the desk does."""
        message = await self.accept(of, leased=True)
        self.lane.hand(message)
        return message.id

    async def story(self, message_id: int) -> Story:
        story = await self.store.story(None, message_id)
        assert story is not None
        return story

    async def message(self, message_id: int) -> Message:
        return (await self.story(message_id)).message

    async def becomes(self, message_id: int, status: Status, attempt: int | None = None) -> Message:
        """Return the message once it has this status (and attempt)."""

        async def there() -> bool:
            found = await self.message(message_id)
            return found.status is status and attempt in (None, found.attempt)

        await eventually(there)
        return await self.message(message_id)

    async def looked(self) -> None:
        """Return when the lane has looked into the database at least once from now on, and found nothing to do."""
        for _ in range(2):
            marker = await self.accept(draft(ttl=30))
            await self.becomes(marker.id, Status.SENT)

    async def receive(self, message_id: int, token: str, status: ReceiptStatus = ReceiptStatus.DELIVERED) -> list[str]:
        of = (await self.message(message_id)).draft
        receipt = Receipt(
            provider=LANE, token=token, status=status, at=self.clock.now(), service_id=of.service_id,
            recipient=of.recipient,
        )  # fmt: skip
        arrival = Arrival(receipts=[receipt], received_at=self.clock.now(), keys=self.store.keys.next)
        return await self.store.apply_receipts(arrival)

    def counted(self, metric: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"chatgate_{metric}", labels) or 0.0


class Ticks:
    """A monotonic clock moved by hand, in nanoseconds. What is left of its second is slept in earnest: it should be
    moved close to the end of it before a lane asks."""

    NEARLY_A_SECOND = 995_000_000

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


async def eventually(there: Callable[[], Awaitable[bool]]) -> None:
    """Return once it is so; fail after half a minute: machines that run tests are busy."""
    deadline = asyncio.get_running_loop().time() + 30
    while not await there():
        assert asyncio.get_running_loop().time() < deadline, "it never came about"
        await asyncio.sleep(0.003)


async def sends(provider: Scripted, count: int) -> None:
    """Return once so many sends have begun."""

    async def there() -> bool:
        return len(provider.sends) >= count

    await eventually(there)


def promotion(**changes: Any) -> Draft:
    return msgspec.structs.replace(draft(label=Label.PROMOTION), **changes)
