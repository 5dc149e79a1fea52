"""Promise P14: nothing is lost between nodes, and whatever happens."""

from __future__ import annotations

import asyncio
from itertools import count

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatgate.clock import HOUR, MINUTE, SECOND, HandClock
from chatgate.domain.callback import RETRIES
from chatgate.store.turns import LEASE, LONGEST_REST, ClaimedEndpoint
from tests.store.conftest import Open
from tests.store.customer import URL, Customer, contents, reports
from tests.store.journey import Journey, receipt

# --- several nodes ---------------------------------------------------------------------------------------------------


async def test_two_nodes_never_claim_the_same(journey: Journey, customer: Customer, open_store: Open) -> None:
    other = await open_store()
    for n in range(20):
        await customer.listen(f"https://shop.example/{n}", sender=str(n))
        await journey.sent(str(n), sender=str(n))
    found = await asyncio.gather(
        *(customer.claim(store, limit=3) for store in (journey.store, other) for _ in range(5))
    )
    urls = [claimed.url for claims in found for claimed in claims]
    assert len(urls) == len(set(urls))


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_what_another_node_is_about_to_take_is_passed_over(
    journey: Journey, customer: Customer, url: str
) -> None:
    await customer.listen("https://free.example/", sender="free")
    await customer.send(1)
    await journey.sent("free", sender="free")
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM endpoints WHERE url = %s FOR UPDATE", (URL,))
        assert (await asyncio.wait_for(customer.claim_one(), 10)).url == "https://free.example/"
    assert (await customer.claim_one()).url == URL


async def test_reports_written_while_turns_end_are_never_lost(
    journey: Journey, customer: Customer, open_store: Open
) -> None:
    """One node tells, the other changes messages: what meets the end of a turn is heard without another push."""
    teller = await open_store()
    heard: list[tuple[str, int | None]] = []
    keys = await customer.send(40)
    writing = True

    async def tell() -> None:
        while writing:
            for claimed in await customer.claim(teller):
                heard.extend(report for call in reports(claimed) for report in call)
                await customer.answer(claimed, store=teller)

    async def change() -> None:
        nonlocal writing
        for n in range(40):
            await journey.receive(receipt(str(n), "delivered"))
            await journey.receive(receipt(str(n), "read"))
        writing = False

    await asyncio.gather(tell(), change())
    while found := await customer.claim(teller):
        for claimed in found:
            heard.extend(report for call in reports(claimed) for report in call)
            await customer.answer(claimed, store=teller)
    assert len(heard) == 120
    for key in keys:
        assert [status for status, about in heard if about == key] == ["Sent", "Delivered", "Read"]


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_a_report_that_is_just_being_written_is_found(customer: Customer, url: str) -> None:
    """Its transaction began before the last turn, and ends after the endpoint was found idle."""
    await customer.send(1)
    claimed = await customer.claim_one()
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM endpoints")
        other.execute(
            "INSERT INTO callbacks (endpoint_id, account_id, message_id, status, at, state, tries, due_at) "
            "SELECT endpoint_id, account_id, message_id, 'Delivered', 1, 'waiting', 0, due_at FROM callbacks"
        )
        await asyncio.wait_for(customer.answer(claimed), 10)  # nobody waits for it
        assert await customer.claim() == []
        other.commit()
    assert [status for status, _ in await customer.hear()] == ["Delivered"]


async def test_an_owner_who_comes_late(customer: Customer, clock: HandClock) -> None:
    """His lease ran out while the call was open: what he knows about an open retry changes nothing."""
    await customer.send(1)
    late = await customer.claim_one()
    clock.advance(LEASE)
    owner = await customer.claim_one()
    assert contents(owner) == contents(late)
    await customer.answer(late, heard=False)  # while the new owner's call is open
    assert await customer.claim() == []  # it still is in the new owner's hands
    await customer.answer(owner, heard=False, reached=True)
    clock.advance(RETRIES[0] - 1)
    assert await customer.claim() == []
    clock.advance(1)
    second = await customer.claim_one()
    assert second.batches[0].tries == 1  # both calls were the first try
    assert second.failures == 0
    await customer.answer(second, heard=False, reached=True)
    await customer.answer(late, heard=False)
    clock.advance(RETRIES[1])
    assert (await customer.claim_one()).batches[0].tries == 2


