"""Promise P14, the way there: batches that stay what they are, order, retries, and rests."""

from __future__ import annotations

from chatgate.clock import MINUTE, SECOND, HandClock
from chatgate.domain.callback import RETRIES
from chatgate.store.turns import LEASE, LONGEST_REST, PARALLEL, PATIENCE, CallEnd, TurnEnd
from tests.store.conftest import Tamper
from tests.store.customer import SEALED, URL, Customer, contents, reports
from tests.store.journey import Journey, receipt

# --- a turn ----------------------------------------------------------------------------------------------------------


async def test_claimed(customer: Customer, clock: HandClock) -> None:
    keys = await customer.send(3)
    claimed = await customer.claim_one()
    assert (claimed.account_id, claimed.url, claimed.failures) == (7, URL, 0)
    assert claimed.sealed_secret == SEALED
    assert claimed.lease == clock.now() + LEASE
    assert reports(claimed) == [[("Sent", key) for key in keys]]
    assert [batch.tries for batch in claimed.batches] == [0]


async def test_in_the_hands_of_one(customer: Customer, clock: HandClock) -> None:
    await customer.send(1)
    claimed = await customer.claim_one()
    await customer.send(1, first=1)
    clock.advance(LEASE - 1)
    assert await customer.claim() == []
    await customer.answer(claimed)
    assert len(await customer.hear()) == 1


async def test_nothing_due_nothing_claimed(customer: Customer) -> None:
    assert await customer.claim() == []
    await customer.send(1)
    await customer.hear()
    assert await customer.claim() == []


async def test_calls_have_the_endpoints_size(customer: Customer) -> None:
    await customer.listen(batch=3)
    keys = await customer.send(8)
    claimed = await customer.claim_one()
    assert [[key for _, key in call] for call in reports(claimed)] == [keys[:3], keys[3:6], keys[6:]]
    assert len({batch.batch_id for batch in claimed.batches}) == 3


async def test_a_turn_has_an_end(customer: Customer) -> None:
    """What is too much for one turn waits for the next, in order."""
    await customer.listen(batch=1)
    keys = await customer.send(PARALLEL + 3)
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


async def test_a_claim_takes_no_more_than_a_transaction_bears(journey: Journey, customer: Customer) -> None:
    """Endpoints that it did not come to are free at once, for whoever claims next."""
    for sender in ("1", "2", "3"):
        await customer.listen(f"https://shop.example/{sender}", sender=sender)
        for n in range(2):
            await journey.sent(f"{sender}{n}", sender=sender)
    claims = [await customer.claim(reports=3) for _ in range(3)]
    assert [len(claimed) for claimed in claims] == [2, 1, 0]
    taken = [endpoint for claimed in claims for endpoint in claimed]
    assert len({endpoint.url for endpoint in taken}) == 3
    assert [sum(len(batch.reports) for batch in endpoint.batches) for endpoint in taken] == [2, 2, 2]


# --- a batch stays what it is ----------------------------------------------------------------------------------------


async def test_over_a_crash(customer: Customer, clock: HandClock) -> None:
    """Claimed, told or not, and never recorded: the same calls again once the lease is over, whatever came since."""
    await customer.listen(batch=3)
    await customer.send(4)
    clock.advance(5)
    await customer.send(4, first=4)
    lost = await customer.claim_one()
    await customer.send(4, first=8)
    clock.advance(LEASE)
    again = await customer.claim_one()
    assert contents(again)[: len(lost.batches)] == contents(lost)
    assert [(len(batch.reports), batch.tries) for batch in again.batches] == [(3, 0), (3, 0), (2, 0), (3, 0), (1, 0)]


async def test_over_all_tries(customer: Customer, clock: HandClock) -> None:
    await customer.listen(batch=3)
    await customer.send(5)
    first = await customer.claim_one()
    await customer.answer(first, heard=False, reached=True)
    for tries, wait in enumerate(RETRIES, start=1):
        await customer.send(1, first=5 + tries)
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


async def test_in_one_order_over_all_tries(customer: Customer, clock: HandClock, tamper: Tamper) -> None:
    """Also where the clocks of those who wrote the reports disagree: a ``webhook-id`` has one body."""
    await customer.send(3)
    tamper("UPDATE callbacks SET due_at = due_at - 5 WHERE id = (SELECT max(id) FROM callbacks)")
    first = await customer.claim_one()
    await customer.answer(first, heard=False, reached=True)
    clock.advance(RETRIES[0])
    assert contents(await customer.claim_one()) == contents(first)


async def test_a_batch_is_whole_though_others_are_due(customer: Customer, clock: HandClock) -> None:
    """More is due than one look takes, and the size of calls was made smaller meanwhile."""
    await customer.listen(batch=40)
    await customer.send(40)
    first = await customer.claim_one()
    await customer.answer(first, heard=False, reached=True)
    await customer.listen(batch=2)
    clock.advance(RETRIES[0])
    await customer.send(40, first=40)
    clock.advance(1)
    again = await customer.claim_one()
    assert contents(again)[0] == contents(first)[0]
    assert [len(batch.reports) for batch in again.batches[1:]] == [2] * (len(again.batches) - 1)


async def test_a_batch_is_whole_though_its_reports_were_written_one_by_one(
    customer: Customer, clock: HandClock
) -> None:
    """The next look may be at a few only: the rest of the batch comes with them."""
    for n in range(PARALLEL + 4):
        await customer.send(1, first=n)
        clock.advance(1)
    lost = await customer.claim_one()
    assert len(lost.batches) == 1
    await customer.listen(batch=1)
    clock.advance(LEASE)
    assert contents(await customer.claim_one()) == contents(lost)


