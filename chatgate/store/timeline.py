"""The story of a message as steps in time: read from what is stored anyway, never stored again."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chatgate.clock import Instant
from chatgate.domain.callback import CallbackState
from chatgate.domain.message import FallbackOrder, FallbackState, Message, MessageKind, Outcome, Status
from chatgate.store.rows import AnyRow
from chatgate.store.search import Story


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    at: Instant
    event: str
    detail: str


_OUTCOMES = {
    Outcome.SENT: "the provider accepted it",
    Outcome.REFUSED: "the provider refused it",
    Outcome.DEFERRED: "not accepted, tried again later",
    Outcome.THROTTLED: "not accepted (too fast), tried again later",
    Outcome.UNKNOWN: "no readable reply: it may or may not have been accepted",
}

_EFFECTS = {"applied": "", "ignored": "changed nothing: nothing below the reached state counts, nor a duplicate"}

PublicId = Callable[[int], str]
"""Makes MessageIds of keys."""


def timeline(story: Story, public_id: PublicId) -> list[Step]:
    """Return the steps of a message in order of time."""
    message = story.message
    steps = [Step(at=message.accepted_at, event="accepted", detail=_acceptance(story, public_id))]
    if message.draft.fallback is not None:
        order = _order(message.draft.fallback, message.draft.ttl)
        steps.append(Step(at=message.accepted_at, event="fallback armed", detail=order))
    if message.draft.failure is not None:
        failure = message.draft.failure
        steps.append(Step(at=message.accepted_at, event="failed", detail=f"{failure.code}: {failure.reason}"))
    for attempt in story.attempts:
        via = f"attempt {attempt.number}" + (f" by {attempt.provider}" if attempt.provider else "")
        steps.append(Step(at=attempt.started_at, event="sending", detail=via))
        steps.append(Step(at=attempt.ended_at, event=_event(attempt), detail=_ending(attempt)))
    if message.status is Status.SENDING:
        steps.append(Step(at=story.status_at, event="sending", detail=f"attempt {message.attempt}, still open"))
    steps += [Step(at=note.at, event=note.event, detail=note.detail) for note in story.notes]
    if story.sms is not None:
        detail = f"message {public_id(story.sms.id)}, which is {story.sms.status}"
        steps.append(Step(at=story.sms.accepted_at, event="fallback sms", detail=detail))
    for receipt in story.receipts:
        said = " ".join(part for part in (receipt.code, receipt.reason, _EFFECTS[receipt.effect]) if part)
        after = receipt.received_at - message.accepted_at
        detail = f"receipt of {receipt.provider}, received {after} ms after acceptance"
        steps.append(Step(at=receipt.at, event=receipt.status, detail=f"{detail}. {said}".strip()))
    steps += [Step(at=told.at, event="callback", detail=_telling(told)) for told in story.callbacks]
    return sorted(steps, key=lambda step: step.at)


def _acceptance(story: Story, public_id: PublicId) -> str:
    draft, parent_id = story.message.draft, story.message.parent_id
    what = f"template {draft.template_code}" if draft.kind is MessageKind.TEMPLATE else str(draft.message_type)
    what += "" if parent_id is None else f", the fallback of message {public_id(parent_id)}"
    return f"request {story.request_id}: {what}, {draft.label}, from {draft.sender}, to live {draft.ttl} s"


def _order(order: FallbackOrder, ttl: int) -> str:
    """Return what was ordered, with a warning where the recipient may get both."""
    when = "an SMS if the message fails"
    if order.duration is not None:
        when += f", or is not delivered within {order.duration} s"
    warning = ""
    if order.duration is not None and ttl > order.duration:
        warning = f". Warning: the message lives longer ({ttl} s) than that, so its recipient may get both"
    return f"policy {order.policy_id}, rule {order.rule}: {when}{warning}"


def _telling(told: AnyRow) -> str:
    """Return what became of a report; an endpoint's last answer is there where it did not hear."""
    what = {CallbackState.WAITING: "waits to be told", CallbackState.UNDELIVERABLE: "is undeliverable"}
    if told.state == CallbackState.HEARD:
        return f"{told.status} {told.answer or 'was heard'}"
    return f"{told.status} {what[told.state]} (tries: {told.tries}). {told.answer or ''}".strip()


def _event(attempt: AnyRow) -> str:
    events = {Outcome.SENT: "sent", Outcome.REFUSED: "failed", Outcome.UNKNOWN: "unknown"}
    return events.get(Outcome(attempt.outcome), "deferred")


def _ending(attempt: AnyRow) -> str:
    said = ", ".join(part for part in (attempt.code, attempt.reason) if part)
    return f"{_OUTCOMES[Outcome(attempt.outcome)]}: {said}"


def next_step(message: Message, now: Instant) -> str:
    """Return, in a sentence or two, what happens next if nobody says anything more."""
    return " ".join(filter(None, (_next_attention(message, now), _next_fallback(message, now))))


def _next_attention(message: Message, now: Instant) -> str:
    if message.due_at is None:
        more = ", unless a receipt says that it was read" if message.status is Status.DELIVERED else ""
        return f"Nothing more{more}: the message is at rest as {message.status}."
    match message.status:
        case Status.ACCEPTED if message.attempt:
            what = "it is tried again" if message.due_at < message.expires_at else "its time to live ends; it expires"
        case Status.ACCEPTED:
            what = "it is claimed by a dispatcher (at once if one is free; at the latest then)"
        case Status.SENDING:
            what = "the attempt counts as lost, unless its outcome is recorded before"
        case Status.UNKNOWN:
            what = "it is sent once more" if message.due_at < message.expires_at else "its time to live ends"
        case _:
            what = "it expires, unless a receipt comes before"
    return f"In {_seconds(message.due_at, now)} s {what}."


def _next_fallback(message: Message, now: Instant) -> str:
    if message.fallback_state is FallbackState.HELD:
        return "Its fallback waits until somebody releases or drops it (`chatgate fallback`)."
    if message.fallback_state is not FallbackState.ARMED:
        return ""
    if message.fallback_at is None:
        return "If it fails, its fallback is sent."
    return f"In {_seconds(message.fallback_at, now)} s its fallback is sent, unless it is delivered before."


def _seconds(until: Instant, now: Instant) -> int:
    return max(0, (until - now + 999) // 1000)
