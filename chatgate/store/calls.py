"""Used nonces and retry keys: what makes a second call of the same kind different from the first."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2b

from sqlalchemy import Connection, delete, select

from chatgate.clock import DAY, MINUTE, SECOND, Instant
from chatgate.store import rows
from chatgate.store.tables import nonces, retry_keys

NONCE_WINDOW = 15 * MINUTE
"""How far a signed date may lie from now; a nonce is kept until its date is beyond it."""

_LAST = 0xFFFF_FFFF
"""A second of the year 2106; no call of a later date is let through before."""

RETRY_WINDOW = DAY
"""How long a retry key gives the same MessageId (promise P3)."""


def nonce_key(access_key_id: str, nonce: str, signed_at: Instant) -> bytes:
    """Return the key under which a nonce is remembered.

    It begins with the second of the *signed* date, not of the server's: a byte-identical replay has the same key after
    a restart and on any node, and what is too old to be replayed is one range at the front. The signed date has no
    finer parts, and calls of one second share pages of the index: a coarser prefix scatters them over more.
    """
    digest = blake2b(f"{access_key_id}\0{nonce}".encode(), digest_size=12).digest()
    return struct.pack(">I", min(max(signed_at, 0) // SECOND, _LAST)) + digest


def spend_nonces(connection: Connection, keys: Sequence[bytes]) -> list[bool]:
    """Remember nonces; answer for each whether it was fresh. Of two equal ones in one call the first is fresh."""
    if len(keys) == 1:
        return [_insert_nonces(connection, keys) == 1]
    distinct = sorted(set(keys))  # in one order on all nodes: no deadlock when two get the same calls
    if rows.all_or_none(connection, lambda: _insert_nonces(connection, distinct), len(distinct)):
        fresh = set(distinct)
    else:  # rare: somebody replays. One set query tells whose nonce is used
        used = set(connection.execute(select(nonces.c.key).where(nonces.c.key.in_(distinct))).scalars())
        fresh = {key for key in distinct if key not in used}
        if _insert_nonces(connection, sorted(fresh)) != len(fresh):
            raise RuntimeError("another node spent a nonce in this moment")  # the committer runs each alone
    answers = []
    for key in keys:
        answers.append(key in fresh)
        fresh.discard(key)
    return answers


def _insert_nonces(connection: Connection, keys: Sequence[bytes]) -> int:
    return rows.insert(connection, nonces, ("key",), [(key,) for key in keys], "ON CONFLICT DO NOTHING")


def prune_nonces(connection: Connection, items: Sequence[Instant]) -> list[int]:
    """Forget nonces whose date is out of the window; answer how many."""
    oldest = struct.pack(">I", max(items[-1] - NONCE_WINDOW - SECOND, 0) // SECOND)
    return [connection.execute(delete(nonces).where(nonces.c.key < oldest)).rowcount] * len(items)


def prune_retry_keys(connection: Connection, items: Sequence[Instant]) -> list[int]:
    """Forget retry keys older than their window; answer how many."""
    gone = delete(retry_keys).where(retry_keys.c.created_at < items[-1] - RETRY_WINDOW)
    return [connection.execute(gone).rowcount] * len(items)
