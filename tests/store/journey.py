"""Walks messages through a store: what a test of the store says in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from secrets import token_bytes
from typing import Any

import msgspec

from chatgate.clock import SECOND, HandClock, Instant
from chatgate.domain.lifecycle import DEFAULT_UNKNOWN_POLICY
from chatgate.domain.message import (
    Attempt,
    Content,
    Draft,
    FallbackOrder,
    FallbackState,
    Label,
    Message,
    MessageKind,
    MessageType,
    Outcome,
    RetryKey,
    SendResult,
    Status,
)
from chatgate.domain.receipt import Receipt, ReceiptStatus
from chatgate.store.acceptance import ACCEPT_LEASE, Acceptance, Accepted, Beginning
from chatgate.store.attempts import AttemptEnd
from chatgate.store.claims import Claim, Claimed
from chatgate.store.fallbacks import Decision, Sweep
from chatgate.store.receipts import Arrival
from chatgate.store.search import Filter, Story
from chatgate.store.store import Store

ACCOUNT = 7
LANE = "viber"
PHONE = "639170000001"
SERVICE = "service-1"
TTL = 3600
"""Seconds."""
LEASE = 40 * SECOND
UNKNOWN_WAIT = 60 * SECOND

DRAFT = Draft(
    account_id=ACCOUNT, space_id="282514865123580001", channel="viber", sender="27549", service_id=SERVICE,
    recipient=PHONE, kind=MessageKind.MESSAGE, message_type=MessageType.TEXT, label=Label.TRANSACTION,
    content=Content(text="Your code is 1234"), ttl=TTL,
)  # fmt: skip

ORDER = FallbackOrder(
    policy_id="S_000001", content="Your code, by SMS, is 1234", duration=600, rule="undelivered", sms_sender="Shop",
    lane="sms",
)  # fmt: skip


def order(**changes: Any) -> FallbackOrder:
    return msgspec.structs.replace(ORDER, **changes)


def draft(**changes: Any) -> Draft:
    return msgspec.structs.replace(DRAFT, **changes)


def retry_key(key: str, request: str = "the request") -> RetryKey:
    return RetryKey(key=sha256(key.encode()).digest(), fingerprint=sha256(request.encode()).digest())


def receipt(token: str, status: ReceiptStatus | str, **more: Any) -> Receipt:
    return Receipt(**{"provider": LANE, "token": token, "status": ReceiptStatus(status), "at": 1, **more})


class Journey:
    """One store, one clock, messages of account ``ACCOUNT`` to ``PHONE`` where nothing else is said."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store = store
        self.clock = clock

    # --- accepting ---------------------------------------------------------------------------------------------------

    def acceptance(
        self, *, nonce: bytes | None = None, retry: RetryKey | None = None, leased: bool = False, lane: str = LANE,
        allowed_by: str | None = None, **changes: Any,
    ) -> Acceptance:  # fmt: skip
        return Acceptance(
            key=self.store.keys.next(), draft=draft(**changes), nonce=nonce or token_bytes(16), retry=retry,
            request_id="REQUEST", now=self.clock.now(), lane=lane, leased=leased, keys=self.store.keys.next,
            allowed_by=allowed_by,
        )  # fmt: skip

    async def accept(self, **changes: Any) -> int:
        """Accept one message; answer its key."""
        accepted = await self.try_accept(**changes)
        assert accepted.stored
        return accepted.key

    async def try_accept(self, **changes: Any) -> Accepted:
        return await self.store.accept(self.acceptance(**changes))

    # --- sending -----------------------------------------------------------------------------------------------------

    def beginning(self, message_id: int, lease: Instant) -> Beginning:
        now = self.clock.now()
        return Beginning(message_id=message_id, lease=lease, now=now, until=now + LEASE)

    async def accept_leased(self, **changes: Any) -> Beginning:
        """Accept a message into this node's own hands; answer its first attempt, not begun yet."""
        return self.beginning(await self.accept(leased=True, **changes), self.clock.now() + ACCEPT_LEASE)

    async def claim(self, store: Store | None = None, **changes: Any) -> Claimed:
        now = self.clock.now()
        asked = Claim(
            lane=LANE, now=now, limit=100, until=now + LEASE, keys=(store or self.store).keys.next,
            unknown_wait=UNKNOWN_WAIT, unknown_policy=DEFAULT_UNKNOWN_POLICY,
        )  # fmt: skip
        return await (store or self.store).claim(msgspec.structs.replace(asked, **changes))

    async def claim_one(self) -> Message:
        """Claim what is due and answer the only message to send."""
        claimed = await self.claim()
        assert len(claimed.to_send) == 1
        return claimed.to_send[0]

    async def sending(self, **changes: Any) -> Message:
        """Accept and claim one message."""
        key = await self.accept(**changes)
        found = [message for message in (await self.claim()).to_send if message.id == key]
        assert len(found) == 1
        return found[0]

    def end(self, message: Message, outcome: Outcome | str, **more: Any) -> AttemptEnd:
        now = self.clock.now()
        attempt = Attempt(
            message_id=message.id, number=message.attempt, provider=LANE, started_at=now, ended_at=now,
            result=SendResult(outcome=Outcome(outcome), **more),
        )  # fmt: skip
        return AttemptEnd(
            attempt=attempt, message=message, jitter=0.0, keys=self.store.keys.next, unknown_wait=UNKNOWN_WAIT,
            unknown_policy=DEFAULT_UNKNOWN_POLICY,
        )  # fmt: skip

    async def record(self, message: Message, outcome: Outcome | str, **more: Any) -> Status | None:
        return await self.store.record(self.end(message, outcome, **more))

    async def sent(self, token: str, **changes: Any) -> int:
        """Accept, claim and record one message as sent under a token; answer its key."""
        message = await self.sending(**changes)
        assert await self.record(message, "sent", token=token) is Status.SENT
        return message.id

    async def unknown(self, **changes: Any) -> Message:
        """Accept and claim one message whose reply is lost."""
        message = await self.sending(**changes)
        assert await self.record(message, "unknown", code="timeout") is Status.UNKNOWN
        return message

    # --- receipts ----------------------------------------------------------------------------------------------------

    def arrival(self, receipts: Sequence[Receipt], store: Store | None = None) -> Arrival:
        return Arrival(receipts=receipts, received_at=self.clock.now(), keys=(store or self.store).keys.next)

    async def receive(self, *receipts: Receipt) -> list[str]:
        """Let receipts arrive in one request; answer their effects."""
        return await self.store.apply_receipts(self.arrival(receipts))

    async def receive_together(self, *receipts: Receipt) -> list[str]:
        """Let receipts arrive in requests of their own that share one transaction; answer their effects."""
        arrivals = [self.store.apply_receipts(self.arrival([one])) for one in receipts]
        return [effect for effects in await asyncio.gather(*arrivals) for effect in effects]

    # --- fallbacks ---------------------------------------------------------------------------------------------------

    async def fire(self, store: Store | None = None, *, limit: int = 100) -> int:
        """Fire what is due; answer how many moved."""
        keys = (store or self.store).keys.next
        return await (store or self.store).fire_fallbacks(Sweep(now=self.clock.now(), limit=limit, keys=keys))

    async def decide(self, *, release: bool, account_id: int | None = None) -> int:
        decision = Decision(account_id=account_id, release=release, now=self.clock.now(), keys=self.store.keys.next)
        return await self.store.decide_fallbacks(decision)

    async def fallback(self, message_id: int) -> FallbackState | None:
        return (await self.message(message_id)).fallback_state

    async def sms(self, message_id: int) -> list[Message]:
        """Return every SMS that was accepted instead of a message."""
        found = await self.store.list_messages(Filter(account_id=ACCOUNT, limit=1000))
        return [message for message in found if message.parent_id == message_id]

    # --- looking -----------------------------------------------------------------------------------------------------

    async def story(self, message_id: int) -> Story:
        story = await self.store.story(None, message_id)
        assert story is not None
        return story

    async def message(self, message_id: int) -> Message:
        return (await self.story(message_id)).message

    async def status(self, message_id: int) -> Status:
        return (await self.message(message_id)).status
