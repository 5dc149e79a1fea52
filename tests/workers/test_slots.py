"""How many requests are open at one time, and how many begin in a second."""

from __future__ import annotations

import asyncio

import pytest

from chatgate.clock import SECOND, HandClock
from chatgate.domain.message import Message, Status
from chatgate.workers.lane import IN_HAND, LONGEST_PACE, NANOSECONDS, SETTLE_EVERY
from tests.drafts import draft
from tests.workers.conftest import Make
from tests.workers.stand import (
    LEASE,
    REPLY_TIMEOUT,
    Scripted,
    Ticks,
    sends,
)


async def test_one_hung_send_holds_nobody_else(make: Make) -> None:
    """Slots are refilled one by one: nobody waits for the slowest of a batch."""
    provider = Scripted(max_in_flight=3)
    provider.answers.append(asyncio.Event())
    stand = make(provider)
    hung = await stand.hand()
    stand.lane.start()
    await sends(provider, 1)
    others = [await stand.hand() for _ in range(6)] + [(await stand.accept()).id for _ in range(6)]
    for key in others:
        await stand.becomes(key, Status.SENT)
    assert (await stand.message(hung)).status is Status.SENDING
    assert stand.counted("in_flight", provider="viber") == 1


async def test_never_more_requests_than_slots(make: Make) -> None:
    provider, gate, open_now = Scripted(max_in_flight=4), asyncio.Event(), list[int]()
    stand = make(provider)

    async def look(message: Message) -> None:
        open_now.append(int(stand.counted("in_flight", provider="viber")))
        await gate.wait()

    provider.on_send = look
    keys = [await stand.hand() for _ in range(9)]
    stand.lane.start()
    await sends(provider, 4)
    await asyncio.sleep(0.02)
    assert len(provider.sends) == 4
    gate.set()
    for key in keys:
        await stand.becomes(key, Status.SENT)
    assert max(open_now) == 4


async def test_a_full_lane_still_settles_what_is_over(make: Make, clock: HandClock) -> None:
    """Only now and then: it looks at the whole backlog."""
    provider, ticks = Scripted(max_in_flight=1), Ticks()
    provider.answers.append(asyncio.Event())
    stand = make(provider, monotonic=ticks)
    stand.lane.start()
    await stand.hand(draft(ttl=300))
    await sends(provider, 1)
    late = (await stand.accept(draft(ttl=30))).id
    clock.advance(29 * SECOND)
    ticks.now += SETTLE_EVERY
    await asyncio.sleep(0.03)
    assert (await stand.message(late)).status is Status.ACCEPTED
    clock.advance(1 * SECOND)
    ticks.now += SETTLE_EVERY
    await stand.becomes(late, Status.EXPIRED)
    assert len(provider.sends) == 1


async def test_a_backlog_does_not_wait_for_the_next_look(make: Make) -> None:
    """Slots that become free are filled from the database at once."""
    provider = Scripted(max_in_flight=2)
    stand = make(provider, poll=60)
    backlog = [(await stand.accept()).id for _ in range(7)]
    stand.lane.start()
    for key in backlog:
        await stand.becomes(key, Status.SENT)


async def test_room_is_bounded(make: Make) -> None:
    stand = make(Scripted(max_in_flight=2))
    taken = 0
    while stand.lane.has_room():
        await stand.hand()
        taken += 1
    assert taken == 2 * IN_HAND
    await stand.lane.stop(1)
    assert not stand.lane.has_room()


async def test_lanes_share_nothing(make: Make) -> None:
    hung, quick = Scripted(max_in_flight=1), Scripted(max_in_flight=1)
    hung.answers.append(asyncio.Event())
    first, second = make(hung), make(quick)
    first.lane.start()
    await first.hand()
    await sends(hung, 1)
    second.lane.start()
    await second.becomes(await second.hand(), Status.SENT)


async def test_rate(make: Make) -> None:
    """Two in any second, however many slots are free."""
    provider, ticks = Scripted(rate=2, max_in_flight=8), Ticks()
    stand = make(provider, monotonic=ticks)
    stand.lane.start()
    await stand.hand()
    await stand.hand()
    await sends(provider, 2)
    for begun in (2, 4):
        ticks.now += Ticks.NEARLY_A_SECOND
        await stand.hand()
        await stand.hand()
        await asyncio.sleep(0.02)
        assert len(provider.sends) == begun
        ticks.now += NANOSECONDS - Ticks.NEARLY_A_SECOND
        await sends(provider, begun + 2)


async def test_no_slot_waits_longer_for_its_turn_than_its_lease_allows() -> None:
    assert LONGEST_PACE * SECOND + REPLY_TIMEOUT < LEASE


@pytest.mark.parametrize(("rate", "slots"), [(1, LONGEST_PACE), (2, 2 * LONGEST_PACE), (200, 64), (0, 64)])
async def test_a_low_rate_makes_fewer_slots(make: Make, rate: int, slots: int) -> None:
    stand = make(Scripted(rate=rate))
    for _ in range(slots * IN_HAND):
        assert stand.lane.has_room()
        await stand.hand()
    assert not stand.lane.has_room()
