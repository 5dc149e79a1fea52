"""Stored instants after the clock was set back: what was accepted in the future moves, and only that."""

from __future__ import annotations

import time

import msgspec

from chatgate.clock import HOUR, MINUTE, SECOND, Instant
from chatgate.store.instants import SetBack
from chatgate.store.store import Store
from chatgate.store.turns import LONGEST_REST
from tests.store.customer import Customer
from tests.store.journey import Journey, order


async def notice(journey: Journey) -> SetBack:
    """Set the clock back by two hours, and notice it."""
    journey.clock.advance(-2 * HOUR)
    now = journey.clock.now()
    return SetBack(by=2 * HOUR, noticed_at=now, noticed_key=journey.store.keys.next(), now=now)


async def test_what_waits_moves(journey: Journey, store: Store) -> None:
    long_ago = await journey.accept()
    journey.clock.advance(3 * HOUR)
    waiting = await journey.accept(fallback=order(duration=300))
    sent = await journey.sent("t", fallback=order(duration=None))
    failed = await journey.sending()
    await journey.record(failed, "refused", code="x")
    before = {key: await journey.message(key) for key in (long_ago, waiting, sent, failed.id)}
    setting = await notice(journey)
    afterwards = await journey.accept()
    before[afterwards] = await journey.message(afterwards)

    assert await store.set_back(setting) == 2
    for key in (long_ago, failed.id, afterwards):
        assert await journey.message(key) == before[key]

    def moved(instant: Instant | None) -> Instant | None:
        return None if instant is None else instant - 2 * HOUR

    for key in (waiting, sent):
        old = before[key]
        assert await journey.message(key) == msgspec.structs.replace(
            old, accepted_at=old.accepted_at - 2 * HOUR, expires_at=old.expires_at - 2 * HOUR,
            due_at=moved(old.due_at), fallback_at=moved(old.fallback_at),
        )  # fmt: skip
    assert await store.set_back(setting) == 0, "another process of this machine moves nothing a second time"


async def test_what_the_time_of_the_database_says_is_right_stays(journey: Journey, store: Store) -> None:
    """Noticed by a node that is two hours behind its database and all other nodes."""
    key = await journey.accept()
    before = await journey.message(key)
    theirs = journey.clock.now()
    setting = await notice(journey)
    assert await store.set_back(msgspec.structs.replace(setting, noticed_at=theirs)) == 0
    assert await journey.message(key) == before


async def test_the_latest_time(store: Store, kind: str) -> None:
    now = time.time_ns() // 1_000_000
    assert await store.latest_time(now + HOUR) == now + HOUR
    latest = await store.latest_time(now - HOUR)
    assert abs(latest - now) < MINUTE if kind == "postgresql" else latest == now - HOUR


async def test_customers_are_told_without_a_wait_of_two_hours(journey: Journey, customer: Customer) -> None:
    """An endpoint in a node's hands is free, a report that nobody told is due; what was told keeps its call."""
    (first,) = await customer.send(1)
    claimed = await customer.claim_one()
    (second,) = await customer.send(1, first=1)
    setting = await notice(journey)
    assert await customer.claim() == []
    assert await customer.store.set_back(setting) == 2
    (again,) = await customer.claim()
    assert [row.message_id for batch in again.batches for row in batch.reports] == [second]
    await customer.answer(claimed)
    assert customer.heard == [("Sent", first)]


async def test_an_endpoint_that_rests_rests_on(journey: Journey, customer: Customer) -> None:
    await customer.send(1)
    await customer.answer(await customer.claim_one(), heard=False)
    now, key = journey.clock.now(), journey.store.keys.next()
    assert await customer.store.set_back(SetBack(by=6 * SECOND, noticed_at=now, noticed_key=key, now=now)) == 0
    assert await customer.claim() == []
    journey.clock.advance(LONGEST_REST)
    assert len(await customer.claim()) == 1
