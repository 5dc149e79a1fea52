"""Mass sendings: many messages accepted in one step, all or none, and what became of them.

A group has no row of its own: it is the messages that carry its key. Its messages are left for the next claim, of
whichever node: a thousand in the hands of one node would stand in the way of the calls that it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, func, select

from chatgate.clock import Instant
from chatgate.domain.message import Draft, RetryKey, Status
from chatgate.store import calls, messages, rows
from chatgate.store.acceptance import Accepted, failed, remember
from chatgate.store.consequences import follow
from chatgate.store.tables import messages as table
from chatgate.store.tables import notes


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a group."""

    key: int
    draft: Draft
    lane: str


class GroupAcceptance(msgspec.Struct, frozen=True, kw_only=True):
    """A mass sending to be accepted: one nonce, one retry key, many messages."""

    key: int
    """Of the group; no message has it."""
    account_id: int
    members: Sequence[Member]
    nonce: bytes
    retry: RetryKey | None
    request_id: str
    now: Instant
    keys: Callable[[], int]
    allowed_by: str | None = None
    """The sentence of the policy that allowed the call; each message tells it."""


def accept_group(connection: Connection, items: Sequence[GroupAcceptance]) -> list[Accepted]:
    """Store groups with their nonces and retry keys; ``key`` of the answer is the group's. What is not fresh stores
    nothing. Messages that are known to fail already fail in the same transaction, with all that follows."""
    return [_accept(connection, item) for item in items]


def _accept(connection: Connection, item: GroupAcceptance) -> Accepted:
    if not calls.spend_nonces(connection, [item.nonce])[0]:
        return Accepted(key=item.key, nonce_used=True)
    if item.retry is not None:
        earlier = remember(connection, item.account_id, item.retry, item.key, item.now)
        if earlier is not None:
            return earlier
    new = [
        messages.row(
            member.key, member.draft, member.lane, item.now, None if member.draft.failure else item.now,
            item.request_id, group=item.key,
        )
        for member in item.members
    ]  # fmt: skip
    messages.insert(connection, new)
    if item.allowed_by is not None:
        told = [(item.keys(), m.key, item.account_id, item.now, "allowed", item.allowed_by) for m in item.members]
        rows.insert(connection, notes, messages.NOTE_COLUMNS, told)
    changes = [failed(member.key, member.draft, item.now) for member in item.members if member.draft.failure]
    follow(connection, changes, item.now, item.keys)
    return Accepted(key=item.key)


def progress(connection: Connection, account_id: int | None, group: int) -> dict[Status, int]:
    """Return how many messages of a group have each status, without the SMS of fallbacks; empty: there is no such
    group, or it is another account's. ``account_id`` None means the operator at the command line."""
    own = select(table.c.status, func.count()).where(table.c.group_id == group, table.c.parent_id.is_(None))
    if account_id is not None:
        own = own.where(table.c.account_id == account_id)
    found: dict[str, int] = {status: count for status, count in connection.execute(own.group_by(table.c.status))}
    return {status: found[status.value] for status in Status if status in found}
