"""A store of its own for each test, and the lanes and callback senders that work on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from chatgate.clock import HandClock
from chatgate.store import database
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.workers.callback_sender import CallbackSender
from tests.fresh_store import fresh_store
from tests.store.customer import Customer
from tests.store.journey import Journey
from tests.workers.endpoints import HEARD, World, open_secret
from tests.workers.stand import Scripted, Stand

Make = Callable[..., Stand]
Start = Callable[..., CallbackSender]
Damage = Callable[[str, object], None]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    async with fresh_store(tmp_path, clock) as store:
        yield store


@pytest.fixture
async def make(store: Store, clock: HandClock) -> AsyncIterator[Make]:
    """Makes stands over one store; their lanes are stopped at the end."""
    made: list[Stand] = []

    def one(provider: Any = None, **lane: Any) -> Stand:
        made.append(Stand(store, clock, provider or Scripted(), **lane))
        return made[-1]

    yield one
    for stand in made:
        await stand.lane.stop(0)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def journey(store: Store, clock: HandClock) -> Journey:
    return Journey(store, clock)


@pytest.fixture
async def customer(journey: Journey) -> Customer:
    customer = Customer(journey)
    await customer.exist()
    await customer.listen()
    return customer


@pytest.fixture
def damage(tmp_path: Path) -> Damage:
    """Changes the database behind the store's back."""

    def change(sql: str, value: object) -> None:
        engine = database.open_writer(database.sqlite_url(tmp_path))
        with engine.begin() as connection:
            connection.exec_driver_sql(sql, (value,))
        engine.dispose()

    return change


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def start(store: Store, world: World, clock: HandClock, metrics: Metrics) -> AsyncIterator[Start]:
    """Starts senders; they are stopped at the end."""
    made: list[CallbackSender] = []

    def one(through: Any = None, **changes: Any) -> CallbackSender:
        given = {"open_secret": open_secret, "report_sms": True, **changes}
        sender = CallbackSender(
            through or store, world.post, clock, metrics, given.pop("open_secret"), lambda: 0.0, **given
        )
        made.append(sender)
        sender.start()
        return sender

    yield one
    world.answer = lambda _: HEARD
    for sender in made:
        await sender.stop()
