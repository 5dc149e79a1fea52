"""A lane and a sender of callbacks while the clock is not steady: nothing leaves, nothing runs out, nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

from chatgate.clock import DAY, HOUR, HandClock
from chatgate.domain.message import Outcome, Status
from chatgate.store.acceptance import Beginning
from chatgate.store.store import Store
from chatgate.workers.callback_sender import POLL
from tests.store.customer import Customer
from tests.store.journey import Journey
from tests.workers.conftest import Make, Start
from tests.workers.endpoints import World, recorded
from tests.workers.stand import Scripted, Stand, eventually, promotion
from tests.workers.test_interruptions import Interrupted


async def looks() -> None:
    """Let a lane look into the database more than once (its poll is 5 ms); there is nothing else to wait for."""
    await asyncio.sleep(0.1)


async def test_what_is_in_hand_goes_back_to_the_store_and_waits(make: Make, clock: HandClock) -> None:
    provider = Scripted()
    stand = make(provider)
    clock.steady = False
    clock.advance(2 * HOUR)
    stand.lane.start()
    held = [await stand.hand() for _ in range(3)]

    async def given_back() -> bool:
        return all([(await stand.message(key)).due_at == clock.now() for key in held])

    await eventually(given_back)
    await looks()
    assert provider.sends == []
    assert {(await stand.message(key)).attempt for key in held} == {0}
    clock.steady = True
    for key in held:
        await stand.becomes(key, Status.SENT, attempt=1)


async def test_nothing_is_claimed_and_nothing_runs_out(make: Make, clock: HandClock) -> None:
    stand = make()
    over, due = await stand.accept(), await stand.accept()
    clock.set(over.expires_at)
    clock.steady = False
    stand.lane.start()
    await looks()
    assert [(await stand.message(key.id)).status for key in (over, due)] == [Status.ACCEPTED] * 2
    clock.set(due.accepted_at)
    clock.steady = True
    await stand.becomes(due.id, Status.SENT)


async def put_off(stand: Stand, key: int) -> None:
    """It was not sent, its attempt says why, and it is tried again when the clock is trusted."""
    message = await stand.becomes(key, Status.ACCEPTED, attempt=1)
    (attempt,) = (await stand.story(key)).attempts
    assert (attempt.outcome, attempt.code) == (Outcome.DEFERRED, "ClockJumped")
    assert message.due_at is not None
    stand.clock.steady = True
    stand.clock.set(message.due_at)
    await stand.becomes(key, Status.SENT, attempt=2)


async def test_set_after_the_claim(make: Make, store: Store, clock: HandClock) -> None:
    provider, between = Scripted(), Interrupted(store)
    stand = make(provider, through=between)
    key = (await stand.accept(promotion())).id
    stand.lane.start()
    await between.claiming.wait()
    clock.steady = False
    between.go_on.set()
    await put_off(stand, key)
    assert provider.sends == [(key, 2)]


async def test_set_while_the_attempt_is_committed(make: Make, store: Store, clock: HandClock) -> None:
    class Jumping:
        def __getattr__(self, verb: str) -> Any:
            return getattr(store, verb)

        async def begin(self, beginning: Beginning) -> bool:
            clock.steady = False
            return await store.begin(beginning)

    provider = Scripted()
    stand = make(provider, through=Jumping())
    stand.lane.start()
    key = await stand.hand(promotion())
    await put_off(stand, key)
    assert provider.sends == [(key, 2)]


async def test_no_endpoint_is_called(
    start: Start, journey: Journey, customer: Customer, world: World, clock: HandClock
) -> None:
    """Nor is a report given up because three days seem to have gone by."""
    clock.steady = False
    await journey.sent("t")
    clock.advance(4 * DAY)
    start()
    await asyncio.sleep(2 * POLL)
    assert world.posts == []
    clock.steady = True
    await world.hears(1)
    await recorded(customer, "heard", 1)
