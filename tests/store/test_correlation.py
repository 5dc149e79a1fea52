"""Receipts whose message is not known when they come: parked, and joined when it is."""

from __future__ import annotations

import asyncio
from itertools import permutations

import pytest

from chatgate.clock import HandClock
from chatgate.domain.message import Status
from chatgate.domain.receipt import Receipt
from tests.store.conftest import Open
from tests.store.journey import PHONE, SERVICE, UNKNOWN_WAIT, Journey, receipt


def orphan(token: str, status: str = "delivered", **more: object) -> Receipt:
    """A receipt that tells whose phone it is about."""
    return receipt(token, status, **{"service_id": SERVICE, "recipient": PHONE, **more})


async def parked(journey: Journey) -> int:
    return (await journey.store.backlog(journey.clock.now())).parked_receipts


async def test_parked_until_its_token_is_recorded(journey: Journey) -> None:
    message = await journey.sending()
    assert await journey.receive(receipt("t", "delivered")) == ["parked"]
    assert (await journey.status(message.id), await parked(journey)) == (Status.SENDING, 1)
    await journey.record(message, "sent", token="t")
    story = await journey.story(message.id)
    assert (story.message.status, story.message.due_at) == (Status.DELIVERED, None)
    assert [(stored.effect, stored.account_id) for stored in story.receipts] == [("applied", 7)]
    assert await parked(journey) == 0


async def test_several_parked_are_joined_in_the_order_they_came(journey: Journey) -> None:
    for order in set(permutations(["delivered", "undelivered", "read", "read"])):
        token = "-".join(order)
        message = await journey.sending()
        for status in order:
            assert await journey.receive(receipt(token, status)) == ["parked"]
        await journey.record(message, "sent", token=token)
        story = await journey.story(message.id)
        assert (story.message.status, story.message.failure) == (Status.READ, None)
        assert [stored.status for stored in story.receipts] == list(order)
        assert [stored.effect for stored in story.receipts].count("applied") == order.index("read") + 1 - (
            order[:2] == ("delivered", "undelivered")
        )


async def test_parked_for_another_provider_stays(journey: Journey) -> None:
    message = await journey.sending()
    await journey.receive(receipt("t", "delivered", provider="another"))
    await journey.record(message, "sent", token="t")
    assert (await journey.status(message.id), await parked(journey)) == (Status.SENT, 1)


async def test_receipt_and_its_token_in_one_transaction(journey: Journey) -> None:
    """Whichever of the two the transaction takes first."""
    for token in ("a", "b"):
        message = await journey.sending()
        both = [journey.record(message, "sent", token=token), journey.receive(receipt(token, "read"))]
        await asyncio.gather(*(both if token == "a" else reversed(both)))
        assert await journey.status(message.id) is Status.READ


async def test_receipt_and_its_token_on_two_nodes(journey: Journey, open_store: Open) -> None:
    """A receipt often arrives while the worker commits the reply: it must not be parked for ever."""
    api = await open_store()
    for round_ in range(25):
        message = await journey.sending(recipient=f"63917000{round_:04}")
        token = str(round_)
        arrival = journey.arrival([receipt(token, "delivered")], api)
        await asyncio.gather(journey.record(message, "sent", token=token), api.apply_receipts(arrival))
        assert await journey.status(message.id) is Status.DELIVERED
    assert await parked(journey) == 0


async def test_orphan_and_its_lost_reply_on_two_nodes(journey: Journey, open_store: Open) -> None:
    api = await open_store()
    for round_ in range(25):
        phone = f"63917000{round_:04}"
        message = await journey.sending(recipient=phone)
        arrival = journey.arrival([orphan(str(round_), recipient=phone)], api)
        await asyncio.gather(journey.record(message, "unknown"), api.apply_receipts(arrival))
        assert await journey.status(message.id) is Status.DELIVERED
    assert await parked(journey) == 0


async def test_orphan_joins_the_only_unknown(journey: Journey) -> None:
    message = await journey.unknown()
    assert await journey.receive(orphan("t")) == ["applied"]
    story = await journey.story(message.id)
    assert (story.message.status, story.message.due_at) == (Status.DELIVERED, None)
    assert [stored.token for stored in story.receipts] == ["t"]
    assert await journey.receive(receipt("t", "read")) == ["applied"]  # from now on the token is its name


async def test_parked_orphan_joins_when_the_reply_is_lost(journey: Journey) -> None:
    message = await journey.sending()
    assert await journey.receive(orphan("t")) == ["parked"]  # its reply will tell
    assert await journey.receive(orphan("t", "read")) == ["parked"]
    await journey.record(message, "unknown")
    assert (await journey.status(message.id), await parked(journey)) == (Status.READ, 0)
    assert len((await journey.story(message.id)).receipts) == 2


async def test_parked_orphan_joins_when_the_lease_runs_out(journey: Journey, clock: HandClock) -> None:
    message = await journey.sending()
    assert await journey.receive(orphan("t")) == ["parked"]
    assert message.due_at is not None
    clock.set(message.due_at)
    await journey.claim()
    assert await journey.status(message.id) is Status.DELIVERED


