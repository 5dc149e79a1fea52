"""Spaces as their owners make, describe and take them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from chatgate.clock import Instant
from chatgate.domain.account import Space
from chatgate.store import calls, rows
from chatgate.store.account_row import touch
from chatgate.store.accounts import space_row
from chatgate.store.tables import spaces


class SpaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one space, asked for by a call."""

    account_id: int
    space_id: str
    details: Mapping[str, str] | None
    """None: it is taken away."""
    new: bool
    nonce: bytes
    now: Instant


class SpaceOutcome(StrEnum):
    DONE = "done"
    NONCE_USED = "nonce used"
    GONE = "gone"
    """The account has no such space (any more)."""
    LAST = "last"
    """It is the only one: it stays, because calls need one."""


def change_spaces(connection: Connection, items: Sequence[SpaceOrder]) -> list[SpaceOutcome]:
    """Make, describe or take away spaces; answer what became of each order. Only what is done spends the nonce."""
    return [_change(connection, item) for item in items]


def _change(connection: Connection, item: SpaceOrder) -> SpaceOutcome:
    touch(connection, item.account_id, item.now)
    mine = spaces.c.account_id == item.account_id
    this = mine & (spaces.c.space_id == item.space_id)
    if not item.new and connection.execute(select(spaces.c.space_id).where(this)).first() is None:
        return SpaceOutcome.GONE
    if item.details is None and connection.execute(select(func.count()).where(mine)).scalar_one() == 1:
        return SpaceOutcome.LAST
    if not calls.spend_nonces(connection, [item.nonce])[0]:
        return SpaceOutcome.NONCE_USED
    if item.details is None:
        connection.execute(delete(spaces).where(this))
    elif item.new:
        names = [column.name for column in spaces.columns]
        space = Space(space_id=item.space_id, made_at=item.now, details=item.details)
        rows.insert(connection, spaces, names, [space_row(item.account_id, space)])
    else:
        connection.execute(update(spaces).where(this).values(details=msgspec.json.encode(item.details).decode()))
    return SpaceOutcome.DONE
