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
    """What is written down; of one that is there, the rest stays. None: it is taken away."""
    most: int | None = None
    """It is new, and the account has at most so many; None: it is there."""
    nonce: bytes
    now: Instant


class SpaceOutcome(StrEnum):
    DONE = "done"
    NONCE_USED = "nonce used"
    GONE = "gone"
    """The account has no such space (any more)."""
    LAST = "last"
    """It is the only one: it stays, because calls need one."""
    FULL = "full"
    """The account has as many as it can have."""


class SpaceChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order."""

    outcome: SpaceOutcome
    details: Mapping[str, str] = {}
    """All that is written down now."""


def change_spaces(connection: Connection, items: Sequence[SpaceOrder]) -> list[SpaceChanged]:
    """Make, describe or take away spaces; answer what became of each order. Only what is done spends the nonce."""
    return [_change(connection, item) for item in items]


def _change(connection: Connection, item: SpaceOrder) -> SpaceChanged:
    touch(connection, item.account_id, item.now)
    mine = spaces.c.account_id == item.account_id
    this = mine & (spaces.c.space_id == item.space_id)
    old = connection.execute(select(spaces.c.details).where(this)).first()
    number = connection.execute(select(func.count()).where(mine)).scalar_one()
    if item.most is None and old is None:
        return SpaceChanged(outcome=SpaceOutcome.GONE)
    if item.details is None and number == 1:
        return SpaceChanged(outcome=SpaceOutcome.LAST)
    if item.most is not None and number >= item.most:
        return SpaceChanged(outcome=SpaceOutcome.FULL)
    if not calls.spend_nonces(connection, [item.nonce])[0]:
        return SpaceChanged(outcome=SpaceOutcome.NONCE_USED)
    if item.details is None:
        connection.execute(delete(spaces).where(this))
        return SpaceChanged(outcome=SpaceOutcome.DONE)
    if old is None:
        names = [column.name for column in spaces.columns]
        space = Space(space_id=item.space_id, made_at=item.now, details=item.details)
        rows.insert(connection, spaces, names, [space_row(item.account_id, space)])
        return SpaceChanged(outcome=SpaceOutcome.DONE, details=item.details)
    known = msgspec.json.decode(old.details, type=dict[str, str]) if old.details else {}
    details = {**known, **item.details}
    connection.execute(update(spaces).where(this).values(details=msgspec.json.encode(details).decode()))
    return SpaceChanged(outcome=SpaceOutcome.DONE, details=details)
