"""Stops, crashes and a store that is away: no report is lost (promise P14)."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from chatgate.callbacks.delivery import Hearing
from chatgate.clock import HandClock
from chatgate.domain.callback import RETRIES
from chatgate.errors import StoreUnavailable
from chatgate.store.store import Store
from chatgate.store.turns import LEASE
from chatgate.telemetry import Metrics
from chatgate.workers.callback_sender import CallbackSender
from tests.store.customer import Customer
from tests.store.journey import Journey, receipt
from tests.workers.conftest import Start
from tests.workers.endpoints import HEARD, SILENT, World, only, open_secret, recorded
from tests.workers.stand import eventually


class Unsteady:
    """A store whose verbs fail as often as it is said."""

    def __init__(self, store: Store, error: Exception | None = None, **failures: int) -> None:
        self._store = store
        self._error = error or StoreUnavailable("away")
        self.failures = Counter(failures)

    def __getattr__(self, verb: str) -> Any:
        if self.failures[verb] > 0:
            self.failures[verb] -= 1
            return self._fail
        return getattr(self._store, verb)

    async def _fail(self, *_: Any) -> None:
        raise self._error


async def test_stop_lets_open_calls_end(start: Start, journey: Journey, customer: Customer, world: World) -> None:
    answer: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()
    world.answer = lambda _: answer
    sender = start()
    await journey.sent("t")
    await world.hears(1)
    stopping = asyncio.create_task(sender.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    answer.set_result(HEARD)
    await asyncio.wait_for(stopping, 10)
    assert (await only(customer)).state == "heard"
    await journey.receive(receipt("t", "read"))
    await asyncio.sleep(0.05)
    assert len(world.told) == 1  # it claims no more


async def test_stop_without_a_start(store: Store, world: World, clock: HandClock) -> None:
    await CallbackSender(store, world.post, clock, Metrics(), open_secret, lambda: 0.0, report_sms=True).stop()


async def test_a_crash_loses_nothing(
    start: Start, journey: Journey, customer: Customer, world: World, clock: HandClock
) -> None:
    """A node dies with the call open: another tells the same under the same id, once the lease is over."""
    hang: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()
    world.answer = lambda _: hang
    start()
    await journey.sent("1")
    await world.hears(1)
    world.answer = lambda _: HEARD
    start()
    clock.advance(LEASE)
    await world.hears(2)
    one, again = world.posts
    assert (one.body, one.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])
    hang.set_result(SILENT)  # the dead node wakes up: nothing changes
    await recorded(customer, "heard", 1)
    clock.advance(RETRIES[0])
    await journey.receive(receipt("1", "read"))
    await world.hears(3)
    assert [status for _, status in world.told] == ["Sent", "Sent", "Read"]


@pytest.mark.parametrize("verb", ["claim_endpoints", "reported", "record_turn"])
@pytest.mark.parametrize("error", [StoreUnavailable("away"), RuntimeError("a fault of ours")])
async def test_a_store_that_is_away(
    start: Start, journey: Journey, customer: Customer, world: World, clock: HandClock, verb: str, error: Exception
) -> None:
    """It goes on when the store is back; what was told but not stored is told again under the same id."""
    await journey.sent("t")
    unsteady = Unsteady(journey.store, error, **{verb: 1})
    start(unsteady)

    async def failed() -> bool:
        return unsteady.failures[verb] == 0

    await eventually(failed)
    if verb == "claim_endpoints":
        assert world.posts == []
    clock.advance(LEASE)
    await recorded(customer, "heard", 1)
    assert len(world.posts) == (2 if verb == "record_turn" else 1)
    assert len({post.headers["webhook-id"] for post in world.posts}) == 1
