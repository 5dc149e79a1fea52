"""Promise P14, the way there: batches that stay what they are, order, retries, and what is given up."""

from __future__ import annotations

import asyncio
from itertools import count

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatgate.clock import HOUR, MINUTE, SECOND, HandClock
from chatgate.domain.callback import RETRIES
from chatgate.store.turns import LEASE, LONGEST_REST, PARALLEL, PATIENCE, CallEnd, ClaimedEndpoint, TurnEnd
from tests.store.conftest import Open, Tamper
from tests.store.customer import SEALED, URL, Customer, contents, reports
from tests.store.journey import Journey, receipt


@pytest.fixture
async def customer(journey: Journey) -> Customer:
    customer = Customer(journey)
    await customer.exist()
    await customer.listen()
    return customer


async def sent(journey: Journey, number: int, *, first: int = 0) -> list[int]:
    """Send messages under the tokens ``0``, ``1``, …; each is one report. They live longer than the test."""
    numbers = range(first, first + number)
    return [await journey.sent(str(n), recipient=f"63917{n:07}", ttl=1_209_600) for n in numbers]


# --- a turn ----------------------------------------------------------------------------------------------------------


async def test_claimed(journey: Journey, customer: Customer, clock: HandClock) -> None:
    keys = await sent(journey, 3)
    claimed = await customer.claim_one()
    assert (claimed.account_id, claimed.url, claimed.failures) == (7, URL, 0)
    assert claimed.sealed_secret == SEALED
    assert claimed.lease == clock.now() + LEASE
    assert reports(claimed) == [[("Sent", key) for key in keys]]
    assert [batch.tries for batch in claimed.batches] == [0]


async def test_in_the_hands_of_one(journey: Journey, customer: Customer, clock: HandClock) -> None:
    await sent(journey, 1)
    claimed = await customer.claim_one()
    await sent(journey, 1, first=1)
    clock.advance(LEASE - 1)
    assert await customer.claim() == []
    await customer.answer(claimed)
    assert len(await customer.hear()) == 1


async def test_nothing_due_nothing_claimed(journey: Journey, customer: Customer) -> None:
    assert await customer.claim() == []
    await sent(journey, 1)
    await customer.hear()
    assert await customer.claim() == []


async def test_calls_have_the_endpoints_size(journey: Journey, customer: Customer) -> None:
    await customer.listen(batch=3)
    keys = await sent(journey, 8)
    claimed = await customer.claim_one()
    assert [[key for _, key in call] for call in reports(claimed)] == [keys[:3], keys[3:6], keys[6:]]
    assert len({batch.batch_id for batch in claimed.batches}) == 3


async def test_a_turn_has_an_end(journey: Journey, customer: Customer) -> None:
    """What is too much for one turn waits for the next, in order."""
    await customer.listen(batch=1)
    keys = await sent(journey, PARALLEL + 3)
    turns = []
    while found := await customer.claim():
        turns.append([key for call in reports(found[0]) for _, key in call])
        await customer.answer(found[0])
    assert turns == [keys[:PARALLEL], keys[PARALLEL:]]


async def test_many_endpoints_the_longest_untold_first(journey: Journey, customer: Customer, clock: HandClock) -> None:
    for sender in ("1", "2", "3"):
        await customer.listen(f"https://shop.example/{sender}", sender=sender)
        await journey.sent(sender, sender=sender)
    (first,) = await customer.claim(limit=1)
    await customer.answer(first)
    clock.advance(1)
    for sender in ("1", "2", "3"):
        await journey.receive(receipt(sender, "delivered"))
    others = [claimed.url for claimed in await customer.claim(limit=2)]
    assert len(set(others)) == 2
    assert first.url not in others
    assert [claimed.url for claimed in await customer.claim(limit=2)] == [first.url]


# --- a batch stays what it is ----------------------------------------------------------------------------------------


