"""Promise P16: where message and SMS both arrived, it is noted, once."""

from __future__ import annotations

import asyncio

import pytest

from tests.store.conftest import Open
from tests.store.fallbacks import AFTER, events, phones
from tests.store.journey import ORDER, Journey, receipt


async def both_sent(journey: Journey, name: str = "") -> int:
    """A message whose SMS is sent too; their tokens are ``viber`` and ``sms``."""
    key = await journey.sent(f"viber{name}", fallback=ORDER, recipient=str(next(phones)))
    journey.clock.advance(AFTER)
    assert await journey.fire() == 1
    (claimed,) = (await journey.claim(lane="sms")).to_send
    await journey.record(claimed, "sent", token=f"sms{name}")
    return key


@pytest.mark.parametrize("arrivals", [("viber", "sms"), ("sms", "viber")])
@pytest.mark.parametrize("status", ["delivered", "read"])
async def test_both_arrived_is_noted_once(journey: Journey, arrivals: tuple[str, str], status: str) -> None:
    key = await both_sent(journey)
    await journey.receive(receipt(arrivals[0], status))
    assert "both arrived" not in await events(journey, key)
    await journey.receive(receipt(arrivals[1], status))
    assert (await events(journey, key)).count("both arrived") == 1
    await journey.receive(receipt("viber", "read"), receipt("sms", "read"))
    assert (await events(journey, key)).count("both arrived") == 1
    (sms,) = await journey.sms(key)
    assert await events(journey, sms.id) == []


async def test_both_arrived_in_one_transaction(journey: Journey) -> None:
    key = await both_sent(journey)
    await journey.receive_together(receipt("sms", "delivered"), receipt("viber", "delivered"), receipt("sms", "read"))
    assert (await events(journey, key)).count("both arrived") == 1


async def test_both_arrived_on_two_nodes(journey: Journey, open_store: Open) -> None:
    other = await open_store()
    for round_ in range(15):
        key = await both_sent(journey, str(round_))
        there = other.apply_receipts(journey.arrival([receipt(f"sms{round_}", "delivered")], other))
        await asyncio.gather(journey.receive(receipt(f"viber{round_}", "delivered")), there)
        assert (await events(journey, key)).count("both arrived") == 1


async def test_one_arrived(journey: Journey) -> None:
    key = await both_sent(journey)
    await journey.receive(receipt("viber", "undelivered"), receipt("sms", "delivered"))
    assert "both arrived" not in await events(journey, key)
