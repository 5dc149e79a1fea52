"""Stops, crashes and outages: what is interrupted before a byte left is given back, what may have left is unknown."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatgate.clock import SECOND, HandClock
from chatgate.domain.message import Label, Status
from chatgate.errors import StoreUnavailable
from chatgate.store.acceptance import ACCEPT_LEASE
from chatgate.store.store import Store
from tests.drafts import draft
from tests.workers.conftest import Make
from tests.workers.stand import (
    LEASE,
    UNKNOWN_WAIT,
    Scripted,
    Ticks,
    eventually,
    promotion,
    sends,
)

# --- stopping --------------------------------------------------------------------------------------------------------


async def test_stop_lets_open_requests_end(make: Make) -> None:
    provider, gate = Scripted(max_in_flight=2), asyncio.Event()
    provider.answers.append(gate)
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand()
    await sends(provider, 1)
    stopping = asyncio.ensure_future(stand.lane.stop(10))
    await asyncio.sleep(0.02)
    assert not stopping.done()
    gate.set()
    await stopping
    assert (await stand.message(key)).status is Status.SENT


async def test_stop_gives_back_what_is_in_hand(make: Make, clock: HandClock) -> None:
    provider, gate = Scripted(max_in_flight=1), asyncio.Event()
    provider.answers.append(gate)
    stand = make(provider)
    stand.lane.start()
    await stand.hand()
    await sends(provider, 1)
    held = [await stand.hand() for _ in range(3)]
    stopping = asyncio.ensure_future(stand.lane.stop(60))
    for key in held:
        message = await stand.message(key)
        assert (message.status, message.attempt) == (Status.ACCEPTED, 0)

    async def due_at_once() -> bool:
        return all([(await stand.message(key)).due_at == clock.now() for key in held])

    await eventually(due_at_once)
    gate.set()
    await stopping
    assert len(provider.sends) == 1

    other = make()  # the next node finds them without waiting for any lease
    other.lane.start()
    for key in held:
        await other.becomes(key, Status.SENT, attempt=1)


@pytest.mark.parametrize("handed", [True, False])
async def test_stop_does_not_send_what_waits_for_its_turn(make: Make, clock: HandClock, handed: bool) -> None:
    """It never left, so its outcome is not unknown."""
    provider, ticks = Scripted(rate=1, max_in_flight=2), Ticks()
    stand = make(provider, monotonic=ticks)
    stand.lane.start()
    first = await stand.hand()
    await stand.becomes(first, Status.SENT)
    key = await stand.hand(promotion()) if handed else (await stand.accept(promotion())).id
    if not handed:
        await stand.becomes(key, Status.SENDING)
    await stand.lane.stop(10)
    assert (await stand.message(key)).status is Status.ACCEPTED
    assert provider.sends == [(first, 1)]

    clock.advance(5 * SECOND)
    other = make()
    other.lane.start()
    await other.becomes(key, Status.SENT)


class Interrupted:
    """A store between which and the lane something happens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.claiming = asyncio.Event()
        self.go_on = asyncio.Event()
        self.failures: dict[str, list[Exception]] = {}

    def __getattr__(self, name: str) -> Any:
        if failures := self.failures.get(name):
            raise failures.pop()
        return getattr(self._store, name)

    async def claim(self, claim: Any) -> Any:
        if failures := self.failures.get("claim"):
            raise failures.pop()
        claimed = await self._store.claim(claim)
        if claimed.to_send:
            self.claiming.set()
            await self.go_on.wait()
        return claimed


async def test_what_a_claim_brings_while_stopping_is_given_back(make: Make, store: Store) -> None:
    provider, between = Scripted(), Interrupted(store)
    stand = make(provider, through=between)
    key = (await stand.accept(promotion())).id
    stand.lane.start()
    await between.claiming.wait()
    stopping = asyncio.ensure_future(stand.lane.stop(10))
    await asyncio.sleep(0.01)
    between.go_on.set()
    await stopping
    assert (await stand.message(key)).status is Status.ACCEPTED
    assert [attempt.code for attempt in (await stand.story(key)).attempts] == ["Stopping"]
    assert provider.sends == []


async def test_stop_without_a_start_and_twice(make: Make) -> None:
    stand = make()
    key = await stand.hand()
    await stand.lane.stop(1)
    await stand.lane.stop(1)
    assert (await stand.message(key)).due_at == stand.clock.now()


# --- crashes and outages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("label", "attempts"), [(Label.TRANSACTION, 2), (Label.PROMOTION, 1)])
async def test_a_crash_with_an_open_attempt(make: Make, clock: HandClock, label: Label, attempts: int) -> None:
    dying, provider = Scripted(), Scripted()
    dying.answers.append(asyncio.Event())
    stand = make(dying)
    stand.lane.start()
    key = await stand.hand(draft(label=label, ttl=300))
    await sends(dying, 1)
    await stand.lane.stop(0)  # cancelled in the middle: nothing is recorded, as after a kill
    assert (await stand.message(key)).status is Status.SENDING

    other = make(provider)
    other.lane.start()
    clock.advance(LEASE - 1)
    await other.looked()
    assert (await other.message(key)).status is Status.SENDING
    clock.advance(1)
    message = await other.becomes(key, Status.UNKNOWN)
    assert message.losses == 1
    clock.advance(UNKNOWN_WAIT)
    await other.looked()
    if attempts == 2:
        await other.becomes(key, Status.SENT, attempt=2)
    assert [sent for sent in provider.sends if sent[0] == key] == [(key, 2)][: attempts - 1]
    lost = (await other.story(key)).attempts[0]
    assert (lost.number, lost.code, lost.outcome) == (1, "LeaseRanOut", "unknown")


