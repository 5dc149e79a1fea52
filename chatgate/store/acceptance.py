"""The verbs of the beginning: a message is accepted, and the node that accepted it begins its first attempt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, select

from chatgate.clock import SECOND, Instant
from chatgate.domain.message import Draft, RetryKey, Status
from chatgate.store import calls, messages, rows
from chatgate.store.changes import Change
from chatgate.store.consequences import follow
from chatgate.store.tables import notes, retry_keys

ACCEPT_LEASE = 15 * SECOND
"""How long the node that accepted a message may keep it in its own hands before anybody may claim it."""


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """One message to be accepted."""

    key: int
    draft: Draft
    nonce: bytes
    retry: RetryKey | None
    request_id: str
    now: Instant
    lane: str
    leased: bool
    """Whether this node hands the message to its own dispatcher; else any node may claim it at once."""
    keys: Callable[[], int]
    allowed_by: str | None = None
    """Why a RAM user was allowed to call, for the timeline."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an acceptance."""

    key: int
    """The message's key; with ``repeated`` that of the message that the retry key stands for."""
    repeated: bool = False
    nonce_used: bool = False
    mismatch: bool = False
    """The retry key came before with another request."""

    @property
    def stored(self) -> bool:
        return not (self.repeated or self.nonce_used or self.mismatch)


def accept(connection: Connection, items: Sequence[Acceptance]) -> list[Accepted]:
    """Store messages with their nonces and retry keys. What is not fresh stores nothing.

    A message that is known to fail already fails in the same transaction, with all that follows from it.
    """
    spent = calls.spend_nonces(connection, [item.nonce for item in items])
    answers: list[Accepted] = []
    stored: list[Acceptance] = []
    for item, fresh in zip(items, spent, strict=True):
        if not fresh:
            answers.append(Accepted(key=item.key, nonce_used=True))
        elif (
            item.retry is not None
            and (earlier := remember(connection, item.draft.account_id, item.retry, item.key, item.now)) is not None
        ):
            answers.append(earlier)
        else:
            answers.append(Accepted(key=item.key))
            stored.append(item)
    messages.insert(connection, [_row(item) for item in stored])
    told = [
        (item.keys(), item.key, item.draft.account_id, item.now, "allowed", item.allowed_by)
        for item in stored
        if item.allowed_by is not None
    ]
    rows.insert(connection, notes, messages.NOTE_COLUMNS, told)
    for item in stored:
        if item.draft.failure is not None:
            follow(connection, [failed(item.key, item.draft, item.now)], item.now, item.keys)
    return answers


def _row(item: Acceptance) -> rows.Values:
    due = None if item.draft.failure is not None else item.now + ACCEPT_LEASE if item.leased else item.now
    return messages.row(item.key, item.draft, item.lane, item.now, due, item.request_id)


def failed(key: int, draft: Draft, now: Instant) -> Change:
    """Return the change that a message is which fails as it is accepted."""
    return Change(
        message_id=key, account_id=draft.account_id, sender=draft.sender, status=Status.FAILED, at=now,
        failure=draft.failure, has_fallback=draft.fallback is not None,
    )  # fmt: skip


def remember(connection: Connection, account_id: int, retry: RetryKey, key: int, now: Instant) -> Accepted | None:
    """Store that a retry key stands for a message or a mass sending, or answer what it stands for already."""
    row = (account_id, retry.key, retry.fingerprint, key, now)
    columns = ("account_id", "key", "fingerprint", "message_id", "created_at")
    same = (retry_keys.c.account_id == account_id) & (retry_keys.c.key == retry.key)
    for _ in range(2):
        if rows.insert(connection, retry_keys, columns, [row], "ON CONFLICT DO NOTHING"):
            return None
        earlier = connection.execute(select(retry_keys).where(same)).one()
        if earlier.created_at >= now - calls.RETRY_WINDOW:
            break
        connection.execute(retry_keys.delete().where(same))
    matches = bytes(earlier.fingerprint) == retry.fingerprint
    return Accepted(key=earlier.message_id, repeated=matches, mismatch=not matches)


def spend_nonce(connection: Connection, items: Sequence[bytes]) -> list[bool]:
    """Remember nonces of calls that store nothing else; answer for each whether it was fresh."""
    return calls.spend_nonces(connection, items)


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first attempt of a message that this node holds by its accept lease."""

    message_id: int
    lease: Instant
    """``due_at`` as committed with the acceptance; if it changed, the message is in other hands."""
    now: Instant
    until: Instant


def begin(connection: Connection, items: Sequence[Beginning]) -> list[bool]:
    """Commit first attempts, before a byte leaves; answer for each whether the message is still ours."""
    sql = (
        "UPDATE messages SET status = 'sending', attempt = 1, status_at = ?, due_at = ? "
        "WHERE id = ? AND status = 'accepted' AND attempt = 0 AND due_at = ?"
    )
    own = [(item.now, item.until, item.message_id, item.lease) for item in items]
    if len(own) == 1:
        return [rows.execute(connection, sql, own) == 1]
    if rows.all_or_none(connection, lambda: rows.execute(connection, sql, own), len(own)):
        return [True] * len(own)
    # Rare: some are in other hands. One by one it is plain which.
    return [rows.execute(connection, sql, [one]) == 1 for one in own]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A message that this node holds by accept lease and will not send: it is stopping."""

    message_id: int
    lease: Instant
    now: Instant


def release(connection: Connection, items: Sequence[Release]) -> list[None]:
    """Give accept leases back, so that the next claim finds the messages at once."""
    sql = "UPDATE messages SET due_at = ? WHERE id = ? AND status = 'accepted' AND due_at = ?"
    rows.execute(connection, sql, [(item.now, item.message_id, item.lease) for item in items])
    return [None] * len(items)
