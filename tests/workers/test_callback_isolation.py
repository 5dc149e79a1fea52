"""No customer waits for another, whatever is wrong with that one (promise P15)."""

from __future__ import annotations

import asyncio

import pytest

from chatgate.callbacks.delivery import Hearing
from chatgate.clock import HandClock
from chatgate.domain.callback import RETRIES
from chatgate.domain.message import Failure
from chatgate.store.turns import PARALLEL
from tests.store.customer import URL, Customer
from tests.store.journey import Journey
from tests.workers.conftest import Damage, Start
from tests.workers.endpoints import HEARD, SECRET, SILENT, World, only, open_secret
from tests.workers.stand import eventually


@pytest.mark.parametrize("what", ["secret", "status"])
async def test_what_cannot_be_written_is_listed_and_holds_up_nothing(
    start: Start, journey: Journey, customer: Customer, world: World, clock: HandClock,
    damage: Damage, what: str,
) -> None:  # fmt: skip
    def broken(sealed: bytes, account_id: int) -> bytes:
        if account_id == 7:
            raise ValueError("no such key")
        return SECRET

    await customer.exist(8, "service-8")
    await customer.listen("https://other.example/", account_id=8)
    await journey.sent("t", ttl=1_209_600)
    if what == "status":
        damage("UPDATE callbacks SET status = 'Bogus' WHERE account_id = ?", 7)
    start(open_secret=broken if what == "secret" else open_secret)
    for tries, wait in enumerate((*RETRIES, 0), start=1):

        async def tried(tries: int = tries) -> bool:
            return bool((await only(customer)).tries == tries)

        await eventually(tried)
        clock.advance(wait)
    (dead,) = await customer.dead()
    assert (dead.state, dead.answer) == ("undeliverable", "It could not be written: ValueError.")
    await journey.sent("8", account_id=8)
    await world.hears(1)
    assert [post.url for post in world.posts] == ["https://other.example/"]


async def test_a_thousand_that_hang_and_one_that_answers(
    start: Start, journey: Journey, customer: Customer, world: World
) -> None:
    """While every other endpoint hangs, the healthy one hears each report, one after the other."""
    dead = 1000
    hang: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()
    world.answer = lambda url: HEARD if url == URL else hang
    for n in range(dead):
        await customer.listen(f"https://dead.example/{n}", sender=f"dead {n}")
    failure = Failure(code="SenderPaused", reason="")
    for first in range(0, dead, 100):  # together they would be one long transaction, and some of them refused
        batch = range(first, first + 100)
        await asyncio.gather(*(journey.accept(sender=f"dead {n}", failure=failure) for n in batch))
    start()

    async def all_hang() -> bool:
        return world.open == dead

    await eventually(all_hang)
    before = len(world.posts)
    for n in range(10):
        await journey.accept(failure=failure)
        await world.hears(before + n + 1)
        assert world.open == dead
    assert {post.url for post in world.posts[before:]} == {URL}
    hang.set_result(SILENT)
    await journey.accept(failure=failure)
    await world.hears(before + 11)


async def test_one_hanging_call_does_not_end_the_others(
    start: Start, journey: Journey, customer: Customer, world: World
) -> None:
    """The calls of a turn are out at the same time."""
    hang: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()
    world.answer = lambda _: hang
    await customer.listen(batch=1)
    for n in range(PARALLEL + 1):
        await journey.sent(str(n))
    start()
    await world.hears(PARALLEL)
    assert world.open == PARALLEL
    hang.set_result(HEARD)
    await world.hears(PARALLEL + 1)