async def test_an_owner_who_comes_late_with_good_news(customer: Customer, clock: HandClock) -> None:
    """It was heard: it is not told again, whatever the others met."""
    await customer.send(1)
    late = await customer.claim_one()
    clock.advance(LEASE)
    await customer.answer(await customer.claim_one(), heard=False, reached=True)
    await customer.answer(late)
    clock.advance(RETRIES[0])
    assert await customer.claim() == []


async def test_an_owner_who_comes_late_does_not_let_go_what_is_in_other_hands(
    customer: Customer, clock: HandClock
) -> None:
    await customer.send(1)
    late = await customer.claim_one()
    clock.advance(LEASE)
    owner = await customer.claim_one()
    await customer.answer(late)
    (key,) = await customer.send(1, first=1)
    assert await customer.claim() == []
    await customer.answer(owner)
    assert await customer.hear() == [("Sent", key)]


# --- whatever happens ------------------------------------------------------------------------------------------------

STEPS = st.one_of(
    st.tuples(st.just("receipt"), st.sampled_from(["delivered", "undelivered", "read", "expired"])),
    st.tuples(st.just("turn"), st.sampled_from(["heard", "refused", "silent", "half", "crash"])),
    st.tuples(st.just("wait"), st.sampled_from([1, SECOND, LEASE, 5 * MINUTE, 24 * HOUR])),
    st.just(("replay", None)),
)

names = count()


@given(batch=st.integers(1, 3), steps=st.lists(st.tuples(STEPS, st.integers(0, 3)), max_size=25))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_happens(customer: Customer, batch: int, steps: list[tuple[tuple[str, object], int]]) -> None:
    await customer.listen(batch=batch)
    walk = Walk(customer)
    await walk.begin()
    for (what, how), which in steps:
        await walk.take(what, how, which)
    await walk.hear_the_rest()


class Walk:
    """What an endpoint hears of four messages, and what must hold: all of it, in order, in calls that stay the same."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.tokens = [f"w{next(names)}" for _ in range(4)]
        self.keys: list[int] = []
        self.calls: dict[int, list[int]] = {}

    async def begin(self) -> None:
        self.keys = [await self.customer.journey.sent(token) for token in self.tokens]

    async def take(self, what: str, how: object, which: int) -> None:
        journey = self.customer.journey
        if what == "wait":
            assert isinstance(how, int)
            journey.clock.advance(how)
        elif what == "receipt":
            await journey.receive(receipt(self.tokens[which], str(how)))
        elif what == "replay":
            await self.customer.replay()
        else:
            for claimed in await self.customer.claim():
                await self.look(claimed)
                await self.answer(claimed, str(how))

    async def look(self, claimed: ClaimedEndpoint) -> None:
        for batch_id, ids in contents(claimed):
            assert self.calls.setdefault(batch_id, ids) == ids
        about = [key for call in reports(claimed) for _, key in call]
        assert len(about) == len(set(about))
        for batch in claimed.batches:
            for row in batch.reports:
                story = await self.customer.journey.story(row.message_id)
                assert not [e for e in story.callbacks if e.id < row.id and e.state == "waiting"]

    async def answer(self, claimed: ClaimedEndpoint, how: str) -> None:
        if how == "half":
            await self.customer.answer(claimed, only=claimed.batches[:1], reached=True)
        elif how != "crash":
            await self.customer.answer(claimed, heard=how == "heard", reached=how != "silent")

    async def hear_the_rest(self) -> None:
        """Whatever happened: within the longest wait, and a lease, all has been heard but what was given up."""
        for wait in (0, LEASE, LONGEST_REST, *RETRIES, 0):
            self.customer.journey.clock.advance(wait)
            while found := await self.customer.claim():
                await self.look(found[0])
                await self.answer(found[0], "heard")
        for key in self.keys:
            told = (await self.customer.journey.story(key)).callbacks
            assert {row.state for row in told} <= {"heard", "undeliverable"}
            assert told[0].status == "Sent"
