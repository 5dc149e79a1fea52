from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.clock import MINUTE, SECOND
from chatgate.domain import fallback
from chatgate.domain.fallback import BLOCKED, LATE_LIMIT, TRANSITIONS, FallbackEvent
from chatgate.domain.message import Content, FallbackOrder, FallbackState, Label, Message, MessageType, Status
from tests.drafts import NOW, draft, message

FINAL = (FallbackState.FIRED, FallbackState.CALLED_OFF)
HAPPENED = st.lists(st.sampled_from(FallbackEvent), max_size=20)


def order(**changes: object) -> FallbackOrder:
    plain: dict[str, object] = {
        "policy_id": "S_000001", "content": "By SMS", "duration": 600, "rule": "undelivered", "sms_sender": "Shop",
    }  # fmt: skip
    return FallbackOrder(**{**plain, **changes})  # type: ignore[arg-type]


def armed(
    *, label: Label = Label.TRANSACTION, ttl: int = 3600, fallback_at: int | None = None, **changes: object
) -> Message:
    of = draft(label=label, ttl=ttl, fallback=order(**changes))
    return msgspec.structs.replace(message(of), fallback_state=FallbackState.ARMED, fallback_at=fallback_at)


# --- the machine -----------------------------------------------------------------------------------------------------


@given(HAPPENED)
def test_what_is_final_is_left_by_nothing(events: list[FallbackEvent]) -> None:
    state = FallbackState.ARMED
    for event in events:
        after = fallback.advance(state, event)
        if state in FINAL:
            assert after is None
        state = after or state


@given(HAPPENED)
def test_fired_at_most_once_and_never_after_a_delivery(events: list[FallbackEvent]) -> None:
    state, fired, delivered = FallbackState.ARMED, 0, False
    for event in events:
        after = fallback.advance(state, event)
        delivered = delivered or event is FallbackEvent.DELIVERED
        if after is FallbackState.FIRED:
            fired += 1
            assert not delivered
        state = after or state
    assert fired <= 1


@given(HAPPENED)
def test_what_is_held_is_fired_by_an_operator_only(events: list[FallbackEvent]) -> None:
    state = FallbackState.ARMED
    for event in events:
        after = fallback.advance(state, event)
        if state is FallbackState.HELD and after is FallbackState.FIRED:
            assert event is FallbackEvent.RELEASED
        state = after or state


def test_the_table_is_complete() -> None:
    assert set(TRANSITIONS) == set(FallbackState)
    used = {event for events in TRANSITIONS.values() for event in events}
    assert used == set(FallbackEvent)
    reached = {state for events in TRANSITIONS.values() for state in events.values()}
    assert reached == set(FallbackState) - {FallbackState.ARMED}


# --- the coupling ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (Status.ACCEPTED, None),
        (Status.SENDING, None),
        (Status.SENT, None),
        (Status.DELIVERED, FallbackEvent.DELIVERED),
        (Status.READ, FallbackEvent.DELIVERED),
        (Status.FAILED, FallbackEvent.FAILED),
        (Status.EXPIRED, FallbackEvent.FAILED),
        (Status.UNKNOWN, FallbackEvent.FAILED),
    ],
)
def test_what_a_status_means(status: Status, event: FallbackEvent | None) -> None:
    assert fallback.on_status(armed(), status, None, NOW) is event


@pytest.mark.parametrize(
    ("label", "consent", "code", "event"),
    [
        (Label.PROMOTION, False, BLOCKED, FallbackEvent.BLOCKED),
        (Label.PROMOTION, True, BLOCKED, FallbackEvent.FAILED),
        (Label.PROMOTION, False, "SRVC_NOT_VIBER_USER", FallbackEvent.FAILED),
        (Label.TRANSACTION, False, BLOCKED, FallbackEvent.FAILED),
    ],
)
def test_who_blocked_the_sender(label: Label, consent: bool, code: str, event: FallbackEvent) -> None:
    message = armed(label=label, consent=consent)
    assert fallback.on_status(message, Status.FAILED, code, NOW) is event
    assert fallback.on_status(message, Status.DELIVERED, code, NOW) is FallbackEvent.DELIVERED


@pytest.mark.parametrize(
    ("ttl", "after", "latest"),
    [
        (3600, None, 3600),  # only on failure: a failure is known when the message's time is over
        (3600, 600, 600),
        (60, 600, 60),
    ],
)
def test_a_failure_that_is_known_much_too_late_is_held(ttl: int, after: int | None, latest: int) -> None:
    message = armed(ttl=ttl, fallback_at=None if after is None else NOW + after * SECOND)
    last = NOW + latest * SECOND + LATE_LIMIT
    for status in (Status.FAILED, Status.EXPIRED, Status.UNKNOWN):
        assert fallback.on_status(message, status, None, last) is FallbackEvent.FAILED
        assert fallback.on_status(message, status, None, last + 1) is FallbackEvent.LATE
    assert fallback.on_status(message, Status.DELIVERED, None, last + 1) is FallbackEvent.DELIVERED


def test_who_blocked_the_sender_is_not_asked_about_later() -> None:
    message = armed(label=Label.PROMOTION)
    assert fallback.on_status(message, Status.FAILED, BLOCKED, NOW + 10 * LATE_LIMIT) is FallbackEvent.BLOCKED
    assert fallback.advance(FallbackState.HELD, FallbackEvent.BLOCKED) is FallbackState.CALLED_OFF


def test_its_time() -> None:
    assert LATE_LIMIT == 15 * MINUTE
    assert fallback.on_time(NOW, NOW) is FallbackEvent.DUE
    assert fallback.on_time(NOW, NOW + LATE_LIMIT) is FallbackEvent.DUE
    assert fallback.on_time(NOW, NOW + LATE_LIMIT + 1) is FallbackEvent.LATE
    assert fallback.due_at(NOW, order(duration=60)) == NOW + MINUTE
    assert fallback.due_at(NOW, order(duration=None)) is None


# --- what is sent, and how long the message lives --------------------------------------------------------------------


def test_sms() -> None:
    parent = draft(
        MessageType.TEXT_IMAGE, label=Label.PROMOTION, task_id="task", tag="tag", tracking_data="data", fallback=order()
    )
    sms = fallback.sms(parent, order())
    assert (sms.channel, sms.sender, sms.service_id, sms.recipient) == ("sms", "Shop", "Shop", parent.recipient)
    assert (sms.message_type, sms.content) == (MessageType.TEXT, Content(text="By SMS"))
    assert (sms.account_id, sms.space_id, sms.label, sms.task_id) == (
        parent.account_id, parent.space_id, Label.PROMOTION, "task",
    )  # fmt: skip
    assert (sms.fallback, sms.failure, sms.tag, sms.tracking_data) == (None, None, None, None)
    assert sms.ttl == 86_400


@pytest.mark.parametrize(
    ("ttl", "duration", "clamp", "expected"),
    [
        (None, None, False, None),
        (None, None, True, None),
        (300, None, False, 300),
        (300, None, True, 300),
        (None, 600, False, 600),
        (None, 600, True, 600),
        (300, 600, False, 300),
        (300, 600, True, 300),
        (900, 600, False, 900),
        (900, 600, True, 600),
    ],
)
def test_time_to_live(ttl: int | None, duration: int | None, clamp: bool, expected: int | None) -> None:
    assert fallback.time_to_live(ttl, order(duration=duration), clamp=clamp) == expected


@pytest.mark.parametrize("ttl", [None, 900])
def test_time_to_live_without_a_fallback(ttl: int | None) -> None:
    assert fallback.time_to_live(ttl, None, clamp=True) == ttl
