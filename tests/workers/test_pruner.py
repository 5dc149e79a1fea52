"""What is out of every window is forgotten; what waits is measured."""

from __future__ import annotations

from chatgate.clock import DAY, MINUTE, SECOND, HandClock
from chatgate.domain.receipt import Receipt, ReceiptStatus
from chatgate.store.receipts import Arrival
from chatgate.store.store import PARKED_WINDOW, Store
from chatgate.telemetry import Metrics
from chatgate.workers.pruner import Gauges, Pruner
from tests.workers.conftest import Make
from tests.workers.stand import eventually


async def park(store: Store, clock: HandClock, token: str) -> None:
    receipt = Receipt(provider="viber", token=token, status=ReceiptStatus.DELIVERED, at=clock.now())
    arrival = Arrival(receipts=[receipt], received_at=clock.now(), keys=store.keys.next)
    assert await store.apply_receipts(arrival) == ["parked"]


async def test_parked_receipts_are_forgotten_when_no_message_can_come_any_more(store: Store, clock: HandClock) -> None:
    await park(store, clock, "old")
    clock.advance(PARKED_WINDOW)
    await park(store, clock, "new")
    await Pruner(store, clock).prune()
    assert (await store.backlog(clock.now())).parked_receipts == 2
    clock.advance(1)
    await Pruner(store, clock).prune()
    assert (await store.backlog(clock.now())).parked_receipts == 1


async def test_gauges(make: Make, store: Store, clock: HandClock) -> None:
    metrics = Metrics()

    def measured() -> list[float | None]:
        names = ("backlog", "oldest_due_seconds", "parked_receipts")
        return [metrics.registry.get_sample_value(f"chatgate_{name}") for name in names]

    gauges = Gauges(store, clock, metrics)
    await gauges.measure()
    assert measured() == [0, 0, 0]
    stand = make()
    await stand.accept()
    clock.advance(MINUTE)
    await stand.accept()
    await park(store, clock, "early")
    await gauges.measure()
    assert measured() == [2, MINUTE / SECOND, 1]
    clock.advance(DAY)
    stand.lane.start()  # both have run out

    async def settled() -> bool:
        await gauges.measure()
        return measured()[:2] == [0, 0]

    await eventually(settled)
