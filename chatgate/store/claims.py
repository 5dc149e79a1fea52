"""The verb by which a lane takes due messages, and settles those that need no send.

The only statement that crosses accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, or_, select, update

from chatgate.clock import Instant
from chatgate.domain import lifecycle
from chatgate.domain.lifecycle import Due, Event, UnknownPolicy
from chatgate.domain.message import Attempt, Failure, Label, Message, Outcome, SendResult, Status
from chatgate.store import messages, rows
from chatgate.store.attempts import AttemptEnd, record
from chatgate.store.changes import Change
from chatgate.store.consequences import follow
from chatgate.store.tables import messages as table
from chatgate.store.tables import notes

QUARANTINED = Failure(code="Quarantined", reason="The stored message cannot be read.")
TIMEOUT = Failure(code="SRVC_TIMEOUT", reason="The time to live ran out.")
UNKNOWN_AT_REST = Failure(
    code="UnknownOutcome", reason="The outcome is unknown and no receipt came within its time to live."
)
ONCE_MORE = "The outcome is unknown; the policy prefers twice to never."


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatcher's wish for due messages of its lane."""

    lane: str
    now: Instant
    limit: int
    """Free slots: at most so many messages are taken."""
    settle_only: bool = False
    """Take only what needs no send (its time is over, or its claimer died): a full lane still expires."""
    until: Instant
    """When the attempt's lease runs out: well beyond the longest time-out of a provider."""
    keys: Callable[[], int]
    unknown_wait: int
    unknown_policy: dict[Label, UnknownPolicy]


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim found."""

    to_send: list[Message]
    """Committed as ``sending`` under a new attempt number."""
    settled: int
    """How many others it brought to where they belong: ran out, lost, at rest, quarantined."""
    more: bool
    """Whether more are due right now."""


def claim(connection: Connection, items: Sequence[Claim]) -> list[Claimed]:
    """Take due messages, the longest due first, and commit what each needs (``lifecycle.on_due``)."""
    return [_claim(connection, item) for item in items]


def _claim(connection: Connection, claim: Claim) -> Claimed:
    due = select(table).where(table.c.due_at.is_not(None), table.c.due_at <= claim.now)
    due = due.where(table.c.lane == claim.lane)
    if claim.settle_only:
        due = due.where(or_(table.c.expires_at <= claim.now, table.c.status == Status.SENDING))
    due = due.order_by(table.c.due_at).limit(claim.limit).with_for_update(skip_locked=True)
    found = connection.execute(due).all()
    to_send: list[Message] = []
    for row in found:
        message = messages.of_row(row)
        readable = message.draft is not messages.UNREADABLE
        match lifecycle.on_due(message, claim.now):
            case Due.SEND if not readable:
                _settle(connection, claim, row, Event.HELD, QUARANTINED)
            case Due.SEND:
                to_send.append(_take(message, claim))
            case Due.SEND_AGAIN if readable:
                to_send.append(_take(message, claim))
                _note(connection, claim, row, "sent once more", ONCE_MORE)
            case Due.RUN_OUT:
                _settle(connection, claim, row, Event.RAN_OUT, TIMEOUT)
            case Due.LOST:
                _lost(connection, claim, row, message)
            case Due.SEND_AGAIN | Due.REST:
                _rest(connection, claim, row)
    taken = [(message.attempt, claim.now, message.due_at, message.id) for message in to_send]
    sql = "UPDATE messages SET status = 'sending', attempt = ?, status_at = ?, due_at = ? WHERE id = ?"
    rows.execute(connection, sql, taken)
    return Claimed(to_send=to_send, settled=len(found) - len(to_send), more=len(found) == claim.limit)


def _take(message: Message, claim: Claim) -> Message:
    return msgspec.structs.replace(message, status=Status.SENDING, attempt=message.attempt + 1, due_at=claim.until)


def _settle(connection: Connection, claim: Claim, row: rows.AnyRow, event: Event, failure: Failure) -> None:
    status = lifecycle.advance(Status(row.status), event)
    if status is None:
        raise AssertionError(f"{event} of a message that is {row.status}")
    values = {"status": status, "status_at": claim.now, "failure_code": failure.code, "failure_reason": failure.reason}
    connection.execute(update(table).where(table.c.id == row.id).values(due_at=None, **values))
    _note(connection, claim, row, event, failure.reason)
    follow(connection, [_change(row, status, claim.now, failure)], claim.now, claim.keys)


def _rest(connection: Connection, claim: Claim, row: rows.AnyRow) -> None:
    connection.execute(update(table).where(table.c.id == row.id).values(due_at=None))
    _note(connection, claim, row, Event.RAN_OUT, UNKNOWN_AT_REST.reason)
    follow(connection, [_change(row, Status.UNKNOWN, claim.now, UNKNOWN_AT_REST)], claim.now, claim.keys)


def _change(row: rows.AnyRow, status: Status, now: Instant, failure: Failure) -> Change:
    return Change(
        message_id=row.id, account_id=row.account_id, sender=row.sender, status=status, at=now, failure=failure,
        has_fallback=row.fallback_state is not None, is_fallback=row.parent_id is not None,
    )  # fmt: skip


def _lost(connection: Connection, claim: Claim, row: rows.AnyRow, message: Message) -> None:
    reason = "The process died, or hung beyond its lease, while the attempt was open."
    lost = Attempt(
        message_id=message.id, number=message.attempt, provider=row.lane, started_at=row.status_at, ended_at=claim.now,
        result=SendResult(outcome=Outcome.UNKNOWN, code="LeaseRanOut", reason=reason),
    )  # fmt: skip
    end = AttemptEnd(
        attempt=lost, message=message, jitter=0.0, keys=claim.keys, unknown_wait=claim.unknown_wait,
        unknown_policy=claim.unknown_policy,
    )  # fmt: skip
    record(connection, [end])


def _note(connection: Connection, claim: Claim, row: rows.AnyRow, event: str, detail: str) -> None:
    note = (claim.keys(), row.id, row.account_id, claim.now, event, detail)
    rows.insert(connection, notes, messages.NOTE_COLUMNS, [note])
