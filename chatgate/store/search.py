"""Reading messages: lists, one message, its whole story. Every question names the account; nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from chatgate.clock import Instant
from chatgate.domain.message import FallbackState, Message, Status
from chatgate.ids import key_at
from chatgate.store import rows
from chatgate.store.messages import of_row
from chatgate.store.tables import attempts, callbacks, messages, notes, receipts, templates, tokens

LONGEST_LIST = 1000


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages; every condition given must hold."""

    account_id: int
    to: str | None = None
    status: Status | None = None
    channel: str | None = None
    text: str | None = None
    """Part of the text, case-sensitive."""
    since: Instant | None = None
    before_key: int | None = None
    """Only older ones than this; the last key of the page before."""
    limit: int = 100


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one message. The lists are in order of time."""

    message: Message
    status_at: Instant
    request_id: str
    attempts: Sequence[rows.AnyRow]
    receipts: Sequence[rows.AnyRow]
    notes: Sequence[rows.AnyRow]
    callbacks: Sequence[rows.AnyRow]
    sms: Message | None
    """Its fallback, once that was sent."""


def list_messages(connection: Connection, wanted: Filter) -> list[Message]:
    """Return messages, newest first."""
    query = select(messages).where(messages.c.account_id == wanted.account_id).order_by(messages.c.id.desc())
    if wanted.to is not None:
        query = query.where(messages.c.recipient == wanted.to)
    if wanted.status is not None:
        query = query.where(messages.c.status == wanted.status)
    if wanted.since is not None:
        query = query.where(messages.c.id >= key_at(wanted.since))
    if wanted.before_key is not None:
        query = query.where(messages.c.id < wanted.before_key)
    if wanted.text is not None:
        query = query.where(messages.c.draft.contains(_as_stored(wanted.text), autoescape=True))
    limit = min(wanted.limit, LONGEST_LIST)
    found = []
    for row in connection.execution_options(yield_per=200).execute(query):
        message = of_row(row)
        if _fits(message, wanted):
            found.append(message)
        if len(found) == limit:
            break
    return found


def _as_stored(text: str) -> str:
    """Return a piece of text as it stands inside the stored JSON; narrows the search, ``_fits`` decides."""
    return msgspec.json.encode(text).decode()[1:-1]


def _fits(message: Message, wanted: Filter) -> bool:
    if wanted.channel is not None and message.draft.channel != wanted.channel:
        return False
    return wanted.text is None or wanted.text in (message.draft.content.text or "")


def story(connection: Connection, account_id: int | None, message_id: int) -> Story | None:
    """Return one message with its attempts, receipts and notes; None when it does not exist or is another account's.

    ``account_id`` None means the operator at the command line, who sees all accounts.
    """
    query = select(messages).where(messages.c.id == message_id)
    if account_id is not None:
        query = query.where(messages.c.account_id == account_id)
    row = connection.execute(query).first()
    if row is None:
        return None

    def own(table: Any, order: Any) -> Sequence[rows.AnyRow]:
        return connection.execute(select(table).where(table.c.message_id == message_id).order_by(order)).all()

    return Story(
        message=of_row(row),
        status_at=row.status_at,
        request_id=row.request_id,
        attempts=own(attempts, attempts.c.number),
        receipts=own(receipts, receipts.c.id),
        notes=own(notes, notes.c.id),
        callbacks=own(callbacks, callbacks.c.id),
        sms=_fallback_of(connection, message_id),
    )


def _fallback_of(connection: Connection, message_id: int) -> Message | None:
    child = connection.execute(select(messages).where(messages.c.parent_id == message_id)).first()
    return None if child is None else of_row(child)


def held_fallbacks(connection: Connection, account_id: int | None, limit: int) -> list[Message]:
    """Return messages whose fallback waits for an operator, oldest first; None: of all accounts."""
    held = select(messages).where(messages.c.fallback_state == FallbackState.HELD).order_by(messages.c.id).limit(limit)
    if account_id is not None:
        held = held.where(messages.c.account_id == account_id)
    return [of_row(row) for row in connection.execute(held)]


Reported = tuple[Message, str | None]
"""A message that a report is about, and the name of its template."""


def reported(connection: Connection, message_ids: Sequence[int]) -> dict[int, Reported]:
    """Return what reports about these messages need."""
    if not message_ids:
        return {}
    found = [of_row(row) for row in connection.execute(select(messages).where(messages.c.id.in_(message_ids)))]
    codes = {(m.account_id, m.draft.template_code) for m in found if m.draft.template_code is not None}
    named = select(templates).where(templates.c.template_code.in_({code for _, code in codes}))
    names = {(row.account_id, row.template_code): row.name for row in connection.execute(named)} if codes else {}
    return {m.id: (m, names.get((m.account_id, m.draft.template_code))) for m in found}


def find_token(connection: Connection, provider: str, token: str) -> int | None:
    """Return the key of the message that a provider calls by a token."""
    named = (tokens.c.provider == provider) & (tokens.c.token == token)
    return connection.execute(select(tokens.c.message_id).where(named)).scalar()


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits."""

    due: int
    """Messages whose time has come and that nobody has claimed."""
    oldest_due_at: Instant | None
    parked_receipts: int


def backlog(connection: Connection, now: Instant) -> Backlog:
    waiting = select(func.count(), func.min(messages.c.due_at)).where(messages.c.due_at <= now)
    count, oldest = connection.execute(waiting).one()
    parked = connection.execute(select(func.count()).where(receipts.c.effect == "parked")).scalar_one()
    return Backlog(due=count, oldest_due_at=oldest, parked_receipts=parked)
