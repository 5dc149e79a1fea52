"""What follows from a change of status, in the same transaction: the customer's callbacks, and the fallback.

Every verb that moves a message hands its changes here, once, and nowhere else is anything told or fired.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from chatgate.clock import Instant
from chatgate.store import callbacks, fallbacks
from chatgate.store.changes import Change


def follow(connection: Connection, changes: Sequence[Change], now: Instant, keys: Callable[[], int]) -> None:
    """Write down what the changes lead to."""
    if not changes:
        return
    callbacks.enqueue(connection, changes, now)
    fallbacks.follow(connection, changes, now, keys)
