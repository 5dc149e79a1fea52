"""The outbox of what customers are told: written with the change that it tells. ``turns`` works it off.

Rules:

1. A report is heard, or undeliverable and listed; nothing is dropped in silence. Replayed, it is told like a new one.
2. Writing a report touches no row that another transaction may hold: nodes do not wait for each other, and what is due
   is found by looking, so that no wake-up can be lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, select, update

from chatgate.clock import Instant
from chatgate.domain.callback import REPORTED, CallbackState
from chatgate.store import rows
from chatgate.store.changes import Change
from chatgate.store.tables import callbacks, endpoints

STATUS, INBOUND = "status", "inbound"
"""Kinds of endpoints: ``StatusCallbackUrl`` and ``UpCallbackUrl``."""

GONE = "The endpoint was taken away."

_COLUMNS = (
    "endpoint_id", "account_id", "message_id", "status", "at", "code", "reason", "body", "state", "tries", "due_at",
)  # fmt: skip


def enqueue(connection: Connection, changes: Sequence[Change], now: Instant) -> None:
    """Write down what the endpoints of the changed messages' accounts are to be told."""
    told = [change for change in changes if change.status in REPORTED]
    if not told:
        return
    listening = _listening(connection, {change.account_id for change in told}, STATUS)
    new = []
    for change in told:
        endpoint_id = _of(listening, change.account_id, change.sender)
        if endpoint_id is not None:
            failure = change.failure
            code, reason = (failure.code, failure.reason) if failure is not None else (None, None)
            news = (change.message_id, str(REPORTED[change.status]), change.at, code, reason, None)
            new.append((endpoint_id, change.account_id, *news, CallbackState.WAITING.value, 0, now))
    rows.insert(connection, callbacks, _COLUMNS, new)


def enqueue_body(
    connection: Connection, account_id: int, sender: str, kind: str, status: str, body: bytes, now: Instant
) -> None:
    """Write down something that is about no message: a reply, a subscription."""
    endpoint_id = _of(_listening(connection, {account_id}, kind), account_id, sender)
    if endpoint_id is not None:
        news = (None, status, now, None, None, body.decode())
        row = (endpoint_id, account_id, *news, CallbackState.WAITING.value, 0, now)
        rows.insert(connection, callbacks, _COLUMNS, [row])


def _listening(connection: Connection, account_ids: set[int], kind: str) -> dict[tuple[int, str], int]:
    """Return the endpoints of accounts by account and sender."""
    own = select(endpoints.c.account_id, endpoints.c.sender, endpoints.c.id).where(
        endpoints.c.account_id.in_(account_ids), endpoints.c.kind == kind, endpoints.c.url.is_not(None)
    )
    return {(row.account_id, row.sender): row.id for row in connection.execute(own)}


def _of(listening: dict[tuple[int, str], int], account_id: int, sender: str) -> int | None:
    """Return the endpoint for a sender's news: its own one, else the account's."""
    return listening.get((account_id, sender), listening.get((account_id, "")))


def give_up(connection: Connection, which: ColumnElement[bool], why: str) -> None:
    """List waiting reports as undeliverable."""
    waiting = update(callbacks).where(which, callbacks.c.state == CallbackState.WAITING)
    connection.execute(waiting.values(state=CallbackState.UNDELIVERABLE, due_at=None, answer=why))


def undeliverable(connection: Connection, account_id: int, limit: int) -> list[rows.AnyRow]:
    """Return reports that were given up, newest first."""
    dead = select(callbacks).where(
        callbacks.c.account_id == account_id, callbacks.c.state == CallbackState.UNDELIVERABLE
    )
    return list(connection.execute(dead.order_by(callbacks.c.id.desc()).limit(limit)))


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Which undeliverable reports are told again: those of an account, narrowed by what is given."""

    account_id: int
    now: Instant
    ids: Sequence[int] | None = None
    since: Instant | None = None
    until: Instant | None = None
    """Range of the change's time, both ends included."""


def replay(connection: Connection, items: Sequence[Replay]) -> list[int]:
    """Make undeliverable reports wait again, from the first try and under a new ``webhook-id``; answer how many.

    Where the endpoint was taken away and not put again they are undeliverable once more, with the next look.
    """
    answers = []
    for item in items:
        dead = (callbacks.c.account_id == item.account_id) & (callbacks.c.state == CallbackState.UNDELIVERABLE)
        if item.ids is not None:
            dead &= callbacks.c.id.in_(item.ids)
        if item.since is not None:
            dead &= callbacks.c.at >= item.since
        if item.until is not None:
            dead &= callbacks.c.at <= item.until
        again = update(callbacks).where(dead)
        anew = again.values(state=CallbackState.WAITING, tries=0, batch_id=None, due_at=item.now)
        answers.append(connection.execute(anew).rowcount)
    return answers
