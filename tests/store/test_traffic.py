"""Counts of what went out, by sender and span of time."""

from __future__ import annotations

from typing import Any

import pytest

from chatgate.clock import DAY, HOUR
from chatgate.domain.traffic import Period, Traffic
from chatgate.store import traffic
from chatgate.store.history import TooFarBack
from tests.store.journey import ACCOUNT, Journey, order, receipt


def period(journey: Journey, **changes: Any) -> Period:
    today = journey.clock.now() // DAY * DAY
    return Period(**{"start": today - DAY, "end": today + 2 * DAY, "span": DAY, "sender": None, **changes})


async def test_counted_by_sender_and_day(journey: Journey) -> None:
    today = journey.clock.now() // DAY * DAY
    await journey.sent("1")
    await journey.receive(receipt("1", "delivered"))
    await journey.sent("2")
    await journey.accept(sender="1")
    await journey.record(await journey.sending(recipient="639170000007"), "refused", code="SRVC_NOT_VIBER_USER")
    journey.clock.advance(DAY)
    await journey.sent("3")
    await journey.receive(receipt("3", "read"))
    store = journey.store
    expected = [
        Traffic(sender="27549", start=today, sent=2, delivered=1),
        Traffic(sender="27549", start=today + DAY, sent=1, delivered=1),
    ]
    asked = period(journey, start=today)
    assert await store.traffic(ACCOUNT, asked) == expected
    assert await store.traffic(ACCOUNT, period(journey, start=today, end=today + DAY)) == expected[:1]
    assert await store.traffic(ACCOUNT, period(journey, start=today, sender="1")) == []
    assert await store.traffic(ACCOUNT + 1, asked) == []
    hours = await store.traffic(ACCOUNT, period(journey, start=today, span=HOUR))
    assert [(one.start - one.start // DAY * DAY) % HOUR for one in hours] == [0, 0]


async def test_the_sms_of_a_fallback_does_not_count(journey: Journey) -> None:
    await journey.record(await journey.sending(fallback=order()), "refused", code="SRVC_NOT_VIBER_USER")
    (sms,) = (await journey.claim(lane="sms")).to_send
    await journey.record(sms, "sent", token="sms")
    assert await journey.store.traffic(ACCOUNT, period(journey)) == []


async def test_bounded(journey: Journey) -> None:
    for n in range(4):
        await journey.sent(str(n), recipient=f"63917000000{n}")
    with journey.store._reader_engine.connect() as connection:
        assert traffic.count(connection, ACCOUNT, period(journey), looked_at=4)[0].sent == 4
        with pytest.raises(TooFarBack):
            traffic.count(connection, ACCOUNT, period(journey), looked_at=3)