async def test_each_call_has_its_own_end(customer: Customer, clock: HandClock) -> None:
    await customer.listen(batch=1)
    keys = await customer.send(3)
    claimed = await customer.claim_one()
    await customer.answer(claimed, only=[claimed.batches[1]], reached=True)
    assert customer.heard == [("Sent", keys[1])]
    clock.advance(RETRIES[0])
    assert [key for _, key in await customer.hear()] == [keys[0], keys[2]]


# --- order -----------------------------------------------------------------------------------------------------------


async def test_one_report_of_a_message_at_a_time(journey: Journey, customer: Customer) -> None:
    one, two = await customer.send(2)
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
    one, two = await customer.send(2)
    claimed = await customer.claim_one()
    await customer.answer(claimed, heard=False, reached=True)
    await journey.receive(receipt("0", "delivered"))
    (three,) = await customer.send(1, first=2)
    assert await customer.hear() == [("Sent", three)]
    assert await customer.claim() == []  # nothing is looked at in vain
    clock.advance(RETRIES[0])
    assert await customer.hear() == [("Sent", one), ("Sent", two), ("Delivered", one)]


async def test_a_later_report_is_told_when_the_earlier_is_given_up(
    journey: Journey, customer: Customer, clock: HandClock
) -> None:
    (key,) = await customer.send(1)
    await journey.receive(receipt("0", "delivered"))
    for wait in (*RETRIES, 0):
        await customer.answer(await customer.claim_one(), heard=False, reached=True)
        clock.advance(wait)
    assert [row.status for row in await customer.dead()] == ["Sent"]
    assert await customer.hear() == [("Delivered", key)]


async def test_blocked_reports_do_not_fill_the_look(journey: Journey, customer: Customer, clock: HandClock) -> None:
    """Any number of reports that must wait, and the one that need not is told all the same."""
    await customer.listen(batch=1)
    await customer.send(PARALLEL)
    await customer.answer(await customer.claim_one(), heard=False, reached=True)
    for n in range(PARALLEL):
        await journey.receive(receipt(str(n), "delivered"), receipt(str(n), "read"))
    clock.advance(1)
    (free,) = await customer.send(1, first=100)
    assert await customer.hear() == [("Sent", free)]


async def test_clocks_that_disagree_do_not_change_the_order(
    journey: Journey, customer: Customer, tamper: Tamper
) -> None:
    """The node that wrote the earlier report is a minute ahead: the later one waits for it."""
    (key,) = await customer.send(1)
    await journey.receive(receipt("0", "delivered"))
    tamper("UPDATE callbacks SET due_at = due_at + 60000 WHERE status = 'Sent'")
    assert await customer.hear() == []
    journey.clock.advance(MINUTE)
    assert await customer.hear() == [("Sent", key), ("Delivered", key)]


# --- endpoints that do not answer ------------------------------------------------------------------------------------


async def test_a_silent_endpoint_rests_longer_each_time(customer: Customer, clock: HandClock) -> None:
    await customer.listen(batch=1)
    await customer.send(PARALLEL + 4)
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
    await customer.send(1)
    await customer.answer(await customer.claim_one(), heard=False)
    key = await journey.sent("healthy", sender="healthy")
    assert await customer.hear() == [("Sent", key)]


async def test_an_endpoint_that_refuses_does_not_rest(customer: Customer) -> None:
    await customer.send(1)
    await customer.answer(await customer.claim_one(), heard=False, reached=True)
    (key,) = await customer.send(1, first=1)
    assert await customer.hear() == [("Sent", key)]


async def test_one_answer_is_enough(customer: Customer) -> None:
    """Some calls were silent, one was not: it is there, and does not rest."""
    await customer.listen(batch=1)
    await customer.send(3)
    claimed = await customer.claim_one()
    await customer.answer(claimed, only=[claimed.batches[0]])
    (key,) = await customer.send(1, first=3)
    assert await customer.hear() == [("Sent", key)]


async def test_nothing_to_call_for_is_no_answer(customer: Customer, clock: HandClock) -> None:
    """A turn in which nothing was told (SMS that nobody wants to hear of) leaves a silent endpoint what it is."""
    await customer.send(2)
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


async def test_what_is_untried_too_long_is_given_up(customer: Customer, clock: HandClock) -> None:
    """A silent endpoint is tried so seldom that most of a large backlog never gets its turns."""
    await customer.listen(batch=1)
    old = await customer.send(PARALLEL + 4)
    clock.advance(PATIENCE)
    fresh = await customer.send(1, first=100)
    await customer.answer(await customer.claim_one(), heard=False)
    assert await customer.dead() == []
    clock.advance(LONGEST_REST)
    await customer.answer(await customer.claim_one(), heard=False)
    dead = await customer.dead()
    assert {row.message_id for row in dead} == set(old[PARALLEL + 1 :])
    assert {row.answer for row in dead} == {"The endpoint has not answered for three days."}
    clock.advance(LONGEST_REST)
    assert {key for _, key in await customer.hear()} == {*old[: PARALLEL + 1], *fresh}


async def test_an_endpoint_that_answers_is_waited_for(customer: Customer, clock: HandClock) -> None:
    keys = await customer.send(1)
    clock.advance(2 * PATIENCE)  # an outage of ours
    assert await customer.hear() == [("Sent", key) for key in keys]