async def test_a_crash_with_the_message_in_hand(make: Make, clock: HandClock) -> None:
    """No byte has left, so nothing is unknown."""
    provider = Scripted()
    stand = make(provider)
    key = (await stand.accept(promotion(), leased=True)).id
    stand.lane.start()
    clock.advance(ACCEPT_LEASE - 1)
    await stand.looked()
    assert (await stand.message(key)).status is Status.ACCEPTED
    clock.advance(1)
    await stand.becomes(key, Status.SENT, attempt=1)


async def test_a_message_that_somebody_else_claimed_meanwhile_is_let_go(make: Make, clock: HandClock) -> None:
    slow, quick = Scripted(), Scripted()
    owner, other = make(slow), make(quick)
    message = await owner.accept(leased=True)
    clock.advance(ACCEPT_LEASE)
    other.lane.start()
    await other.becomes(message.id, Status.SENT)
    owner.lane.start()
    owner.lane.hand(message)
    await owner.becomes(await owner.hand(), Status.SENT)
    assert message.id not in [sent for sent, _ in slow.sends]


async def test_the_end_of_an_attempt_is_recorded_when_the_store_is_back(make: Make, store: Store) -> None:
    """A known outcome does not become unknown because the database was away for a moment."""
    provider, between = Scripted(max_in_flight=1), Interrupted(store)
    between.go_on.set()
    between.failures["record"] = [StoreUnavailable("away")] * 3
    stand = make(provider, through=between)
    stand.lane.start()
    key = await stand.hand(promotion())
    await stand.becomes(key, Status.SENT, attempt=1)
    assert between.failures["record"] == []
    assert len(provider.sends) == 1


async def test_an_outcome_that_is_known_outlasts_an_outage(make: Make, store: Store) -> None:
    """It is stored when the database is back: it must not become unknown for that, and nothing is sent twice."""
    provider, between = Scripted(), Interrupted(store)
    between.go_on.set()
    between.failures["record"] = [StoreUnavailable("away") for _ in range(5)]
    stand = make(provider, through=between)
    stand.lane.start()
    key = await stand.hand(promotion())
    await stand.becomes(key, Status.SENT)
    assert (between.failures["record"], provider.sends) == ([], [(key, 1)])


async def test_an_outage_longer_than_the_lease(make: Make, store: Store, clock: HandClock) -> None:
    """Then the outcome is unknown after all: somebody else may have taken the message up."""
    provider, between = Scripted(max_in_flight=1), Interrupted(store)
    between.go_on.set()
    away = between.failures["record"] = [StoreUnavailable("away") for _ in range(100_000)]
    stand = make(provider, through=between)
    stand.lane.start()
    key = await stand.hand(promotion())
    await sends(provider, 1)
    clock.advance(LEASE)
    await stand.becomes(key, Status.UNKNOWN)
    away.clear()
    await stand.becomes(await stand.hand(), Status.SENT)  # the slot goes on
    assert (await stand.message(key)).status is Status.UNKNOWN


async def test_the_end_of_an_attempt_that_cannot_be_recorded(make: Make, store: Store, clock: HandClock) -> None:
    """Where it fails for good, the lease brings the message back, as after a crash; the slot goes on."""
    provider, between = Scripted(max_in_flight=1), Interrupted(store)
    between.go_on.set()
    between.failures["record"] = [RuntimeError("poison")]
    stand = make(provider, through=between)
    stand.lane.start()
    key = await stand.hand(promotion())
    await stand.becomes(await stand.hand(), Status.SENT)
    assert (await stand.message(key)).status is Status.SENDING
    clock.advance(LEASE)
    await stand.becomes(key, Status.UNKNOWN)


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), RuntimeError("poison")])
async def test_a_claim_that_fails_is_not_the_last(make: Make, store: Store, failure: Exception) -> None:
    between = Interrupted(store)
    between.go_on.set()
    between.failures["claim"] = [failure]
    stand = make(through=between)
    stand.lane.start()
    await stand.becomes((await stand.accept()).id, Status.SENT)
    assert between.failures["claim"] == []


async def test_an_attempt_that_was_overtaken_is_counted(make: Make, clock: HandClock) -> None:
    """The lease ran out while the request was open: the late reply changes nothing but is kept, with its token."""
    provider, gate = Scripted(), asyncio.Event()
    provider.answers.append(gate)
    stand = make(provider)
    stand.lane.start()
    key = await stand.hand()
    await sends(provider, 1)
    clock.advance(LEASE)
    await stand.becomes(key, Status.UNKNOWN)
    clock.advance(UNKNOWN_WAIT)
    await stand.becomes(key, Status.SENT, attempt=2)
    gate.set()

    async def overtaken() -> bool:
        return stand.counted("attempts_overtaken_total") == 1

    await eventually(overtaken)
    story = await stand.story(key)
    assert [(attempt.number, attempt.token) for attempt in story.attempts] == [
        (1, f"token-{key}-1"),
        (2, f"token-{key}-2"),
    ]
    assert await stand.receive(key, f"token-{key}-1") == ["applied"]
