"""Endpoints put, changed and taken away."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from chatgate.clock import HandClock
from chatgate.domain.callback import RETRIES
from chatgate.store.endpoints import EndpointChange, EndpointOrder
from chatgate.store.turns import LEASE
from tests.store.conftest import Open
from tests.store.customer import SEALED, URL, Customer
from tests.store.journey import Journey, receipt

NEW_URL = "https://shop.example/new"
GONE = "The endpoint was taken away."


@pytest.fixture
async def customer(journey: Journey) -> Customer:
    customer = Customer(journey)
    await customer.exist()
    await customer.exist(8, "service-8")
    return customer


async def listed(customer: Customer, account_id: int = 7) -> list[tuple[str, str, str]]:
    found = await customer.store.list_endpoints(account_id)
    return [(row.sender, row.kind, row.url) for row in found]


async def test_put_changed_taken_away(customer: Customer) -> None:
    assert await listed(customer) == []
    await customer.listen()
    await customer.listen(sender="27549")
    await customer.listen("https://shop.example/in", sender="27549", kind="inbound")
    await customer.listen("https://other.example/", account_id=8)
    inbound = ("27549", "inbound", "https://shop.example/in")
    assert await listed(customer) == [("", "status", URL), inbound, ("27549", "status", URL)]
    await customer.listen(NEW_URL, sender="27549")
    assert await listed(customer) == [("", "status", URL), inbound, ("27549", "status", NEW_URL)]
    await customer.listen(None)
    assert await listed(customer) == [inbound, ("27549", "status", NEW_URL)]
    assert await listed(customer, 8) == [("", "status", "https://other.example/")]


async def test_what_is_not_there_is_taken_away(customer: Customer) -> None:
    await customer.listen(None)
    assert await listed(customer) == []


async def test_the_secret_is_made_once(customer: Customer) -> None:
    assert await customer.store.callback_secret(7) is None
    await customer.listen()
    change = EndpointChange(
        key=customer.store.keys.next(), account_id=7, sender="27549", kind="status", url=URL, batch=1,
        sealed_secret=b"another",
    )  # fmt: skip
    await customer.store.set_endpoints(EndpointOrder(changes=[change]))
    await customer.listen(None)
    assert await customer.store.callback_secret(7) == SEALED
    assert await customer.store.callback_secret(8) is None
    assert await customer.store.callback_secret(9) is None


async def test_a_used_nonce_changes_nothing(customer: Customer) -> None:
    def order(url: str) -> EndpointOrder:
        change = EndpointChange(
            key=customer.store.keys.next(), account_id=7, sender="", kind="status", url=url, batch=1,
            sealed_secret=SEALED,
        )  # fmt: skip
        return EndpointOrder(changes=[change], nonce=b"n" * 20)

    assert await customer.store.set_endpoints(order(URL))
    assert not await customer.store.set_endpoints(order(NEW_URL))
    assert await listed(customer) == [("", "status", URL)]


# --- what waits ------------------------------------------------------------------------------------------------------


async def test_what_waits_is_undeliverable(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """Tried or not, due or not; what was heard stays so, and other endpoints' reports wait on."""
    await customer.listen()
    await customer.listen(NEW_URL, sender="other")
    await journey.sent("heard")
    await customer.hear()
    tried = await journey.sent("tried")
    await customer.answer(await customer.claim_one(), heard=False, reached=True)
    untried = await journey.sent("untried")
    elsewhere = await journey.sent("elsewhere", sender="other")
    await customer.listen(None)
    dead = await customer.dead()
    assert [(row.message_id, row.answer) for row in dead] == [(tried, GONE), (untried, GONE)]
    clock.advance(RETRIES[0])
    assert await customer.hear() == [("Sent", elsewhere)]


async def test_replayed_without_an_endpoint(journey: Journey, customer: Customer) -> None:
    """Nothing gets lost: it is listed again, and told once there is an endpoint."""
    await customer.listen()
    key = await journey.sent("t")
    await customer.listen(None)
    assert await customer.replay() == 1
    assert await customer.claim() == []
    assert [(row.message_id, row.answer) for row in await customer.dead()] == [(key, GONE)]
    await customer.listen(NEW_URL)
    assert await customer.replay() == 1
    assert (await customer.claim_one()).url == NEW_URL


async def test_a_new_address_gets_what_waits(journey: Journey, customer: Customer, clock: HandClock) -> None:
    await customer.listen()
    await journey.sent("t")
    await customer.answer(await customer.claim_one(), heard=False, reached=True)
    await customer.listen(NEW_URL)
    clock.advance(RETRIES[0])
    assert (await customer.claim_one()).url == NEW_URL


async def test_a_new_address_does_not_rest_for_the_old_one(
    journey: Journey, customer: Customer, clock: HandClock
) -> None:
    await customer.listen()
    for n in range(8):
        await journey.sent(str(n))
        await customer.answer(await customer.claim_one(), heard=False)
        clock.advance(60_000 * (n + 1))
    await journey.sent("t")
    await customer.answer(await customer.claim_one(), heard=False)
    await customer.listen(URL)  # the same one again
    assert await customer.claim() == []
    await customer.listen(NEW_URL)
    claimed = await customer.claim_one()
    assert (claimed.url, claimed.failures) == (NEW_URL, 0)


async def test_a_new_address_while_a_call_is_open(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """What the old address did not answer says nothing of the new one."""
    await customer.listen()
    await journey.sent("t")
    old = await customer.claim_one()
    clock.advance(1)
    await customer.listen(NEW_URL)
    new = await customer.claim_one()
    await customer.answer(old, heard=False)
    await customer.answer(new)
    await journey.receive(receipt("t", "read"))
    assert [status for status, _ in await customer.hear()] == ["Read"]


async def test_taken_away_while_a_call_is_open(journey: Journey, customer: Customer, clock: HandClock) -> None:
    await customer.listen()
    key = await journey.sent("t")
    claimed = await customer.claim_one()
    await customer.listen(None)
    await customer.answer(claimed, heard=False)
    assert [(row.message_id, row.answer) for row in await customer.dead()] == [(key, GONE)]
    await customer.answer(claimed)  # it was heard, after all
    assert await customer.dead() == []
    clock.advance(LEASE)
    assert await customer.claim() == []


async def test_taken_away_while_another_node_writes(journey: Journey, customer: Customer, open_store: Open) -> None:
    """Each report is heard or listed, whichever of the two comes first."""
    other = await open_store()
    for round_ in range(15):
        await customer.listen()
        key = await journey.sent(str(round_))
        arrival = journey.arrival([receipt(str(round_), "delivered")], other)
        await asyncio.gather(customer.listen(None), other.apply_receipts(arrival))
        assert await customer.claim() == []
        told = (await journey.story(key)).callbacks
        assert {row.state for row in told} == {"undeliverable"}


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_report_that_was_just_being_written(journey: Journey, customer: Customer, url: str) -> None:
    """Its transaction saw the endpoint, and ends after it was taken away."""
    await customer.listen()
    await journey.sent("t")
    with psycopg.connect(url) as other:
        other.execute(
            "INSERT INTO callbacks (endpoint_id, account_id, message_id, status, at, state, tries, due_at) "
            "SELECT endpoint_id, account_id, message_id, 'Delivered', 1, 'waiting', 0, due_at FROM callbacks"
        )
        await asyncio.wait_for(customer.listen(None), 10)  # waits for nobody
        other.commit()
    assert [row.status for row in await customer.dead()] == ["Sent"]
    assert await customer.claim() == []
    assert [row.status for row in await customer.dead()] == ["Sent", "Delivered"]
