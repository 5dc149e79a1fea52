"""What is forgotten of the rows that only grow: reports that were told, and decisions that no longer matter.

Both tables are walked from their oldest row on, stride by stride: so no index is kept for it, and no transaction is
long. What waits to be told is never forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, or_, select

from chatgate.clock import DAY, Instant
from chatgate.domain.callback import CallbackState
from chatgate.store.tables import callbacks, reviews

HEARD_WINDOW = 30 * DAY
"""How long a report is kept that its endpoint heard. Ours."""

UNDELIVERABLE_WINDOW = 90 * DAY
"""How long a report can be replayed that its endpoint did not hear. Ours."""

REVIEW_WINDOW = 730 * DAY
"""How long a decision on a template or a sender is kept. The newest on each is kept for ever. Ours."""


class Stride(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a walk."""

    after: int
    """Id of the last row of the step before; 0 at first."""
    limit: int
    """Rows that are looked at."""
    now: Instant


class Strode(msgspec.Struct, frozen=True, kw_only=True):
    after: int
    """Where the next step begins; 0: the walk has come to what is young, and begins anew."""
    forgotten: int


def forget_callbacks(connection: Connection, items: Sequence[Stride]) -> list[Strode]:
    """Forget reports that were heard, or could not be told, long ago."""
    return [_forget_callbacks(connection, item) for item in items]


def _forget_callbacks(connection: Connection, stride: Stride) -> Strode:
    at, state = callbacks.c.at, callbacks.c.state
    heard = and_(state == CallbackState.HEARD, at < stride.now - HEARD_WINDOW)
    dead = and_(state == CallbackState.UNDELIVERABLE, at < stride.now - UNDELIVERABLE_WINDOW)
    return _forget(connection, callbacks, stride, at < stride.now - HEARD_WINDOW, or_(heard, dead))


def forget_reviews(connection: Connection, items: Sequence[Stride]) -> list[Strode]:
    """Forget decisions of long ago, but for the newest on each template and sender."""
    return [_forget_reviews(connection, item) for item in items]


def _forget_reviews(connection: Connection, stride: Stride) -> Strode:
    newer = reviews.alias()
    same = [newer.c[name] == reviews.c[name] for name in ("account_id", "kind", "name", "language")]
    old = reviews.c.at < stride.now - REVIEW_WINDOW
    return _forget(connection, reviews, stride, old, and_(old, exists().where(*same, newer.c.id > reviews.c.id)))


def _forget(
    connection: Connection, table: Table, stride: Stride, old: ColumnElement[bool], gone: ColumnElement[bool]
) -> Strode:
    """Delete what is ``gone`` of the rows of a stride; the walk goes on where one of them is ``old``."""
    ids = select(table.c.id).where(table.c.id > stride.after).order_by(table.c.id).limit(stride.limit).subquery()
    last = connection.execute(select(func.max(ids.c.id))).scalar()
    if last is None:
        return Strode(after=0, forgotten=0)
    these = and_(table.c.id > stride.after, table.c.id <= last)
    goes_on = connection.execute(select(table.c.id).where(these, old).limit(1)).first() is not None
    forgotten = connection.execute(delete(table).where(these, gone)).rowcount if goes_on else 0
    return Strode(after=last if goes_on else 0, forgotten=forgotten)
