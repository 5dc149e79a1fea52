"""The row of an account, which whatever changes what is the account's takes first.

So changes of one account come one after the other on all nodes, no two of them wait for each other in a circle, and
every node reads the account again.
"""

from __future__ import annotations

from sqlalchemy import Connection, update

from chatgate.clock import Instant
from chatgate.errors import NotFound
from chatgate.store.tables import accounts


def touch(connection: Connection, account_id: int, now: Instant) -> None:
    """Make every node read the account again; until the transaction ends nobody else changes it. Raises NotFound."""
    changed = update(accounts).where(accounts.c.id == account_id)
    if not connection.execute(changed.values(changed_at=now)).rowcount:
        raise NotFound("There is no such account.")
