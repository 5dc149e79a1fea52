"""Reports and decisions are forgotten when nobody can need them any more, and not before."""

from __future__ import annotations

import pytest

from chatgate.clock import DAY, HandClock
from chatgate.domain.account import Standing
from chatgate.domain.review import Decision
from chatgate.store.forgetting import HEARD_WINDOW, REVIEW_WINDOW, UNDELIVERABLE_WINDOW, Stride
from chatgate.store.reviews import Kind
from chatgate.store.senders import SenderJudgement
from chatgate.store.store import Store
from chatgate.workers.pruner import Pruner
from tests.store.conftest import Tamper
from tests.store.customer import Customer
from tests.store.journey import ACCOUNT


async def told(store: Store, message: int) -> list[str]:
    """Return what is known of the reports of a message."""
    story = await store.story(ACCOUNT, message)
    assert story is not None
    return [f"{row.status} {row.state}" for row in story.callbacks]


async def walk(store: Store, clock: HandClock, limit: int = 2) -> int:
    """Walk over all reports in small strides; return how many were forgotten."""
    forgotten, after = 0, -1
    while after:
        strode = await store.forget_callbacks(Stride(after=max(after, 0), limit=limit, now=clock.now()))
        forgotten, after = forgotten + strode.forgotten, strode.after
    return forgotten


async def test_what_was_heard(customer: Customer, clock: HandClock) -> None:
    """What is younger stays; that the messages ran out meanwhile is news of its own."""
    old = await customer.send(5)
    await customer.hear()
    clock.advance(HEARD_WINDOW)
    assert await walk(customer.store, clock) == 0
    assert [await told(customer.store, key) for key in old] == [["Sent heard"]] * 5
    clock.advance(1)
    young = await customer.send(3, first=5)
    await customer.hear()
    assert await walk(customer.store, clock) == 5
    assert [await told(customer.store, key) for key in old] == [["Failed heard"]] * 5
    assert [await told(customer.store, key) for key in young] == [["Sent heard"]] * 3


async def test_what_waits_stays(customer: Customer, clock: HandClock) -> None:
    (waits,) = await customer.send(1)
    clock.advance(10 * UNDELIVERABLE_WINDOW)
    assert await walk(customer.store, clock) == 0
    assert await told(customer.store, waits) == ["Sent waiting"]


async def test_what_could_not_be_told(customer: Customer, clock: HandClock) -> None:
    """It is listed, and can be replayed, for so long; and it hides no older report behind it."""
    dead = await customer.send(3)
    await customer.listen(url=None)
    await customer.listen()
    heard = await customer.send(2, first=3)
    await customer.hear()
    clock.advance(UNDELIVERABLE_WINDOW)
    assert await walk(customer.store, clock) == 2
    assert len(await customer.dead()) == 3
    assert await customer.replay(ids=[(await customer.dead())[0].id]) == 1
    clock.advance(1)
    assert await walk(customer.store, clock) == 2  # the replayed one waits
    assert [await told(customer.store, key) for key in dead + heard] == [["Sent waiting"], [], [], [], []]


async def test_the_walk_of_the_pruner(customer: Customer, clock: HandClock, tamper: Tamper) -> None:
    """It comes to everything, and begins anew behind what stays."""
    pruner = Pruner(customer.store, clock)
    await customer.send(4)
    await customer.hear()
    await pruner.prune()
    clock.advance(HEARD_WINDOW + 1)
    await pruner.prune()
    assert await walk(customer.store, clock) == 0
    await customer.send(2, first=4)
    await customer.hear()
    clock.advance(HEARD_WINDOW + 1)
    await pruner.prune()
    assert await walk(customer.store, clock) == 0


async def test_nothing_is_forgotten_while_the_clock_is_not_believed(customer: Customer, clock: HandClock) -> None:
    await customer.send(1)
    await customer.hear()
    clock.advance(HEARD_WINDOW + 1)
    clock.steady = False
    await Pruner(customer.store, clock).prune()
    assert await walk(customer.store, clock) == 1


@pytest.mark.parametrize(("age", "left"), [(REVIEW_WINDOW - 2 * DAY, 3), (REVIEW_WINDOW + 1, 1)])
async def test_decisions(customer: Customer, clock: HandClock, age: int, left: int) -> None:
    """The newest decision on a sender stays for ever: it says why it stands as it does."""
    for decision in (Decision.PAUSE, Decision.RESUME, Decision.PAUSE):
        await customer.store.judge_sender(
            SenderJudgement(
                account_id=ACCOUNT, sender="27549", decision=decision, reviewer="op", reason=decision,
                now=clock.now(),
            )
        )  # fmt: skip
        clock.advance(1)
    clock.advance(age)
    await Pruner(customer.store, clock).prune()
    found = await customer.store.reviews(ACCOUNT, Kind.SENDER, "27549")
    assert [review.standing for review in found][-1] == Standing.PAUSED
    assert len(found) == left
    assert await customer.store.sender_pauses(ACCOUNT) == (left + 1) // 2
