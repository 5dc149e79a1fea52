"""The verbs that put stored instants right after the machine's clock was set back.

A message that was accepted before the clock was set back by two hours would live two hours longer, and wait two hours
longer for its next try or its fallback. So what waits is moved back by as much. What may be moved is what was accepted
*in the future*, seen from the new time: that alone is known to be of the old one, whichever node or process looks, and
once it is moved it is so no more.

With PostgreSQL the server's clock has a say: what is not in its future was accepted by nodes whose clock is right, and
it is this one's that is wrong now.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from chatgate import ids
from chatgate.clock import Instant
from chatgate.store import rows
from chatgate.store.turns import LONGEST_REST


class SetBack(msgspec.Struct, frozen=True, kw_only=True):
    """A clock that was set back, and is trusted now."""

    by: int
    """Milliseconds, above zero."""
    noticed_at: Instant
    """The latest time of all clocks when it was noticed, by the new time (``latest_time``)."""
    noticed_key: int
    """A key made then: what has a later one was accepted by the new time."""
    now: Instant


def latest_time(connection: Connection, now: Instant) -> Instant:
    """Return ``now``, or the time of the database server if that is later."""
    if connection.dialect.name != "postgresql":
        return now
    theirs = connection.exec_driver_sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint").scalar_one()
    return max(now, int(theirs))


def set_back(connection: Connection, items: Sequence[SetBack]) -> list[int]:
    """Move messages that wait; let go endpoints and reports that would wait for a time that has been. Answer how many
    messages were moved."""
    return [_set_back(connection, item) for item in items]


def _set_back(connection: Connection, item: SetBack) -> int:
    sql = (
        "UPDATE messages SET accepted_at = accepted_at - ?, expires_at = expires_at - ?, due_at = due_at - ?, "
        "fallback_at = fallback_at - ? WHERE id BETWEEN ? AND ? AND accepted_at > ? "
        "AND (due_at IS NOT NULL OR fallback_at IS NOT NULL)"
    )
    by, since = item.by, ids.key_at(item.noticed_at)
    moved = rows.execute(connection, sql, [(by, by, by, by, since, item.noticed_key, item.noticed_at)])
    rows.execute(
        connection, "UPDATE endpoints SET free_at = ? WHERE free_at > ?", [(item.now, item.now + LONGEST_REST)]
    )
    untold = "UPDATE callbacks SET due_at = ? WHERE due_at > ? AND at > ? AND batch_id IS NULL"
    rows.execute(connection, untold, [(item.now, item.now, item.now)])
    return moved
