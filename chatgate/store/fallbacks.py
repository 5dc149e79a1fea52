"""The verbs of the fallback: fired, held or called off, each by one compare-and-set on its state.

The SMS is inserted in the transaction that moves the state to ``fired``: so there is exactly one, or none. What may
happen is in ``domain.fallback``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, select

from chatgate.clock import Instant
from chatgate.domain import fallback
from chatgate.domain.fallback import FallbackEvent
from chatgate.domain.message import FallbackState, Label, Message, Status
from chatgate.store import messages, rows
from chatgate.store.changes import Change
from chatgate.store.tables import blocks, notes
from chatgate.store.tables import messages as table


def follow(connection: Connection, changes: Sequence[Change], now: Instant, keys: Callable[[], int]) -> None:
    """Move the fallbacks of messages whose status changed; count those who got both."""
    if not changes:
        return
    ordered = {change.message_id: change for change in changes if change.has_fallback}
    for message in _waiting(connection, list(ordered)):
        change = ordered[message.id]
        _move(connection, message, _event(message, change), now, keys)
    arrived = [c for c in changes if c.status in (Status.DELIVERED, Status.READ)]
    for change in arrived:
        _note_both(connection, change, now, keys)


def _event(message: Message, change: Change) -> FallbackEvent | None:
    order = message.draft.fallback
    if order is None:
        return None
    if change.status is Status.UNKNOWN:  # at rest: its time is over and nobody knows
        return FallbackEvent.FAILED
    code = change.failure.code if change.failure is not None else None
    return fallback.on_status(change.status, code, message.draft.label, consent=order.consent)


class Sweep(msgspec.Struct, frozen=True, kw_only=True):
    """A look for fallbacks whose time has come."""

    now: Instant
    limit: int
    keys: Callable[[], int]


def fire_due(connection: Connection, items: Sequence[Sweep]) -> list[int]:
    """Fire (or hold, when much too late) fallbacks whose time has come; answer how many were moved."""
    answers = []
    for item in items:
        due = select(table).where(table.c.fallback_state == FallbackState.ARMED, table.c.fallback_at <= item.now)
        due = due.order_by(table.c.fallback_at).limit(item.limit).with_for_update(skip_locked=True)
        found = [messages.of_row(row) for row in connection.execute(due)]
        for message in found:
            at = message.fallback_at if message.fallback_at is not None else item.now
            _move(connection, message, fallback.on_time(at, item.now), item.now, item.keys)
        answers.append(len(found))
    return answers


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator decides about held fallbacks."""

    account_id: int | None
    """None: of all accounts."""
    release: bool
    now: Instant
    keys: Callable[[], int]


def decide(connection: Connection, items: Sequence[Decision]) -> list[int]:
    """Release or drop held fallbacks; answer how many."""
    answers = []
    for item in items:
        held = select(table).where(table.c.fallback_state == FallbackState.HELD).limit(1000).with_for_update()
        if item.account_id is not None:
            held = held.where(table.c.account_id == item.account_id)
        found = [messages.of_row(row) for row in connection.execute(held)]
        for message in found:
            event = FallbackEvent.RELEASED if item.release else FallbackEvent.DROPPED
            _move(connection, message, event, item.now, item.keys)
        answers.append(len(found))
    return answers


def _waiting(connection: Connection, message_ids: Sequence[int]) -> list[Message]:
    if not message_ids:
        return []
    open_states = (FallbackState.ARMED, FallbackState.HELD)
    found = select(table).where(table.c.id.in_(message_ids), table.c.fallback_state.in_(open_states))
    return [messages.of_row(row) for row in connection.execute(found.with_for_update())]


def _move(
    connection: Connection, message: Message, event: FallbackEvent | None, now: Instant, keys: Callable[[], int]
) -> None:
    before, order = message.fallback_state, message.draft.fallback
    if event is None or before is None or order is None:
        return
    if event in (FallbackEvent.DUE, FallbackEvent.FAILED, FallbackEvent.RELEASED) and _unwanted(connection, message):
        event = FallbackEvent.BLOCKED if before is FallbackState.ARMED else FallbackEvent.DROPPED
    after = fallback.advance(before, event)
    if after is None:
        return
    sql = "UPDATE messages SET fallback_state = ?, fallback_at = NULL WHERE id = ? AND fallback_state = ?"
    if rows.execute(connection, sql, [(str(after), message.id, str(before))]) != 1:
        return  # somebody was faster: this is the one compare-and-set
    _note(connection, message.id, message.account_id, f"fallback {after}", f"Because {event}.", now, keys)
    if after is FallbackState.FIRED:
        messages.insert_child(connection, message, fallback.sms(message.draft, order), order.lane or "", now, keys())


def _unwanted(connection: Connection, message: Message) -> bool:
    """Whether the recipient is known to have blocked the sender, and no consent to SMS exists (promotions only)."""
    draft, order = message.draft, message.draft.fallback
    if draft.label is not Label.PROMOTION or order is None or order.consent:
        return False
    known = select(blocks.c.at).where(
        blocks.c.account_id == message.account_id,
        blocks.c.service_id == draft.service_id,
        blocks.c.recipient == draft.recipient,
    )
    return connection.execute(known).first() is not None


def _note_both(connection: Connection, change: Change, now: Instant, keys: Callable[[], int]) -> None:
    """Note on the Viber message that its recipient has the SMS too; once."""
    own = select(table.c.parent_id).where(table.c.id == change.message_id)
    parent_id = connection.execute(own).scalar() if change.is_fallback else change.message_id
    arrived = (Status.DELIVERED, Status.READ)
    parent = select(table.c.id).where(table.c.id == parent_id, table.c.status.in_(arrived))
    child = select(table.c.id).where(table.c.parent_id == parent_id, table.c.status.in_(arrived))
    if parent_id is None or connection.execute(parent).first() is None or connection.execute(child).first() is None:
        return
    told = select(notes.c.id).where(notes.c.message_id == parent_id, notes.c.event == BOTH)
    if connection.execute(told).first() is None:
        detail = "The recipient has the Viber message and the SMS."
        _note(connection, parent_id, change.account_id, BOTH, detail, now, keys)


BOTH = "both arrived"


def _note(
    connection: Connection, message_id: int, account_id: int, event: str, detail: str, now: Instant,
    keys: Callable[[], int],
) -> None:  # fmt: skip
    row = (keys(), message_id, account_id, now, event, detail)
    rows.insert(connection, notes, messages.NOTE_COLUMNS, [row])
