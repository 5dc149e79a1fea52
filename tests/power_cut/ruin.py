"""What a power cut has left, read with ordinary SQLite and held against what callers were told."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, text

from chatgate.store import database
from tests.power_cut.life import Told


def losses(folder: Path, told: Told) -> list[str]:
    """Return a line for everything that was told and is not so. Recovers the database, as the next start does."""
    engine = database.open_writer(database.sqlite_url(folder))
    try:
        with engine.connect() as connection:
            found = [line for line in _integrity(connection) if line != "ok"]
            return [f"corrupt: {line}" for line in found] or [*_lost(connection, told), *_torn(connection)]
    except Exception as error:
        return [f"corrupt: it cannot be opened: {error}"]
    finally:
        engine.dispose()


def _integrity(connection: Connection) -> list[str]:
    return list(connection.execute(text("PRAGMA integrity_check")).scalars())


def _lost(connection: Connection, told: Told) -> list[str]:
    rows = connection.execute(text("SELECT id, status, fallback_state FROM messages WHERE parent_id IS NULL")).all()
    messages = {row.id: row for row in rows}
    texted = set(connection.execute(text("SELECT parent_id FROM messages WHERE parent_id IS NOT NULL")).scalars())
    attempted = set(connection.execute(text("SELECT message_id FROM attempts WHERE outcome = 'sent'")).scalars())
    receipted = set(connection.execute(text("SELECT message_id FROM receipts")).scalars())
    nonces = set(connection.execute(text("SELECT key FROM nonces")).scalars())
    lost = [f"the message {key} was accepted" for key in told.accepted.keys() - messages.keys()]
    lost += [f"the nonce of {key} was spent" for key, nonce in told.accepted.items() if nonce not in nonces]
    lost += [f"the attempt of {key} was recorded" for key in told.sent - attempted]
    lost += [f"the receipt of {key} was acknowledged" for key in (told.delivered | told.fired) - receipted]
    status = {key: row.status for key, row in messages.items()}
    lost += [f"{key} was delivered" for key in told.delivered if status.get(key) != "delivered"]
    state = {key: row.fallback_state for key, row in messages.items()}
    lost += [f"the fallback of {key} was fired" for key in told.fired if state.get(key) != "fired" or key not in texted]
    return [f"lost: {line}" for line in lost]


def _torn(connection: Connection) -> list[str]:
    """Return where a part of a transaction is there without the rest, whether or not anybody was told."""
    counts = {
        "messages and nonces": (
            "SELECT count(*) FROM messages WHERE parent_id IS NULL", "SELECT count(*) FROM nonces",
        ),
        "fallbacks that fired and SMS": (
            "SELECT count(*) FROM messages WHERE fallback_state = 'fired'",
            "SELECT count(DISTINCT parent_id) FROM messages WHERE parent_id IS NOT NULL",
        ),
        "attempts that were sent and tokens": (
            "SELECT count(*) FROM attempts WHERE outcome = 'sent'", "SELECT count(*) FROM tokens",
        ),
    }  # fmt: skip
    numbers = {what: [connection.execute(text(sql)).scalar() for sql in both] for what, both in counts.items()}
    return [f"torn: {what} are {one} and {other}" for what, (one, other) in numbers.items() if one != other]
