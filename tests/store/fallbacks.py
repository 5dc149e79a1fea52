"""Fallbacks of the tests of the store: their states, their time, and messages whose fallback has fired or is held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count

from chatgate.clock import SECOND
from chatgate.domain.fallback import LATE_LIMIT
from chatgate.domain.message import FallbackState
from tests.store.journey import ORDER, Journey, receipt

ARMED, FIRED, CALLED_OFF, HELD = FallbackState
AFTER = 600 * SECOND
"""Its time, as ordered by ``ORDER``."""

phones = count(639_170_000_000)

Failing = Callable[..., Awaitable[int]]


async def events(journey: Journey, key: int) -> list[str]:
    return [note.event for note in (await journey.story(key)).notes]


async def told_undelivered(journey: Journey, **changes: object) -> int:
    key = await journey.sent("t", **changes)
    assert await journey.receive(receipt("t", "undelivered")) == ["applied"]
    return key


async def held(journey: Journey, **changes: object) -> int:
    key = await journey.sent(f"t{next(phones)}", **{"fallback": ORDER, **changes})
    journey.clock.advance(AFTER + LATE_LIMIT + 1)
    assert await journey.fire() == 1
    assert (await journey.fallback(key), await journey.sms(key)) == (HELD, [])
    return key
