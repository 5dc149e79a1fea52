"""The verbs of the fallback: fired, held or called off, each by one compare-and-set on its state.

The SMS is inserted in the transaction that moves the state to ``fired``: so there is exactly one, or none. What may
happen is in ``domain.fallback``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec
from sqlalchemy import Connection, or_, select

from chatgate.clock import Instant
from chatgate.domain import fallback
from chatgate.domain.fallback import FallbackEvent
from chatgate.domain.message import FallbackState, Message
from chatgate.store import messages, rows
from chatgate.store.changes import Change
from chatgate.store.tables import blocks, notes
from chatgate.store.tables import messages as table

BOTH = "both arrived"


def follow(connection: Connection, changes: Sequence[Change], now: Instant, keys: Callable[[], int]) -> None:
    """Move the fallbacks of messages whose status changed; note where both messages arrived."""
    changes = [change for change in changes if change.status in (*fallback.ARRIVED, *fallback.ENDED)]
    newest = {change.message_id: change for change in changes if change.has_fallback}
    moves = []
    fired = set()
    for message in _ordered(connection, newest):
        change = newest[message.id]
        code = None if change.failure is None else change.failure.code
        if message.fallback_state is FallbackState.FIRED:
            fired.add(message.id)
        elif (event := fallback.on_status(message, change.status, code, now)) is not None:
            moves.append((message, event))
    _move(connection, moves, now, keys)
    for change in changes:
        if change.status in fallback.ARRIVED and (change.is_fallback or change.message_id in fired):
            _note_both(connection, change, now, keys)


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
        found = connection.execute(due).all()
        moves = [(messages.of_row(row), fallback.on_time(row.fallback_at, item.now)) for row in found]
        _move(connection, moves, item.now, item.keys)
        answers.append(len(found))
    return answers


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator decides about held fallbacks."""

    account_id: int | None
    """None: of all accounts."""
    release: bool
    now: Instant
    keys: Callable[[], int]


AT_ONCE = 1000
"""Held fallbacks that one decision moves, at most: it holds up everybody else's commit."""


def decide(connection: Connection, items: Sequence[Decision]) -> list[int]:
    """Release or drop held fallbacks, the oldest first, up to ``AT_ONCE``; answer how many."""
    answers = []
    for item in items:
        held = select(table).where(table.c.fallback_state == FallbackState.HELD)
        if item.account_id is not None:
            held = held.where(table.c.account_id == item.account_id)
        found = connection.execute(held.order_by(table.c.id).limit(AT_ONCE).with_for_update()).all()
        event = FallbackEvent.RELEASED if item.release else FallbackEvent.DROPPED
        _move(connection, [(messages.of_row(row), event) for row in found], item.now, item.keys)
        answers.append(len(found))
    return answers


def _ordered(connection: Connection, message_ids: Collection[int]) -> list[Message]:
    """Return the messages whose fallback was not called off. This transaction has changed them: nobody else can now."""
    found = select(table).where(table.c.id.in_(message_ids), table.c.fallback_state != FallbackState.CALLED_OFF)
    return [messages.of_row(row) for row in connection.execute(found)] if message_ids else []


class _Step(msgspec.Struct, frozen=True):
    """One fallback's way from a state to another."""

    message: Message
    before: FallbackState
    after: FallbackState
    event: FallbackEvent


def _move(
    connection: Connection, moves: Sequence[tuple[Message, FallbackEvent]], now: Instant, keys: Callable[[], int]
) -> None:
    steps = [step for message, event in moves if (step := _step(connection, message, event)) is not None]
    if steps and not _all_set(connection, steps):  # somebody was faster with one
        steps = [step for step in steps if _all_set(connection, [step])]
    told = [
        (keys(), step.message.id, step.message.account_id, now, f"fallback {step.after}", f"Because {step.event}.")
        for step in steps
    ]
    rows.insert(connection, notes, messages.NOTE_COLUMNS, told)
    fired = [step.message for step in steps if step.after is FallbackState.FIRED]
    messages.insert(connection, [
        messages.child_row(message, fallback.sms(message.draft, order), order.lane or "", now, keys())
        for message in fired if (order := message.draft.fallback) is not None
    ])  # fmt: skip


def _step(connection: Connection, message: Message, event: FallbackEvent) -> _Step | None:
    before = message.fallback_state
    if before is None:
        return None
    after = fallback.advance(before, event)
    if after is FallbackState.FIRED and (obstacle := _obstacle(connection, message)) is not None:
        event, after = obstacle, fallback.advance(before, obstacle)
    return None if after is None else _Step(message, before, after, event)


def _all_set(connection: Connection, steps: Sequence[_Step]) -> bool:
    """The one compare-and-set: all of them, or none."""
    sql = "UPDATE messages SET fallback_state = ?, fallback_at = NULL WHERE id = ? AND fallback_state = ?"
    values = [(step.after.value, step.message.id, step.before.value) for step in steps]
    return rows.all_or_none(connection, lambda: rows.execute(connection, sql, values), len(values))


def _obstacle(connection: Connection, message: Message) -> FallbackEvent | None:
    """Return why there can be no SMS: nobody knows what was ordered, or the recipient is known not to want it."""
    draft = message.draft
    if draft.fallback is None:
        return FallbackEvent.UNREADABLE
    if fallback.may_text_blocked(message):
        return None
    known = select(blocks.c.at).where(
        blocks.c.account_id == message.account_id,
        blocks.c.service_id == draft.service_id,
        blocks.c.recipient == draft.recipient,
    )
    return FallbackEvent.BLOCKED if connection.execute(known).first() is not None else None


def _note_both(connection: Connection, change: Change, now: Instant, keys: Callable[[], int]) -> None:
    """Note on the Viber message that its recipient has the SMS too; once."""
    parent_id: int | None = change.message_id
    if change.is_fallback:
        own = select(table.c.parent_id).where(table.c.id == change.message_id).scalar_subquery()
        # Locked: of two nodes, one with the message and one with its SMS, the later sees what the earlier did.
        parent_id = connection.execute(select(table.c.id).where(table.c.id == own).with_for_update()).scalar()
    pair = or_(table.c.id == parent_id, table.c.parent_id == parent_id)
    arrived = connection.execute(select(table.c.id).where(pair, table.c.status.in_(fallback.ARRIVED))).all()
    told = select(notes.c.id).where(notes.c.message_id == parent_id, notes.c.event == BOTH)
    if parent_id is not None and len(arrived) == 2 and connection.execute(told).first() is None:
        row = (keys(), parent_id, change.account_id, now, BOTH, "The recipient has the Viber message and the SMS.")
        rows.insert(connection, notes, messages.NOTE_COLUMNS, [row])
