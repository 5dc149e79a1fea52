"""The clock is set by hours: a minute in which nothing is judged by it, then the new time is true."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chatgate.clock import HOUR, SECOND
from chatgate.domain.message import FallbackState
from chatgate.errors import StoreUnavailable
from chatgate.store.instants import SetBack
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.workers.clock_keeper import DISTRUST, ClockKeeper
from chatgate.workers.fallback_timer import FallbackTimer
from chatgate.workers.pruner import Pruner
from tests.fresh_store import fresh_store
from tests.hand_clocks import HandMachine
from tests.store.journey import TTL, Journey, order
from tests.workers.test_callback_interruptions import Unsteady

FALLBACK = order(duration=300)


@pytest.fixture
def machine() -> HandMachine:
    return HandMachine()


@pytest.fixture
async def store(tmp_path: Path, machine: HandMachine) -> AsyncIterator[Store]:
    async with fresh_store(tmp_path, machine) as store:
        yield store


class Kept:
    """A keeper and what it tells."""

    def __init__(self, store: Any, machine: HandMachine) -> None:
        self.metrics = Metrics()
        self.keep = ClockKeeper(store, machine.system, self.metrics).keep

    @property
    def told(self) -> list[float | None]:
        names = ("clock_jumps_total", "clock_distrusted")
        return [self.metrics.registry.get_sample_value(f"chatgate_{name}") for name in names]


async def test_a_minute_of_distrust(store: Store, machine: HandMachine) -> None:
    kept = Kept(store, machine)
    await kept.keep()
    assert kept.told == [0, 0]
    machine.set_by(2 * HOUR)
    for _ in range(2):
        await kept.keep()
        assert kept.told == [1, 1]
    machine.advance(DISTRUST - 1)
    await kept.keep()
    assert not machine.is_steady()
    machine.advance(1)
    await kept.keep()
    assert machine.is_steady()
    assert kept.told == [1, 0]


async def test_an_error_that_is_corrected_within_the_minute_leaves_nothing(store: Store, machine: HandMachine) -> None:
    journey, kept = Journey(store, machine), Kept(store, machine)
    key = await journey.accept(fallback=FALLBACK)
    before = await journey.message(key)
    for by in (-2 * HOUR, 2 * HOUR):
        machine.set_by(by)
        await kept.keep()
        machine.advance(DISTRUST // 2)
    await kept.keep()
    assert kept.told == [2, 1]
    machine.advance(DISTRUST)
    await kept.keep()
    assert machine.is_steady()
    assert await journey.message(key) == before


@pytest.mark.parametrize("by", [-2 * HOUR, -30 * SECOND])
async def test_set_back(store: Store, machine: HandMachine, by: int) -> None:
    """What waits keeps its place: what was accepted before the jump moves with it, what comes after does not."""
    journey, kept = Journey(store, machine), Kept(store, machine)
    old = await journey.accept(fallback=FALLBACK)
    machine.advance(2 * SECOND)
    machine.set_by(by)
    fresh = [await journey.accept(fallback=FALLBACK)]  # before anybody has noticed
    await kept.keep()
    machine.advance(SECOND)
    fresh.append(await journey.accept(fallback=FALLBACK))
    machine.advance(DISTRUST - SECOND)
    await kept.keep()
    age = {key: machine.now() - (await journey.message(key)).accepted_at for key in (old, *fresh)}
    assert age == {old: DISTRUST + 2 * SECOND, fresh[0]: DISTRUST, fresh[1]: DISTRUST - SECOND}
    for key in (old, *fresh):
        message = await journey.message(key)
        assert message.fallback_at is not None
        assert message.due_at == message.accepted_at
        assert message.expires_at == message.accepted_at + TTL * SECOND
        assert message.fallback_at == message.accepted_at + 300 * SECOND


async def test_the_database_is_away_at_the_end_of_the_minute(store: Store, machine: HandMachine) -> None:
    """Nothing is judged by the new time before what waits has moved with it."""
    journey = Journey(store, machine)
    key = await journey.accept()
    away = Unsteady(store, set_back=1)
    kept = Kept(away, machine)
    machine.set_by(-2 * HOUR)
    await kept.keep()
    machine.advance(DISTRUST)
    with pytest.raises(StoreUnavailable):
        await kept.keep()
    assert not machine.is_steady()
    await kept.keep()
    assert machine.is_steady()
    assert (await journey.message(key)).accepted_at == machine.now() - DISTRUST


async def test_set_while_what_waits_is_moved(store: Store, machine: HandMachine) -> None:
    """The minute begins anew, and what was moved is not moved again."""

    jumps = [-10 * SECOND]

    class Setting:
        def __getattr__(self, verb: str) -> Any:
            return getattr(store, verb)

        async def set_back(self, setting: SetBack) -> int:
            moved = await store.set_back(setting)
            if jumps:
                machine.set_by(jumps.pop())
                assert not machine.is_steady()
            return moved

    journey, kept = Journey(store, machine), Kept(Setting(), machine)
    key = await journey.accept()
    machine.set_by(-2 * HOUR)
    await kept.keep()
    machine.advance(DISTRUST)
    await kept.keep()
    assert not machine.is_steady()
    moved = await journey.message(key)
    machine.advance(DISTRUST)
    await kept.keep()
    assert machine.is_steady()
    assert await journey.message(key) == moved


async def test_nothing_is_judged_in_between(store: Store, machine: HandMachine) -> None:
    """No fallback fires, nothing is forgotten; afterwards what is much too late is held, as after every outage."""
    journey, kept = Journey(store, machine), Kept(store, machine)
    key = await journey.accept(fallback=FALLBACK)
    nonce = bytes(16)
    assert await store.spend_nonce(nonce)
    timer, pruner = FallbackTimer(store, machine.system, kept.metrics), Pruner(store, machine.system)
    machine.set_by(2 * HOUR)
    await timer.fire()
    await pruner.prune()
    assert await journey.fallback(key) is FallbackState.ARMED
    assert not await store.spend_nonce(nonce)
    await kept.keep()
    machine.advance(DISTRUST)
    await kept.keep()
    await timer.fire()
    await pruner.prune()
    assert (await journey.fallback(key), await journey.sms(key)) == (FallbackState.HELD, [])
    assert await store.spend_nonce(nonce)