async def test_over_a_crash(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """Claimed, told or not, and never recorded: the same calls again once the lease is over, whatever came since."""
    await customer.listen(batch=3)
    await sent(journey, 4)
    clock.advance(5)
    await sent(journey, 4, first=4)
    lost = await customer.claim_one()
    await sent(journey, 4, first=8)
    clock.advance(LEASE)
    again = await customer.claim_one()
    assert contents(again)[: len(lost.batches)] == contents(lost)
    assert [(len(batch.reports), batch.tries) for batch in again.batches] == [(3, 0), (3, 0), (2, 0), (3, 0), (1, 0)]


async def test_over_all_tries(journey: Journey, customer: Customer, clock: HandClock) -> None:
    await customer.listen(batch=3)
    await sent(journey, 5)
    first = await customer.claim_one()
    await customer.answer(first, heard=False, reached=True)
    for tries, wait in enumerate(RETRIES, start=1):
        await sent(journey, 1, first=5 + tries)
        await customer.hear()  # others go on
        clock.advance(wait - 1)
        assert await customer.claim() == []
        clock.advance(1)
        again = await customer.claim_one()
        assert contents(again) == contents(first)
        assert [batch.tries for batch in again.batches] == [tries, tries]
        await customer.answer(again, heard=False, reached=True)
    assert await customer.claim() == []
    assert [row.message_id for row in await customer.dead()] == [
        row.message_id for b in first.batches for row in b.reports
    ]


async def test_a_batch_is_whole_though_others_are_due(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """More is due than one look takes, and the size of calls was made smaller meanwhile."""
    await customer.listen(batch=40)
    await sent(journey, 40)
    first = await customer.claim_one()
    await customer.answer(first, heard=False, reached=True)
    await customer.listen(batch=2)
    clock.advance(RETRIES[0])
    await sent(journey, 40, first=40)
    clock.advance(1)
    again = await customer.claim_one()
    assert contents(again)[0] == contents(first)[0]
    assert [len(batch.reports) for batch in again.batches[1:]] == [2] * (len(again.batches) - 1)


async def test_each_call_has_its_own_end(journey: Journey, customer: Customer, clock: HandClock) -> None:
    await customer.listen(batch=1)
    keys = await sent(journey, 3)
    claimed = await customer.claim_one()
    await customer.answer(claimed, only=[claimed.batches[1]], reached=True)
    assert customer.heard == [("Sent", keys[1])]
    clock.advance(RETRIES[0])
    assert [key for _, key in await customer.hear()] == [keys[0], keys[2]]


# --- order -----------------------------------------------------------------------------------------------------------


async def test_one_report_of_a_message_at_a_time(journey: Journey, customer: Customer) -> None:
    one, two = await sent(journey, 2)
    await journey.receive(receipt("0", "delivered"), receipt("0", "read"), receipt("1", "read"))
    turns = []
    while found := await customer.claim():
        turns += reports(found[0])
        await customer.answer(found[0])
    assert turns == [
        [("Sent", one), ("Sent", two)], [("Delivered", one), ("Read", two)], [("Read", one)],
    ]  # fmt: skip


async def test_a_later_report_waits_for_an_earlier_one(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """For its retries too; other messages go on."""
    one, two = await sent(journey, 2)
    claimed = await customer.claim_one()
    await customer.answer(claimed, heard=False, reached=True)
    await journey.receive(receipt("0", "delivered"))
    (three,) = await sent(journey, 1, first=2)
    assert await customer.hear() == [("Sent", three)]
    assert await customer.claim() == []  # nothing is looked at in vain
    clock.advance(RETRIES[0])
    assert await customer.hear() == [("Sent", one), ("Sent", two), ("Delivered", one)]


async def test_a_later_report_is_told_when_the_earlier_is_given_up(
    journey: Journey, customer: Customer, clock: HandClock
) -> None:
    (key,) = await sent(journey, 1)
    await journey.receive(receipt("0", "delivered"))
    for wait in (*RETRIES, 0):
        await customer.answer(await customer.claim_one(), heard=False, reached=True)
        clock.advance(wait)
    assert [row.status for row in await customer.dead()] == ["Sent"]
    assert await customer.hear() == [("Delivered", key)]


async def test_blocked_reports_do_not_fill_the_look(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """Any number of reports that must wait, and the one that need not is told all the same."""
    await customer.listen(batch=1)
    await sent(journey, PARALLEL)
    await customer.answer(await customer.claim_one(), heard=False, reached=True)
    for n in range(PARALLEL):
        await journey.receive(receipt(str(n), "delivered"), receipt(str(n), "read"))
    clock.advance(1)
    (free,) = await sent(journey, 1, first=100)
    assert await customer.hear() == [("Sent", free)]


async def test_clocks_that_disagree_do_not_change_the_order(
    journey: Journey, customer: Customer, tamper: Tamper
) -> None:
    """The node that wrote the earlier report is a minute ahead: the later one waits for it."""
    (key,) = await sent(journey, 1)
    await journey.receive(receipt("0", "delivered"))
    tamper("UPDATE callbacks SET due_at = due_at + 60000 WHERE status = 'Sent'")
    assert await customer.hear() == []
    journey.clock.advance(MINUTE)
    assert await customer.hear() == [("Sent", key), ("Delivered", key)]


# --- endpoints that do not answer ------------------------------------------------------------------------------------


async def test_a_silent_endpoint_rests_longer_each_time(journey: Journey, customer: Customer, clock: HandClock) -> None:
    await customer.listen(batch=1)
    await sent(journey, PARALLEL + 4)
    for failures, seconds in enumerate([2, 4, 8, 16, 32, 64, 128, 256, 300, 300], start=1):
        claimed = await customer.claim_one()
        assert claimed.failures == failures - 1
        assert len(claimed.batches) == (PARALLEL if failures == 1 else 1)  # then one call is enough, to see
        await customer.answer(claimed, heard=False)
        clock.advance(seconds * SECOND - 1)
        assert await customer.claim() == []
        clock.advance(1)
    assert seconds * SECOND == LONGEST_REST
    await customer.answer(await customer.claim_one())  # it answers again: all at once
    claimed = await customer.claim_one()
    assert (claimed.failures, len(claimed.batches)) == (0, PARALLEL)


async def test_nobody_else_rests(journey: Journey, customer: Customer) -> None:
    await customer.listen("https://healthy.example/", sender="healthy")
    await sent(journey, 1)
    await customer.answer(await customer.claim_one(), heard=False)
    key = await journey.sent("healthy", sender="healthy")
    assert await customer.hear() == [("Sent", key)]


async def test_an_endpoint_that_refuses_does_not_rest(journey: Journey, customer: Customer) -> None:
    await sent(journey, 1)
    await customer.answer(await customer.claim_one(), heard=False, reached=True)
    (key,) = await sent(journey, 1, first=1)
    assert await customer.hear() == [("Sent", key)]


async def test_one_answer_is_enough(journey: Journey, customer: Customer) -> None:
    """Some calls were silent, one was not: it is there, and does not rest."""
    await customer.listen(batch=1)
    await sent(journey, 3)
    claimed = await customer.claim_one()
    await customer.answer(claimed, only=[claimed.batches[0]])
    (key,) = await sent(journey, 1, first=3)
    assert await customer.hear() == [("Sent", key)]


async def test_nothing_to_call_for_is_no_answer(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """A turn in which nothing was told (SMS that nobody wants to hear of) leaves a silent endpoint what it is."""
    await sent(journey, 2)
    await customer.answer(await customer.claim_one(), heard=False)
    clock.advance(RETRIES[0])
    claimed = await customer.claim_one()
    untold = CallEnd(report_ids=[], tries=0, heard=True, reached=None, answer="not told")
    end = TurnEnd(
        endpoint_id=claimed.endpoint_id, lease=claimed.lease, failures=claimed.failures, calls=[untold],
        now=clock.now(), jitter=lambda: 0.0,
    )  # fmt: skip
    await customer.store.record_turn(end)
    assert await customer.claim() == []
    clock.advance(2 * SECOND)
    assert (await customer.claim_one()).failures == 1


async def test_what_is_untried_too_long_is_given_up(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """A silent endpoint is tried so seldom that most of a large backlog never gets its turns."""
    await customer.listen(batch=1)
    old = await sent(journey, PARALLEL + 4)
    clock.advance(PATIENCE)
    fresh = await sent(journey, 1, first=100)
    await customer.answer(await customer.claim_one(), heard=False)
    assert await customer.dead() == []
    clock.advance(LONGEST_REST)
    await customer.answer(await customer.claim_one(), heard=False)
    dead = await customer.dead()
    assert {row.message_id for row in dead} == set(old[PARALLEL + 1 :])
    assert {row.answer for row in dead} == {"The endpoint has not answered for three days."}
    clock.advance(LONGEST_REST)
    assert {key for _, key in await customer.hear()} == {*old[: PARALLEL + 1], *fresh}


async def test_an_endpoint_that_answers_is_waited_for(journey: Journey, customer: Customer, clock: HandClock) -> None:
    keys = await sent(journey, 1)
    clock.advance(2 * PATIENCE)  # an outage of ours
    assert await customer.hear() == [("Sent", key) for key in keys]


# --- given up, and replayed ------------------------------------------------------------------------------------------


async def give_up(customer: Customer) -> None:
    """Refuse everything until it is given up."""
    clock = customer.journey.clock
    began = clock.now()
    for wait in (*RETRIES, 0):
        while found := await customer.claim():
            await customer.answer(found[0], heard=False, reached=True)
        clock.advance(wait)
    assert clock.now() - began >= 72 * HOUR


async def test_undeliverable_after_nine_retries(journey: Journey, customer: Customer) -> None:
    keys = await sent(journey, 2)
    await give_up(customer)
    dead = await customer.dead()
    assert [(row.message_id, row.status, row.tries, row.answer) for row in dead] == [
        (key, "Sent", 10, "It answered HTTP 500.") for key in keys
    ]
    customer.journey.clock.advance(PATIENCE)
    assert await customer.claim() == []
    assert [row.id for row in await customer.store.undeliverable(7, 1)] == [dead[-1].id]  # newest first
    assert await customer.dead(8) == []


async def test_replayed(journey: Journey, customer: Customer) -> None:
    (key,) = await sent(journey, 1)
    first = await customer.claim_one()
    await customer.answer(first, heard=False, reached=True)
    journey.clock.advance(RETRIES[0])
    await give_up(customer)
    assert await customer.replay() == 1
    assert await customer.dead() == []
    again = await customer.claim_one()
    assert (reports(again), again.batches[0].tries) == ([[("Sent", key)]], 0)
    assert again.batches[0].batch_id != first.batches[0].batch_id  # told anew: who knew the old id hears it
    await customer.answer(again, heard=False, reached=True)
    await give_up(customer)
    assert (await customer.dead())[0].tries == 10
    assert await customer.replay() == 1
    assert await customer.hear() == [("Sent", key)]
    assert await customer.replay() == 0


async def test_replayed_in_order(journey: Journey, customer: Customer) -> None:
    (key,) = await sent(journey, 1)
    await give_up(customer)
    await journey.receive(receipt("0", "delivered"), receipt("0", "read"))
    for _ in range(2):
        await give_up(customer)
    assert len(await customer.dead()) == 3
    assert await customer.replay() == 3
    assert await customer.hear() == [(status, key) for status in ("Sent", "Delivered", "Read")]


async def test_replayed_before_what_still_waits(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """A later report on its way through its retries waits, with its whole batch, for an earlier one told again."""
    one, two = await sent(journey, 2)
    claimed = await customer.claim_one()
    await give_up_batch(customer, claimed)
    await journey.receive(receipt("0", "delivered"))
    (other,) = await sent(journey, 1, first=2)
    later = await customer.claim_one()
    assert reports(later) == [[("Delivered", one), ("Sent", other)]]
    await customer.answer(later, heard=False, reached=True)
    assert await customer.replay() == 2
    clock.advance(RETRIES[0])
    again = await customer.claim_one()
    assert reports(again) == [[("Sent", one), ("Sent", two)]]
    await customer.answer(again)
    assert contents(await customer.claim_one()) == contents(later)


async def give_up_batch(customer: Customer, claimed: ClaimedEndpoint) -> None:
    for wait in RETRIES:
        await customer.answer(claimed, heard=False, reached=True)
        customer.journey.clock.advance(wait)
        claimed = await customer.claim_one()
    await customer.answer(claimed, heard=False, reached=True)


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"since": 20}, [1, 2, 3]),
        ({"until": 30}, [0, 1, 2]),
        ({"since": 20, "until": 30}, [1, 2]),
        ({"since": 21, "until": 29}, []),
        ({"account_id": 8}, []),
    ],
)
async def test_replayed_by_range(
    journey: Journey, customer: Customer, narrowed: dict[str, int], expected: list[int]
) -> None:
    keys = await sent(journey, 4)
    await customer.hear()
    for n, at in enumerate((10, 20, 30, 40)):
        await journey.receive(receipt(str(n), "delivered", at=at))
    await give_up(customer)
    assert await customer.replay(**narrowed) == len(expected)
    assert [key for _, key in await customer.hear()] == [keys[n] for n in expected]
    assert len(await customer.dead()) == 4 - len(expected)


async def test_replayed_by_ids(journey: Journey, customer: Customer) -> None:
    keys = await sent(journey, 3)
    await give_up(customer)
    ids = [row.id for row in await customer.dead()]
    assert await customer.replay(ids=[]) == 0
    assert await customer.replay(ids=[ids[1]], account_id=8) == 0
    assert await customer.replay(ids=[ids[0], ids[2], 999_999]) == 2
    assert await customer.hear() == [("Sent", keys[0]), ("Sent", keys[2])]
    assert await customer.replay(ids=ids) == 1


async def test_what_waits_or_was_heard_is_not_replayed(journey: Journey, customer: Customer) -> None:
    await sent(journey, 1)
    await customer.hear()
    await sent(journey, 1, first=1)
    assert await customer.replay() == 0


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
    await sent(journey, 1)
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
    keys = await sent(journey, 40)
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
async def test_a_report_that_is_just_being_written_is_found(journey: Journey, customer: Customer, url: str) -> None:
    """Its transaction began before the last turn, and ends after the endpoint was found idle."""
    await sent(journey, 1)
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


async def test_an_owner_who_comes_late(
    journey: Journey, customer: Customer, clock: HandClock, open_store: Open
) -> None:
    """His lease ran out while the call was open: what he knows about an open retry changes nothing."""
    await sent(journey, 1)
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


async def test_an_owner_who_comes_late_with_good_news(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """It was heard: it is not told again, whatever the others met."""
    await sent(journey, 1)
    late = await customer.claim_one()
    clock.advance(LEASE)
    await customer.answer(await customer.claim_one(), heard=False, reached=True)
    await customer.answer(late)
    clock.advance(RETRIES[0])
    assert await customer.claim() == []


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
async def test_whatever_happens(
    journey: Journey, customer: Customer, batch: int, steps: list[tuple[tuple[str, object], int]]
) -> None:
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
