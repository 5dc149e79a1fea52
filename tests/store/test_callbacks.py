"""Promise P14: each change of status is written down for the endpoint that is to hear it, with the change itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from chatgate.clock import HandClock
from chatgate.domain.lifecycle import REST_MARGIN
from chatgate.domain.message import Failure, Label, Outcome
from chatgate.store import receipts
from chatgate.store.rows import AnyRow
from chatgate.store.turns import LEASE
from tests.store.conftest import Tamper
from tests.store.customer import URL, Customer
from tests.store.journey import ORDER, UNKNOWN_WAIT, Journey, receipt


async def told(customer: Customer) -> list[AnyRow]:
    """Hear all; answer the rows."""
    rows: list[AnyRow] = []
    while found := await customer.claim():
        for claimed in found:
            rows += [row for batch in claimed.batches for row in batch.reports]
            await customer.answer(claimed)
    return rows


# --- what is told ----------------------------------------------------------------------------------------------------


async def test_each_change_in_order(journey: Journey, customer: Customer) -> None:
    key = await journey.sent("t")
    await journey.receive(receipt("t", "delivered", at=5), receipt("t", "delivered", at=6), receipt("t", "read", at=7))
    rows = await told(customer)
    sent_at = journey.clock.now()
    assert [(row.status, row.message_id, row.at, row.code, row.body) for row in rows] == [
        ("Sent", key, sent_at, None, None), ("Delivered", key, 5, None, None), ("Read", key, 7, None, None),
    ]  # fmt: skip


async def test_read_without_delivered(journey: Journey, customer: Customer) -> None:
    key = await journey.sent("t")
    await journey.receive(receipt("t", "read"), receipt("t", "delivered"))
    assert await customer.hear() == [("Sent", key), ("Read", key)]


async def test_parked_receipts_come_after_sent(journey: Journey, customer: Customer) -> None:
    message = await journey.sending()
    await journey.receive(receipt("t", "delivered"), receipt("t", "read"))
    await journey.record(message, "sent", token="t")
    assert await customer.hear() == [(status, message.id) for status in ("Sent", "Delivered", "Read")]


async def test_failed_and_delivered_after_all(journey: Journey, customer: Customer) -> None:
    """The receipt of a higher rank wins, and is told too."""
    key = await journey.sent("t")
    for status in ("expired", "undelivered", "delivered"):
        await journey.receive(receipt("t", status))
    assert await customer.hear() == [("Sent", key), ("Failed", key), ("Failed", key), ("Delivered", key)]


@pytest.mark.parametrize(
    ("status", "given", "code"),
    [
        ("undelivered", "SRVC_NO_SUITABLE_DEVICE", "SRVC_NO_SUITABLE_DEVICE"),
        ("undelivered", "", "Undelivered"),
        ("expired", "", "SRVC_TIMEOUT"),
    ],
)
async def test_failed_by_a_receipt(journey: Journey, customer: Customer, status: str, given: str, code: str) -> None:
    key = await journey.sent("t")
    await journey.receive(receipt("t", status, code=given, reason="Why."))
    _, failed = await told(customer)
    assert (failed.status, failed.message_id, failed.code, failed.reason) == ("Failed", key, code, "Why.")


async def test_refused(journey: Journey, customer: Customer) -> None:
    message = await journey.sending()
    await journey.record(message, "refused", code="SRVC_NOT_VIBER_USER", reason="Not a Viber user.")
    (row,) = await told(customer)
    assert (row.status, row.message_id, row.code, row.reason) == (
        "Failed", message.id, "SRVC_NOT_VIBER_USER", "Not a Viber user.",
    )  # fmt: skip


async def test_accepted_as_failed(journey: Journey, customer: Customer) -> None:
    key = await journey.accept(failure=Failure(code="SenderPaused", reason="The sender is paused."))
    (row,) = await told(customer)
    assert (row.status, row.message_id, row.code, row.at) == ("Failed", key, "SenderPaused", journey.clock.now())


async def test_ran_out(journey: Journey, customer: Customer, clock: HandClock) -> None:
    sent = await journey.sent("t", recipient="639170000002")
    queued = await journey.accept(ttl=30)
    clock.set((await journey.message(sent)).expires_at + REST_MARGIN)
    await journey.claim()
    rows = {row.message_id: row for row in await told(customer) if row.status == "Failed"}
    assert {key: row.code for key, row in rows.items()} == {queued: "SRVC_TIMEOUT", sent: "SRVC_TIMEOUT"}


async def test_quarantined(journey: Journey, customer: Customer, tamper: Tamper) -> None:
    key = await journey.accept()
    tamper("UPDATE messages SET draft = ? WHERE id = ?", "{", key)
    await journey.claim()
    (row,) = await told(customer)
    assert (row.status, row.message_id, row.code) == ("Failed", key, "Quarantined")


@pytest.mark.parametrize("label", Label)
async def test_unknown_is_told_at_rest_only(
    journey: Journey, customer: Customer, clock: HandClock, label: Label
) -> None:
    message = await journey.unknown(label=label)
    clock.advance(UNKNOWN_WAIT)
    for again in (await journey.claim()).to_send:
        await journey.record(again, "unknown")
    assert await customer.hear() == []
    clock.set(message.expires_at)
    await journey.claim()
    (row,) = await told(customer)
    assert (row.status, row.message_id, row.code) == ("Failed", message.id, "UnknownOutcome")


async def test_unknown_that_is_resolved_tells_what_it_is(journey: Journey, customer: Customer) -> None:
    message = await journey.unknown()
    await journey.record(message, "sent", token="t")
    await journey.receive(receipt("t", "delivered"))
    assert await customer.hear() == [("Sent", message.id), ("Delivered", message.id)]


@pytest.mark.parametrize("outcome", [Outcome.DEFERRED, Outcome.THROTTLED, Outcome.UNKNOWN])
async def test_nobody_is_told_of_what_is_not_settled(journey: Journey, customer: Customer, outcome: Outcome) -> None:
    await journey.record(await journey.sending(), outcome)
    assert await customer.hear() == []


async def test_what_changes_nothing_is_not_told(journey: Journey, customer: Customer) -> None:
    key = await journey.sent("t")
    await journey.receive(receipt("t", "read"))
    await customer.hear()
    await journey.receive(receipt("t", "delivered"), receipt("t", "read"), receipt("t", "undelivered"))
    await journey.receive(receipt("nobody", "read"))
    assert await customer.hear() == []
    assert (await journey.message(key)).status == "read"


async def test_sms(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """Its own changes, told to the endpoint of the Viber message's sender."""
    await customer.listen("https://shop.example/27549", sender="27549")
    await customer.listen("https://shop.example/Shop", sender="Shop")
    failed = Failure(code="SenderPaused", reason="")
    key = await journey.accept(failure=failed, fallback=ORDER)
    (claimed,) = (await journey.claim(lane="sms")).to_send
    await journey.record(claimed, "sent", token="s")
    await journey.receive(receipt("s", "delivered"))
    assert {endpoint.url for endpoint in await customer.claim()} == {"https://shop.example/27549"}
    clock.advance(LEASE)
    assert await customer.hear() == [("Failed", key), ("Sent", claimed.id), ("Delivered", claimed.id)]


