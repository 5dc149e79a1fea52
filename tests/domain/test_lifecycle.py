from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.domain import lifecycle
from chatgate.domain.lifecycle import RANK, RESTING, TRANSITIONS, Due, Event
from chatgate.domain.message import Content, Draft, Label, Message, MessageKind, MessageType, Outcome, Status
from chatgate.domain.receipt import ReceiptStatus

EVERYTHING = [(status, event) for status in Status for event in Event]
WAITING = [status for status in Status if status not in RESTING]


@given(st.lists(st.sampled_from(Event), max_size=30))
def test_no_path_leaves_a_state_of_rest_downwards(events: list[Event]) -> None:
    status = Status.ACCEPTED
    for event in events:
        after = lifecycle.advance(status, event)
        if after is not None and status in RESTING:
            assert RANK[after] > RANK[status]
            assert after in RESTING
        status = after or status


@pytest.mark.parametrize(("status", "event"), EVERYTHING)
def test_advance(status: Status, event: Event) -> None:
    """What the table lists happens, unless it leads where the message is already; nothing else does."""
    after = lifecycle.advance(status, event)
    listed = TRANSITIONS[status].get(event)
    assert after == (listed if listed is not status else None)
    assert after is not status


def test_every_status_is_reachable() -> None:
    reached, open_ = set(), {Status.ACCEPTED}
    while open_:
        status = open_.pop()
        reached.add(status)
        open_ |= set(TRANSITIONS[status].values()) - reached
    assert reached == set(Status)


@pytest.mark.parametrize("status", WAITING)
def test_every_state_that_waits_can_reach_each_state_of_rest(status: Status) -> None:
    reached, open_ = set(), {status}
    while open_:
        one = open_.pop()
        reached.add(one)
        open_ |= set(TRANSITIONS[one].values()) - reached
    assert reached >= RESTING


def test_the_tables_are_complete() -> None:
    assert set(TRANSITIONS) == set(RANK) == set(Status)
    assert set(lifecycle.OUTCOME_EVENTS) == set(Outcome)
    assert set(ReceiptStatus) - set(lifecycle.RECEIPT_EVENTS) == {"subscribed", "unsubscribed"}
    assert set(lifecycle.DEFAULT_UNKNOWN_POLICY) == set(Label)
    used = {event for row in TRANSITIONS.values() for event in row}
    assert used == set(Event)


def test_rank() -> None:
    """unknown < expired < failed < delivered < read; what still moves has none."""
    order = [Status.UNKNOWN, Status.EXPIRED, Status.FAILED, Status.DELIVERED, Status.READ]
    assert sorted(order, key=RANK.__getitem__) == order
    assert len({RANK[status] for status in order}) == len(order)
    assert {status for status in Status if RANK[status] == 0} == set(Status) - set(order)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("receipt", lifecycle.RECEIPT_EVENTS)
def test_a_receipt_counts_when_its_rank_is_higher(status: Status, receipt: ReceiptStatus) -> None:
    """Promise P13, for every state: a receipt is never lost because of when it comes."""
    event = lifecycle.RECEIPT_EVENTS[receipt]
    says = TRANSITIONS[Status.SENT][event]
    assert lifecycle.advance(status, event) == (says if RANK[says] > RANK[status] else None)


@pytest.mark.parametrize("event", [Event.SENT, Event.REFUSED, Event.DEFERRED])
def test_a_late_end_of_an_unknown_attempt_counts_as_one_in_time(event: Event) -> None:
    assert lifecycle.advance(Status.UNKNOWN, event) == lifecycle.advance(Status.SENDING, event)


def message(status: Status, expires_at: int) -> Message:
    draft = Draft(
        account_id=1, space_id="1", channel="viber", sender="s", service_id="s", recipient="1", label=Label.PROMOTION,
        kind=MessageKind.MESSAGE, message_type=MessageType.TEXT, content=Content(text="x"), ttl=30,
    )  # fmt: skip
    return Message(
        id=1, account_id=1, draft=draft, accepted_at=0, expires_at=expires_at, status=status, attempt=1, due_at=0
    )


@pytest.mark.parametrize(
    ("status", "in_time", "over"),
    [
        (Status.ACCEPTED, Due.SEND, Due.RUN_OUT),
        (Status.SENDING, Due.LOST, Due.LOST),
        (Status.SENT, Due.RUN_OUT, Due.RUN_OUT),
        (Status.UNKNOWN, Due.SEND_AGAIN, Due.REST),
    ],
)
def test_on_due(status: Status, in_time: Due, over: Due) -> None:
    assert lifecycle.on_due(message(status, 100), 99) is in_time
    assert lifecycle.on_due(message(status, 100), 100) is over
    assert lifecycle.on_due(message(status, 100), 101) is over


@pytest.mark.parametrize("status", WAITING)
@pytest.mark.parametrize("now", [0, 100])
def test_what_is_due_is_possible(status: Status, now: int) -> None:
    """Whatever a due message needs is a legal step: no message can block the claim of its lane."""
    steps = {Due.SEND: Event.CLAIMED, Due.SEND_AGAIN: Event.CLAIMED, Due.LOST: Event.LOST, Due.RUN_OUT: Event.RAN_OUT}
    due = lifecycle.on_due(message(status, 50), now)
    assert due is Due.REST or lifecycle.advance(status, steps[due]) is not None
    if due is Due.SEND:
        assert lifecycle.advance(status, Event.HELD) is Status.FAILED


def test_due_looks_at_nothing_else() -> None:
    one = message(Status.ACCEPTED, 100)
    for other in (
        msgspec.structs.replace(one, losses=3, attempt=9),
        msgspec.structs.replace(one, due_at=None),
        msgspec.structs.replace(one, draft=msgspec.structs.replace(one.draft, label=Label.TRANSACTION)),
    ):
        assert lifecycle.on_due(other, 50) is lifecycle.on_due(one, 50)
