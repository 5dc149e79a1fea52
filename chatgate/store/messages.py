"""A message as a row, and back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from chatgate.clock import SECOND, Instant
from chatgate.domain import fallback
from chatgate.domain.message import (
    Content,
    Draft,
    Failure,
    FallbackState,
    Label,
    Message,
    MessageKind,
    MessageType,
    Status,
)
from chatgate.store import rows
from chatgate.store.tables import messages

UNREADABLE = Draft(
    account_id=0, space_id="", channel="", sender="", service_id="", recipient="", kind=MessageKind.MESSAGE,
    message_type=MessageType.TEXT, label=Label.PROMOTION, content=Content(), ttl=0,
)  # fmt: skip
"""Stands for a stored draft that cannot be read: it is never sent, and where its send is open, never sent again."""

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Draft).decode

_COLUMNS = (
    "id", "account_id", "space_id", "lane", "status", "attempt", "losses", "due_at", "accepted_at", "expires_at",
    "status_at", "sender", "service_id", "recipient", "template_code", "parent_id", "group_id",
    "fallback_state", "fallback_at", "failure_code", "failure_reason", "request_id", "draft",
)  # fmt: skip
NOTE_COLUMNS = ("id", "message_id", "account_id", "at", "event", "detail")


def row(
    key: int, draft: Draft, lane: str, now: Instant, due_at: Instant | None, request_id: str,
    parent: Message | None = None, group: int | None = None,
) -> rows.Values:  # fmt: skip
    """Return the row of a message that is accepted at ``now``. ``group``: the mass sending that it belongs to."""
    failure, order = draft.failure, draft.fallback
    return (
        key, draft.account_id, draft.space_id, lane, "accepted" if failure is None else "failed", 0, 0, due_at, now,
        now + draft.ttl * SECOND, now, draft.sender if parent is None else parent.draft.sender, draft.service_id,
        draft.recipient, draft.template_code, None if parent is None else parent.id, group,
        None if order is None else FallbackState.ARMED.value, None if order is None else fallback.due_at(now, order),
        None if failure is None else failure.code, None if failure is None else failure.reason, request_id,
        _encode(draft).decode(),
    )  # fmt: skip


def insert(connection: Connection, new: Sequence[rows.Values]) -> None:
    rows.insert(connection, messages, _COLUMNS, new)


def child_row(parent: Message, draft: Draft, lane: str, now: Instant, key: int) -> rows.Values:
    """Return the row of the SMS of a message whose fallback fired; due at once."""
    return row(key, draft, lane, now, now, parent.request_id, parent, parent.group_id)


def of_row(found: rows.AnyRow) -> Message:
    """Return the message of a row; its draft is ``UNREADABLE`` where the stored one cannot be read."""
    try:
        draft = _decode(found.draft)
    except msgspec.DecodeError:
        draft = UNREADABLE
    failure = Failure(code=found.failure_code, reason=found.failure_reason or "") if found.failure_code else None
    return Message(
        id=found.id, account_id=found.account_id, draft=draft, accepted_at=found.accepted_at,
        expires_at=found.expires_at, status=Status(found.status), attempt=found.attempt, due_at=found.due_at,
        losses=found.losses, parent_id=found.parent_id, group_id=found.group_id,
        fallback_state=FallbackState(found.fallback_state) if found.fallback_state else None,
        fallback_at=found.fallback_at, failure=failure, request_id=found.request_id, sender=found.sender,
    )  # fmt: skip