# --- who is told -----------------------------------------------------------------------------------------------------


async def test_no_endpoint_nothing_stored(journey: Journey) -> None:
    customer = Customer(journey)
    await customer.exist()
    await journey.sent("before")
    await customer.listen()
    assert await customer.hear() == []  # it hears of what happens from now on
    key = await journey.sent("after")
    assert await customer.hear() == [("Sent", key)]


async def test_the_senders_endpoint_before_the_accounts(journey: Journey, customer: Customer) -> None:
    await customer.listen("https://shop.example/27549", sender="27549")
    one = await journey.sent("1")
    other = await journey.sent("2", sender="27550")
    heard = {}
    for claimed in await customer.claim():
        heard[claimed.url] = [row.message_id for batch in claimed.batches for row in batch.reports]
    assert heard == {"https://shop.example/27549": [one], URL: [other]}


async def test_only_the_sender_has_an_endpoint(journey: Journey) -> None:
    customer = Customer(journey)
    await customer.exist()
    await customer.listen(sender="27549")
    key = await journey.sent("1")
    await journey.sent("2", sender="27550")
    assert await customer.hear() == [("Sent", key)]


async def test_the_accounts_endpoint_again_when_the_senders_is_taken_away(journey: Journey, customer: Customer) -> None:
    await customer.listen("https://shop.example/27549", sender="27549")
    await customer.listen(None, sender="27549")
    key = await journey.sent("t")
    claimed = await customer.claim_one()
    assert (claimed.url, claimed.batches[0].reports[0].message_id) == (URL, key)


async def test_endpoint_for_replies_hears_no_status(journey: Journey) -> None:
    customer = Customer(journey)
    await customer.exist()
    await customer.listen(kind="inbound")
    await journey.sent("t")
    assert await customer.hear() == []


async def test_accounts_are_apart(journey: Journey, customer: Customer) -> None:
    await customer.exist(8, "service-8")
    await customer.listen("https://other.example/", account_id=8)
    here = await journey.sent("7")
    there = await journey.sent("8", account_id=8)
    heard = {}
    for claimed in await customer.claim():
        heard[claimed.account_id, claimed.url] = claimed.batches[0].reports[0].message_id
    assert heard == {(7, URL): here, (8, "https://other.example/"): there}


# --- with the change itself ------------------------------------------------------------------------------------------


async def test_rolled_back_with_its_change(journey: Journey, customer: Customer) -> None:
    """The change does not happen: nobody is told of it."""
    key = await journey.sent("t")
    await customer.hear()

    def applied_and_then_broken(connection: Connection, items: Sequence[receipts.Arrival]) -> list[None]:
        receipts.apply_receipts(connection, items)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await journey.store._committer.run(applied_and_then_broken, journey.arrival([receipt("t", "delivered")]))
    assert (await journey.message(key)).status == "sent"
    assert await customer.hear() == []


async def test_many_changes_in_one_transaction(journey: Journey, customer: Customer) -> None:
    keys = [await journey.sent(str(n), recipient=f"63917000{n:04}") for n in range(20)]
    await asyncio.gather(*(journey.receive(receipt(str(n), "delivered")) for n in range(20)))
    heard = await customer.hear()
    assert len(heard) == 40
    for key in keys:
        assert [status for status, about in heard if about == key] == ["Sent", "Delivered"]
