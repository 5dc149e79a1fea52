"""Promise P14: what no endpoint would hear is listed, and told again when somebody says so."""

from __future__ import annotations

import pytest

from chatgate.clock import HOUR, HandClock
from chatgate.domain.callback import RETRIES
from chatgate.store.turns import PATIENCE, ClaimedEndpoint
from tests.store.customer import Customer, contents, reports
from tests.store.journey import Journey, receipt

# --- given up, and replayed ------------------------------------------------------------------------------------------


async def give_up(customer: Customer) -> None:
    """Refuse everything until it is given up."""
    clock = customer.journey.clock
    began = clock.now()
    for wait in (*RETRIES, 0):
        while found := await customer.claim():
            await customer.answer(found[0], heard=False, reached=True)
        clock.advance(wait)
    assert clock.now() - began >= 72 * HOUR


async def test_undeliverable_after_nine_retries(customer: Customer) -> None:
    keys = await customer.send(2)
    await give_up(customer)
    dead = await customer.dead()
    assert [(row.message_id, row.status, row.tries, row.answer) for row in dead] == [
        (key, "Sent", 10, "It answered HTTP 500.") for key in keys
    ]
    customer.journey.clock.advance(PATIENCE)
    assert await customer.claim() == []
    assert [row.id for row in await customer.store.undeliverable(7, 1)] == [dead[-1].id]  # newest first
    assert await customer.dead(8) == []


async def test_replayed(journey: Journey, customer: Customer) -> None:
    (key,) = await customer.send(1)
    first = await customer.claim_one()
    await customer.answer(first, heard=False, reached=True)
    journey.clock.advance(RETRIES[0])
    await give_up(customer)
    assert await customer.replay() == 1
    assert await customer.dead() == []
    again = await customer.claim_one()
    assert (reports(again), again.batches[0].tries) == ([[("Sent", key)]], 0)
    assert again.batches[0].batch_id != first.batches[0].batch_id  # told anew: who knew the old id hears it
    await customer.answer(again, heard=False, reached=True)
    await give_up(customer)
    assert (await customer.dead())[0].tries == 10
    assert await customer.replay() == 1
    assert await customer.hear() == [("Sent", key)]
    assert await customer.replay() == 0


async def test_replayed_in_order(journey: Journey, customer: Customer) -> None:
    (key,) = await customer.send(1)
    await give_up(customer)
    await journey.receive(receipt("0", "delivered"), receipt("0", "read"))
    for _ in range(2):
        await give_up(customer)
    assert len(await customer.dead()) == 3
    assert await customer.replay() == 3
    assert await customer.hear() == [(status, key) for status in ("Sent", "Delivered", "Read")]


async def test_replayed_before_what_still_waits(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """A later report on its way through its retries waits, with its whole batch, for an earlier one told again."""
    one, two = await customer.send(2)
    claimed = await customer.claim_one()
    await give_up_batch(customer, claimed)
    await journey.receive(receipt("0", "delivered"))
    (other,) = await customer.send(1, first=2)
    later = await customer.claim_one()
    assert reports(later) == [[("Delivered", one), ("Sent", other)]]
    await customer.answer(later, heard=False, reached=True)
    assert await customer.replay() == 2
    clock.advance(RETRIES[0])
    again = await customer.claim_one()
    assert reports(again) == [[("Sent", one), ("Sent", two)]]
    await customer.answer(again)
    assert contents(await customer.claim_one()) == contents(later)


async def give_up_batch(customer: Customer, claimed: ClaimedEndpoint) -> None:
    for wait in RETRIES:
        await customer.answer(claimed, heard=False, reached=True)
        customer.journey.clock.advance(wait)
        claimed = await customer.claim_one()
    await customer.answer(claimed, heard=False, reached=True)


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"since": 20}, [1, 2, 3]),
        ({"until": 30}, [0, 1, 2]),
        ({"since": 20, "until": 30}, [1, 2]),
        ({"since": 21, "until": 29}, []),
        ({"account_id": 8}, []),
    ],
)
async def test_replayed_by_range(
    journey: Journey, customer: Customer, narrowed: dict[str, int], expected: list[int]
) -> None:
    keys = await customer.send(4)
    await customer.hear()
    for n, at in enumerate((10, 20, 30, 40)):
        await journey.receive(receipt(str(n), "delivered", at=at))
    await give_up(customer)
    assert await customer.replay(**narrowed) == len(expected)
    assert [key for _, key in await customer.hear()] == [keys[n] for n in expected]
    assert len(await customer.dead()) == 4 - len(expected)


async def test_replayed_by_ids(customer: Customer) -> None:
    keys = await customer.send(3)
    await give_up(customer)
    ids = [row.id for row in await customer.dead()]
    assert await customer.replay(ids=[]) == 0
    assert await customer.replay(ids=[ids[1]], account_id=8) == 0
    assert await customer.replay(ids=[ids[0], ids[2], 999_999]) == 2
    assert await customer.hear() == [("Sent", keys[0]), ("Sent", keys[2])]
    assert await customer.replay(ids=ids) == 1


async def test_what_waits_or_was_heard_is_not_replayed(customer: Customer) -> None:
    await customer.send(1)
    await customer.hear()
    await customer.send(1, first=1)
    assert await customer.replay() == 0
