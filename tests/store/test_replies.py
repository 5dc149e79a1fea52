"""Replies, and who subscribes or unsubscribes: stored, and told to the endpoint that hears of it."""

from __future__ import annotations

import json

import msgspec
import pytest

from chatgate.domain.receipt import Reply
from chatgate.store.instances import SpaceOrder, SpaceOutcome
from chatgate.store.replies import ReplyArrival
from tests.store.conftest import Tamper
from tests.store.customer import Customer
from tests.store.journey import ACCOUNT, PHONE, SERVICE, Journey, receipt


@pytest.fixture
async def customer(journey: Journey) -> Customer:
    customer = Customer(journey)
    await customer.exist()
    await customer.exist(8, "service-8")
    return customer


def reply(**changes: object) -> Reply:
    plain = Reply(provider="viber", service_id=SERVICE, recipient=PHONE, at=77, text="Thank you")
    return msgspec.structs.replace(plain, **changes)


async def arrive(customer: Customer, *replies: Reply) -> int:
    arrival = ReplyArrival(
        replies=replies, received_at=customer.journey.clock.now(), keys=customer.store.keys.next,
        public_id=customer.store.message_ids.public,
    )  # fmt: skip
    return await customer.store.take_replies(arrival)


async def told(customer: Customer) -> dict[str, list[dict[str, object]]]:
    """Hear all; answer the reports of each URL."""
    heard: dict[str, list[dict[str, object]]] = {}
    while found := await customer.claim():
        for claimed in found:
            rows = [row for batch in claimed.batches for row in batch.reports]
            heard.setdefault(claimed.url, []).extend(json.loads(row.body) for row in rows)
            await customer.answer(claimed)
    return heard


# --- replies ---------------------------------------------------------------------------------------------------------


async def test_reply_under_the_first_space(customer: Customer) -> None:
    """The first is the oldest, whatever the id of a newer one."""
    await customer.listen(kind="inbound")
    order = SpaceOrder(account_id=ACCOUNT, space_id="0", details={}, most=9, nonce=b"n" * 16, now=1000)
    assert (await customer.store.change_space(order)).outcome is SpaceOutcome.DONE
    assert await arrive(customer, reply()) == 1
    ((found,),) = (await told(customer)).values()
    assert found["CustSpaceId"] == "282514865123580001"


async def test_reply(customer: Customer) -> None:
    await customer.listen("https://shop.example/in", sender="27549", kind="inbound")
    await customer.listen("https://shop.example/status", sender="27549")
    await customer.listen("https://other.example/in", kind="inbound", account_id=8)
    assert await arrive(customer, reply()) == 1
    ((url, (found,)),) = (await told(customer)).items()
    assert url == "https://shop.example/in"
    assert customer.store.message_ids.key(str(found.pop("MessageId"))) is not None
    assert found == {
        "From": PHONE, "To": "27549", "Timestamp": 77, "Type": "TEXT", "Message": "Thank you",
        "CustSpaceId": "282514865123580001", "NoticeType": "inbound",
    }  # fmt: skip


async def test_replies_of_one_request_have_ids_of_their_own(customer: Customer) -> None:
    await customer.listen("https://shop.example/in", kind="inbound")
    assert await arrive(customer, reply(text="1"), reply(text="2"), reply(service_id="service-8")) == 3
    (found,) = (await told(customer)).values()
    assert [one["Message"] for one in found] == ["1", "2"]
    assert len({str(one["MessageId"]) for one in found}) == 2


@pytest.mark.parametrize("service_id", ["nobody's", ""])
async def test_reply_to_nobody(customer: Customer, service_id: str) -> None:
    await customer.listen(kind="inbound")
    assert await arrive(customer, reply(service_id=service_id)) == 0
    assert await told(customer) == {}


async def test_reply_without_endpoint_is_stored(customer: Customer) -> None:
    assert await arrive(customer, reply()) == 1
    await customer.listen(kind="inbound")
    assert await told(customer) == {}


async def test_reply_is_retried_like_any_report(customer: Customer) -> None:
    await customer.listen(kind="inbound")
    await arrive(customer, reply())
    first = await customer.claim_one()
    await customer.answer(first, heard=False, reached=True)
    customer.journey.clock.advance(5_000)
    again = await customer.claim_one()
    assert [row.body for row in again.batches[0].reports] == [row.body for row in first.batches[0].reports]
    assert again.batches[0].batch_id == first.batches[0].batch_id


# --- subscriptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "word"), [("subscribed", "subscribe"), ("unsubscribed", "unsubscribe")])
async def test_subscription(journey: Journey, customer: Customer, status: str, word: str) -> None:
    await customer.listen("https://shop.example/status")
    await customer.listen("https://shop.example/in", kind="inbound")
    await customer.listen("https://other.example/", account_id=8)
    assert await journey.receive(receipt("", status, service_id=SERVICE, recipient=PHONE, at=77)) == ["ignored"]
    assert await told(customer) == {
        "https://shop.example/status": [
            {
                "MessageId": "", "From": "27549", "To": PHONE, "Status": word, "StatusDescription": word,
                "Timestamp": 77, "MsgFrameType": "message", "Type": "none", "TaskId": "",
            }
        ]
    }  # fmt: skip


async def test_subscription_of_a_sender_with_its_own_endpoint(journey: Journey, customer: Customer) -> None:
    await customer.listen("https://shop.example/status")
    await customer.listen("https://shop.example/27549", sender="27549")
    await journey.receive(receipt("", "subscribed", service_id=SERVICE, recipient=PHONE))
    assert list(await told(customer)) == ["https://shop.example/27549"]


async def test_subscription_to_nobody(journey: Journey, customer: Customer) -> None:
    await customer.listen()
    await journey.receive(receipt("", "unsubscribed", recipient=PHONE))
    await journey.receive(receipt("", "unsubscribed", service_id="nobody's", recipient=PHONE))
    assert await told(customer) == {}


async def test_two_accounts_with_one_service(journey: Journey, customer: Customer, tamper: Tamper) -> None:
    """Both hear of it: nobody knows whose it is."""
    tamper("UPDATE senders SET service_id = ? WHERE account_id = 8", SERVICE)
    await customer.listen("https://shop.example/")
    await customer.listen("https://other.example/", account_id=8)
    await journey.receive(receipt("", "subscribed", service_id=SERVICE, recipient=PHONE))
    assert set(await told(customer)) == {"https://shop.example/", "https://other.example/"}
