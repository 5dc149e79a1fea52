"""The story of a message as steps in time: read from what is stored anyway, never stored again."""

from __future__ import annotations

import msgspec

from chatgate.clock import Instant
from chatgate.domain.message import Message, MessageKind, Outcome, Status
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


def timeline(story: Story) -> list[Step]:
    """Return the steps of a message in order of time."""
    message = story.message
    steps = [Step(at=message.accepted_at, event="accepted", detail=_acceptance(story))]
    if message.draft.failure is not None:
        failure = message.draft.failure
        steps.append(Step(at=message.accepted_at, event="failed", detail=f"{failure.code}: {failure.reason}"))
    for attempt in story.attempts:
        via = f"attempt {attempt.number}" + (f" by {attempt.provider}" if attempt.provider else "")
        steps.append(Step(at=attempt.started_at, event="sending", detail=via))
        steps.append(Step(at=attempt.ended_at, event=_event(attempt), detail=_ending(attempt)))
    steps += [Step(at=note.at, event=note.event, detail=note.detail) for note in story.notes]
    for receipt in story.receipts:
        said = " ".join(part for part in (receipt.code, receipt.reason, _EFFECTS[receipt.effect]) if part)
        after = receipt.received_at - message.accepted_at
        detail = f"receipt of {receipt.provider}, received {after} ms after acceptance"
        steps.append(Step(at=receipt.at, event=receipt.status, detail=f"{detail}. {said}".strip()))
    return sorted(steps, key=lambda step: step.at)


def _acceptance(story: Story) -> str:
    draft = story.message.draft
    what = f"template {draft.template_code}" if draft.kind is MessageKind.TEMPLATE else str(draft.message_type)
    return f"request {story.request_id}: {what}, {draft.label}, from {draft.sender}, to live {draft.ttl} s"


def _event(attempt: AnyRow) -> str:
    events = {Outcome.SENT: "sent", Outcome.REFUSED: "failed", Outcome.UNKNOWN: "unknown"}
    return events.get(Outcome(attempt.outcome), "deferred")


def _ending(attempt: AnyRow) -> str:
    said = " ".join(part for part in (attempt.code, attempt.reason) if part)
    return f"{_OUTCOMES[Outcome(attempt.outcome)]}: {said}"


def next_step(message: Message, now: Instant) -> str:
    """Return, as a sentence, what happens next if nobody says anything more."""
    if message.due_at is None:
        return f"Nothing more: the message is at rest as {message.status}."
    seconds = max(0, (message.due_at - now + 999) // 1000)
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
    return f"In {seconds} s {what}."
