"""What is in a database when the processes over it are dead, or in spite of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable

from sqlalchemy import Connection, Engine, select

from chatgate.ids import MessageIds
from chatgate.store import database, installation
from chatgate.store.tables import attempts, messages
from tests.e2e.ledger import Stored, is_held


class Evidence:
    """Reads a database; ``with Evidence(url) as evidence``."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = database.open_reader(url)

    def __enter__(self) -> Evidence:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def stored(self) -> list[Stored]:
        """Return every message with the outcomes of its attempts."""
        with self._engine.connect() as connection:
            return _stored(connection)

    def restless(self) -> list[tuple[str, str]]:
        """Return mark and status of each message that still needs attention."""
        waiting = select(messages.c.status, messages.c.draft).where(messages.c.due_at.is_not(None))
        with self._engine.connect() as connection:
            found = [(row.status, json.loads(row.draft)) for row in connection.execute(waiting)]
        return [(draft["content"]["text"], status) for status, draft in found if not is_held(status, draft["label"])]

    async def settled(self, within: float) -> None:
        """Return when all is at rest, or when the time is over: the checker then says what is not."""
        await until(lambda: not self.restless(), within)


async def until(true: Callable[[], bool], within: float) -> bool:
    """Look until something is true; return whether it came to be."""
    deadline = time.monotonic() + within
    while not (found := true()) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return found


def _stored(connection: Connection) -> list[Stored]:
    secret = installation.value(connection, "message_id_secret")
    assert secret is not None
    ids = MessageIds(secret)
    outcomes: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for row in connection.execute(select(attempts).order_by(attempts.c.message_id, attempts.c.number)):
        outcomes[row.message_id].append((row.number, row.outcome))
    return [
        Stored(
            message_id=ids.public(row.id), mark=json.loads(row.draft)["content"]["text"], status=row.status,
            due_at=row.due_at, expires_at=row.expires_at, attempt=row.attempt, outcomes=tuple(outcomes[row.id]),
        )
        for row in connection.execute(select(messages))
    ]  # fmt: skip
