"""Every sealed value of the database: counted by the key that sealed it, and sealed anew under the current one.

``PLACES`` is the whole list; a column that holds sealed values and is missing there would be lost with the old key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Table, func, select, update

from chatgate.clock import Instant
from chatgate.domain.account import KeyKind
from chatgate.sealing import KeyRing, kid
from chatgate.store import installation, rows
from chatgate.store.tables import access_keys, accounts
from chatgate.store.tables import installation as installation_table


@dataclass(frozen=True, slots=True)
class Place:
    """A column of sealed values."""

    table: Table
    key: Column[Any]
    sealed: Column[Any]
    where: ColumnElement[bool]


PLACES: dict[str, Place] = {
    "access key secrets": Place(
        access_keys, access_keys.c.access_key_id, access_keys.c.sealed,
        (access_keys.c.kind == str(KeyKind.HMAC)) & access_keys.c.deleted_at.is_(None),
    ),
    "callback secrets": Place(
        accounts, accounts.c.id, accounts.c.callback_secret, accounts.c.callback_secret.is_not(None)
    ),
    "key ring canary": Place(
        installation_table, installation_table.c.name, installation_table.c.value,
        installation_table.c.name == installation.CANARY_NAME,
    ),
}  # fmt: skip


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One small step through one place."""

    place: str
    ring: KeyRing
    purpose: Callable[[Any], str]
    """What the value of a row is bound to, by the row's key."""
    after: Any
    """Key of the last row of the step before; None at first."""
    limit: int
    now: Instant


class Stepped(msgspec.Struct, frozen=True, kw_only=True):
    last: Any
    """Key of the last row that was looked at; None: there is none left."""
    renewed: int


def rewrap(connection: Connection, items: Sequence[Step]) -> list[Stepped]:
    """Seal anew what is not under the current key. Rows that others change at the same time stay as they made them."""
    return [_step(connection, item) for item in items]


def _step(connection: Connection, item: Step) -> Stepped:
    place = PLACES[item.place]
    found = select(place.key, place.sealed).where(place.where).order_by(place.key).limit(item.limit)
    if item.after is not None:
        found = found.where(place.key > item.after)
    last, renewed = None, 0
    for last, stored in connection.execute(found).all():
        sealed, purpose = bytes(stored), item.purpose(last)
        if kid(sealed) == item.ring.current:
            continue
        values: dict[str, Any] = {place.sealed.name: item.ring.seal(item.ring.open(sealed, purpose), purpose)}
        if "changed_at" in place.table.c:  # so that every node reads it again
            values["changed_at"] = item.now
        same = (place.key == last) & (place.sealed == stored)
        renewed += connection.execute(update(place.table).where(same).values(values)).rowcount
    return Stepped(last=last, renewed=renewed)


def note_rewrapped(connection: Connection, items: Sequence[Instant]) -> list[None]:
    """Remember when everything was under the current key for the first time."""
    row = ("rewrapped_at", items[-1].to_bytes(8, "big"))
    then = "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    rows.insert(connection, installation_table, ("name", "value"), [row], then)
    return [None] * len(items)


# --- reading ---------------------------------------------------------------------------------------------------------


def count(connection: Connection) -> dict[int, int]:
    """Return how many values each key of the ring seals."""
    counted: dict[int, int] = {}
    for place in PLACES.values():
        by_key = func.substr(place.sealed, 1, 4).label("kid")
        for row in connection.execute(select(by_key, func.count().label("values")).where(place.where).group_by(by_key)):
            number = kid(bytes(row[0]))
            counted[number] = counted.get(number, 0) + row[1]
    return counted


def rewrapped_at(connection: Connection) -> Instant | None:
    found = installation.value(connection, "rewrapped_at")
    return None if found is None else int.from_bytes(found, "big")
