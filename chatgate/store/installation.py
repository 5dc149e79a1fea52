"""What belongs to the database as a whole: its secret, its key-ring canary, its node numbers, its schema version."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from chatgate.clock import Instant
from chatgate.errors import SettingError
from chatgate.ids import NODES
from chatgate.sealing import KeyRing
from chatgate.store import rows
from chatgate.store.tables import installation, nodes

CANARY_NAME, CANARY_PURPOSE = "key_ring_canary", "canary"
_CANARY = b"chatgate"


def value(connection: Connection, name: str) -> bytes | None:
    found = connection.execute(select(installation.c.value).where(installation.c.name == name)).scalar()
    return None if found is None else bytes(found)


def message_id_secret(connection: Connection, items: Sequence[None]) -> list[bytes]:
    """Return the secret behind MessageIds, made at first use."""
    return [_once(connection, "message_id_secret", secrets.token_bytes(32))] * len(items)


def check_key_ring(connection: Connection, items: Sequence[KeyRing]) -> list[None]:
    """Make sure that the key ring opens what this database holds; raises SettingError before anything else is done."""
    for ring in items:
        canary = _once(connection, CANARY_NAME, ring.seal(_CANARY, CANARY_PURPOSE))
        if ring.open(canary, CANARY_PURPOSE) != _CANARY:
            raise SettingError("The key ring does not belong to this database.")
    return [None] * len(items)


def check_kind(connection: Connection, items: Sequence[str]) -> list[None]:
    """Make sure that a database is used for one thing only: ``sandbox`` or ``serve``, whichever came first.

    A sandbox has keys that everybody knows and sends to a simulator; it must never touch a real installation, nor the
    other way round. Raises SettingError.
    """
    for kind in items:
        first = _once(connection, "kind", kind.encode()).decode()
        if first != kind:
            raise SettingError(
                f"This database is a {first}'s, not a {kind}'s: a sandbox and an installation that serves never share "
                "one. Say another --data or --database."
            )
    return [None] * len(items)


def prove_writable(connection: Connection, items: Sequence[Instant]) -> list[None]:
    """Change one row, as large as a busy commit: a full disk shows only when something is written."""
    row = ("written_at", items[-1].to_bytes(8, "big") * 4096)
    then = "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    rows.insert(connection, installation, ("name", "value"), [row], then)
    return [None] * len(items)


def register_node(connection: Connection, items: Sequence[Instant]) -> list[int]:
    """Return a number for this process, 0 to 1023, that no other of the last 1023 starts has."""
    numbers = []
    for started_at in items:
        made = insert(nodes).values(started_at=started_at).returning(nodes.c.id)
        numbers.append(connection.execute(made).scalar_one() % NODES)
    return numbers


def _once(connection: Connection, name: str, fresh: bytes) -> bytes:
    """Return a value, made at first use. Nothing is written where it exists: who only looks needs no disk space."""
    stored = value(connection, name)
    if stored is None:
        rows.insert(connection, installation, ("name", "value"), [(name, fresh)], "ON CONFLICT DO NOTHING")
        stored = value(connection, name)
    if stored is None:
        raise AssertionError("an installation value vanished")
    return stored