async def test_orphan_is_not_joined_when_two_can_be_meant(journey: Journey) -> None:
    messages = [await journey.unknown(), await journey.unknown()]
    assert await journey.receive(orphan("t")) == ["parked"]
    assert [await journey.status(message.id) for message in messages] == [Status.UNKNOWN] * 2


async def test_parked_orphans_of_two_tokens_are_not_joined(journey: Journey) -> None:
    message = await journey.sending()
    await journey.receive(orphan("a"), orphan("b"))
    await journey.record(message, "unknown")
    assert (await journey.status(message.id), await parked(journey)) == (Status.UNKNOWN, 2)


async def test_an_orphan_that_is_joined_brings_the_parked_ones_of_its_token(journey: Journey) -> None:
    """They had to wait because another token was parked too; what they said was acknowledged, and counts."""
    message = await journey.sending()
    await journey.receive(orphan("a", "read"), orphan("b"))
    await journey.record(message, "unknown")
    assert await journey.receive(orphan("a", "delivered")) == ["ignored"]
    story = await journey.story(message.id)
    assert story.message.status is Status.READ
    assert [(stored.status, stored.effect) for stored in story.receipts] == [
        ("read", "applied"),
        ("delivered", "ignored"),
    ]
    assert await parked(journey) == 1


async def test_orphan_is_not_joined_while_another_message_to_that_phone_is_in_the_air(journey: Journey) -> None:
    unknown, _in_the_air = await journey.unknown(), await journey.sending()
    assert await journey.receive(orphan("t")) == ["parked"]
    assert await journey.status(unknown.id) is Status.UNKNOWN


@pytest.mark.parametrize(
    "other",
    [
        {"recipient": "639170000002"},
        {"service_id": "another"},
        {"recipient": ""},
        {"service_id": ""},
        {"status": "subscribed"},
        {"token": ""},
    ],
)
async def test_orphan_of_something_else(journey: Journey, other: dict[str, str]) -> None:
    message = await journey.unknown()
    await journey.receive(orphan(**{"token": "t", **other}))
    assert await journey.status(message.id) is Status.UNKNOWN


async def test_another_message_to_another_phone_is_not_in_the_way(journey: Journey) -> None:
    message = await journey.unknown()
    await journey.unknown(recipient="639170000002")
    await journey.sending(recipient="639170000003")
    assert await journey.receive(orphan("t")) == ["applied"]
    assert await journey.status(message.id) is Status.DELIVERED


@pytest.mark.parametrize("together", [False, True])
async def test_two_orphans_cannot_both_mean_the_one_message(journey: Journey, together: bool) -> None:
    """The first takes it; the second is somebody else's, and cannot undo what the first said."""
    message = await journey.unknown()
    pair = (orphan("a", "delivered"), orphan("b", "expired"))
    told = await journey.receive_together(*pair) if together else [(await journey.receive(one))[0] for one in pair]
    assert told == ["applied", "parked"]
    assert await journey.status(message.id) is Status.DELIVERED


async def test_two_receipts_of_one_orphan_in_one_transaction(journey: Journey) -> None:
    message = await journey.unknown()
    told = await journey.receive_together(orphan("t", "read"), orphan("t", "delivered"), orphan("t", "undelivered"))
    assert told == ["applied", "ignored", "ignored"]
    assert await journey.status(message.id) is Status.READ


async def test_orphan_of_a_message_whose_other_attempt_is_known(journey: Journey, clock: HandClock) -> None:
    """A known token and an unknown one of the same message, in one transaction: one message, one status."""
    first = await journey.unknown()
    clock.advance(UNKNOWN_WAIT)
    second = await journey.claim_one()
    await journey.record(first, "sent", token="one")
    await journey.record(second, "unknown")
    told = await journey.receive_together(receipt("one", "subscribed"), orphan("two", "read"), orphan("one", "expired"))
    assert told == ["ignored", "applied", "ignored"]
    assert await journey.status(first.id) is Status.READ


async def test_late_reply_after_its_orphan_was_joined(journey: Journey) -> None:
    message = await journey.unknown()
    await journey.receive(orphan("t"))
    assert await journey.record(message, "sent", token="t") is None
    assert await journey.status(message.id) is Status.DELIVERED


async def test_unknown_at_rest_is_still_resolved(journey: Journey, clock: HandClock) -> None:
    message = await journey.unknown()
    clock.set(message.expires_at)
    await journey.claim()
    assert await journey.receive(orphan("t", "read")) == ["applied"]
    assert await journey.status(message.id) is Status.READ


async def test_made_up_receipts_are_stored_and_change_nothing(journey: Journey) -> None:
    key = await journey.sent("t")
    made_up = [receipt(f"no-{n}", "undelivered") for n in range(1000)]
    assert set(await journey.receive(*made_up)) == {"parked"}
    assert (await journey.status(key), await parked(journey)) == (Status.SENT, 1000)
