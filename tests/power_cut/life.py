"""One life of the store on a disk that loses its power: what callers were told in it.

The verbs are the real ones, through the real committer. Sixteen callers walk messages to their ends at the same time,
so that commits are shared; a promise is noted when the verb has returned, no sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from secrets import token_bytes
from typing import Any

import pysqlite3  # type: ignore[import-untyped]

from chatgate.clock import SECOND, HandClock
from chatgate.domain.message import FallbackState, Message, Outcome, Status
from chatgate.errors import SettingError, StoreUnavailable
from chatgate.store import database
from chatgate.store.store import Store
from tests.fresh_store import RING
from tests.power_cut.disk import Disk
from tests.power_cut.driver import Driver
from tests.store.journey import ORDER, Journey, receipt

CALLERS = 16


@dataclass(slots=True)
class Told:
    """What callers were told of messages, by key."""

    accepted: dict[int, bytes] = field(default_factory=dict)
    """With the nonce of the call."""
    sent: set[int] = field(default_factory=set)
    """The end of its attempt is stored."""
    delivered: set[int] = field(default_factory=set)
    """The receipt was acknowledged."""
    fired: set[int] = field(default_factory=set)
    """The receipt of a failure was acknowledged, with the fallback that follows from it."""

    def __len__(self) -> int:
        return len(self.accepted) + len(self.sent) + len(self.delivered) + len(self.fired)

    def add(self, later: Told) -> None:
        self.accepted |= later.accepted
        self.sent |= later.sent
        self.delivered |= later.delivered
        self.fired |= later.fired


async def live(folder: Path, disk: Disk, *, synchronous: str | None, checkpoint: int, clock: HandClock) -> Told:
    """Open the store and work until the power is cut."""
    told = Told()
    driver = Driver(disk, synchronous=synchronous, checkpoint=checkpoint)
    with _driven_by(driver), suppress(SettingError, StoreUnavailable):
        store = await Store.open(
            database.sqlite_url(folder), clock=clock, key_ring=RING, on_fatal=lambda _: None, migrate=False
        )
        journey = Journey(store, clock)
        try:
            await asyncio.gather(_lane(journey, told), *(_caller(journey, told, n) for n in range(CALLERS)))
        finally:
            await store.close()
    return told


@contextmanager
def _driven_by(driver: Driver) -> Iterator[None]:
    real = pysqlite3.dbapi2
    pysqlite3.dbapi2 = driver
    try:
        yield
    finally:
        pysqlite3.dbapi2 = real


async def _caller(journey: Journey, told: Told, number: int) -> None:
    """Accept messages, and carry every other one oneself."""
    chance = Random(number)
    with suppress(StoreUnavailable):
        while True:
            leased, fallback = chance.random() < 0.5, ORDER if chance.random() < 0.5 else None
            nonce = token_bytes(16)
            acceptance = journey.acceptance(nonce=nonce, leased=leased, fallback=fallback)
            assert (await journey.store.accept(acceptance)).stored
            told.accepted[acceptance.key] = nonce
            journey.clock.advance(1)
            if leased:
                await _carry(journey, told, acceptance)


async def _carry(journey: Journey, told: Told, acceptance: Any) -> None:
    beginning = journey.beginning(acceptance.key, acceptance.now + 15 * SECOND)
    assert await journey.store.begin(beginning)
    of = acceptance.draft
    message = Message(
        id=acceptance.key, account_id=of.account_id, draft=of, accepted_at=acceptance.now,
        expires_at=acceptance.now + of.ttl * SECOND, status=Status.SENDING, attempt=1, due_at=beginning.until,
        request_id="REQUEST", sender=of.sender, fallback_state=None if of.fallback is None else FallbackState.ARMED,
    )  # fmt: skip
    await _end(journey, told, message)


async def _lane(journey: Journey, told: Told) -> None:
    """Claim the others."""
    with suppress(StoreUnavailable):
        while True:
            claimed = await journey.claim(limit=8)
            await asyncio.gather(*(_end(journey, told, message) for message in claimed.to_send))


async def _end(journey: Journey, told: Told, message: Message) -> None:
    """Record what the provider said, then its receipt: delivered, or failed where a fallback was ordered."""
    token = f"t{message.id}"
    assert await journey.record(message, Outcome.SENT, token=token) is Status.SENT
    told.sent.add(message.id)
    ordered = message.draft.fallback is not None
    assert await journey.receive(receipt(token, "undelivered" if ordered else "delivered")) == ["applied"]
    (told.fired if ordered else told.delivered).add(message.id)
