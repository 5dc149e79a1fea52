from __future__ import annotations

import pytest

from chatgate.clock import DAY, HOUR, MINUTE, HandClock
from chatgate.domain.message import Status
from chatgate.store.calls import NONCE_WINDOW, RETRY_WINDOW, nonce_key
from chatgate.store.store import PARKED_WINDOW
from tests.store.journey import Journey, receipt, retry_key

LAST_DATE = 253_402_300_799_999
"""The end of the year 9999: no later date can be written in a request."""


async def test_nothing_to_forget(journey: Journey) -> None:
    pruned = await journey.store.prune(journey.clock.now())
    assert pruned == {"nonces": 0, "retry_keys": 0, "parked_receipts": 0}


async def test_nonces_are_kept_as_long_as_their_date_is_accepted(journey: Journey, clock: HandClock) -> None:
    start = clock.now()
    dates = [start + minutes * MINUTE for minutes in (-15, -1, 0, 15)]
    for date in dates:
        await journey.accept(nonce=nonce_key("key", "n", date))
    for minute in range(0, 40):
        now = start + minute * MINUTE
        await journey.store.prune(now)
        for date in dates:
            if now - date <= NONCE_WINDOW:
                assert (await journey.try_accept(nonce=nonce_key("key", "n", date))).nonce_used, (minute, date)
    assert (await journey.store.prune(start + HOUR))["nonces"] == 0


@pytest.mark.parametrize("date", [-1, 0, 1, LAST_DATE])
async def test_nonces_of_odd_dates(journey: Journey, date: int) -> None:
    """The gateway refuses such dates; the store must not break on them."""
    assert await journey.store.spend_nonce(nonce_key("key", "n", date))
    assert not await journey.store.spend_nonce(nonce_key("key", "n", date))
    assert (await journey.store.prune(journey.clock.now()))["nonces"] == (date < LAST_DATE)


async def test_retry_keys(journey: Journey, clock: HandClock) -> None:
    first = await journey.accept(retry=retry_key("k"))
    clock.advance(RETRY_WINDOW)
    assert (await journey.store.prune(clock.now()))["retry_keys"] == 0
    assert (await journey.try_accept(retry=retry_key("k"))).key == first
    clock.advance(1)
    assert (await journey.store.prune(clock.now()))["retry_keys"] == 1
    assert (await journey.try_accept(retry=retry_key("k", "another"))).stored


async def test_parked_receipts(journey: Journey, clock: HandClock) -> None:
    """Those without a message go after two days; those of a message stay with it."""
    key = await journey.sent("t")
    await journey.receive(receipt("t", "delivered"), receipt("lost", "read"))
    clock.advance(PARKED_WINDOW)
    assert (await journey.store.prune(clock.now()))["parked_receipts"] == 0
    clock.advance(1)
    assert (await journey.store.prune(clock.now()))["parked_receipts"] == 1
    assert len((await journey.story(key)).receipts) == 1
    assert PARKED_WINDOW == 2 * DAY
    assert await journey.status(key) is Status.DELIVERED
