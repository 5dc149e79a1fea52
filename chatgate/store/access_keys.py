"""Access keys: the account's own and those of RAM users; made, switched, deleted, and when each was last used.

A deleted key keeps its row, without its secret: so every node hears of it, and its id never means another key.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, update

from chatgate.clock import Instant
from chatgate.domain.account import AccessKey, KeyKind
from chatgate.errors import NameTaken, NotFound
from chatgate.store import rows
from chatgate.store.tables import access_keys
from chatgate.store.tables_ram import ram_users


class KeySwitch(msgspec.Struct, frozen=True, kw_only=True):
    access_key_id: str
    active: bool
    now: Instant


class KeyDeletion(msgspec.Struct, frozen=True, kw_only=True):
    access_key_id: str
    now: Instant


def insert(connection: Connection, account_id: int, now: Instant, new: Sequence[AccessKey]) -> None:
    """Store keys of an account. Raises NameTaken; NotFound when the user whose one is does not exist."""
    columns = ("access_key_id", "account_id", "kind", "sealed", "active", "created_at", "changed_at", "user_id")
    for key in new:
        if key.user_id is not None:
            same = (ram_users.c.account_id == account_id) & (ram_users.c.id == key.user_id)
            if connection.execute(select(ram_users.c.id).where(same)).first() is None:
                raise NotFound("There is no such user of the account.")
        row = (key.access_key_id, account_id, str(key.kind), key.sealed, key.active, now, now, key.user_id)
        if not rows.insert(connection, access_keys, columns, [row], "ON CONFLICT DO NOTHING"):
            raise NameTaken(f"An access key {key.access_key_id!r} exists already.")


def switch(connection: Connection, items: Sequence[KeySwitch]) -> list[bool]:
    """Disable or enable access keys; answer whether each exists."""
    return [
        connection.execute(
            update(access_keys)
            .where(access_keys.c.access_key_id == item.access_key_id, access_keys.c.deleted_at.is_(None))
            .values(active=item.active, changed_at=item.now)
        ).rowcount
        == 1
        for item in items
    ]


def delete(connection: Connection, items: Sequence[KeyDeletion]) -> list[bool]:
    """Delete access keys and their secrets; answer whether each existed."""
    return [
        connection.execute(
            update(access_keys)
            .where(access_keys.c.access_key_id == item.access_key_id, access_keys.c.deleted_at.is_(None))
            .values(active=False, sealed=b"", changed_at=item.now, deleted_at=item.now)
        ).rowcount
        == 1
        for item in items
    ]


def note_use(connection: Connection, items: Sequence[Sequence[tuple[str, Instant]]]) -> list[None]:
    """Store when keys were last used; a later time that is there already stays."""
    sql = (
        "UPDATE access_keys SET last_used_at = ? WHERE access_key_id = ? AND (last_used_at IS NULL OR last_used_at < ?)"
    )
    rows.execute(connection, sql, [(at, name, at) for item in items for name, at in sorted(item)])
    return [None] * len(items)


# --- reading ---------------------------------------------------------------------------------------------------------


def changed_since(connection: Connection, instant: Instant) -> list[AccessKey]:
    """Return the access keys made, changed or deleted at or after an instant."""
    found = connection.execute(select(access_keys).where(access_keys.c.changed_at >= instant))
    return [_key(row) for row in found]


def of_account(connection: Connection, account_id: int) -> list[AccessKey]:
    return [_key(row) for row in list_keys(connection, account_id)]


def find(connection: Connection, access_key_id: str) -> AccessKey | None:
    same = (access_keys.c.access_key_id == access_key_id) & access_keys.c.deleted_at.is_(None)
    row = connection.execute(select(access_keys).where(same)).first()
    return None if row is None else _key(row)


def list_keys(connection: Connection, account_id: int) -> list[rows.AnyRow]:
    """Return an account's keys with the names of their users, the oldest first."""
    theirs = (ram_users.c.id == access_keys.c.user_id) & (ram_users.c.account_id == access_keys.c.account_id)
    mine = select(access_keys, ram_users.c.name.label("user_name")).outerjoin(ram_users, theirs)
    mine = mine.where(access_keys.c.account_id == account_id, access_keys.c.deleted_at.is_(None))
    return list(connection.execute(mine.order_by(access_keys.c.created_at, access_keys.c.access_key_id)))


def _key(row: rows.AnyRow) -> AccessKey:
    return AccessKey(
        access_key_id=row.access_key_id, account_id=row.account_id, kind=KeyKind(row.kind), sealed=bytes(row.sealed),
        active=row.active, user_id=row.user_id, deleted=row.deleted_at is not None,
    )  # fmt: skip
