"""What is in a database when the processes over it are dead, or in spite of them."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, select

from chatgate.ids import MessageIds
from chatgate.store import database, installation
from chatgate.store.tables import accounts, attempts, callbacks, messages, notes, receipts, tokens
from tests.soak.checker import waits
from tests.soak.ledger import Receipt, Seen, Stored, Told

Mark = tuple[str, str]
"""Mark and status."""


class Evidence:
    """Reads a database; ``with Evidence(url) as evidence``."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = database.open_reader(url)
        self._seen: dict[int, Seen] = {}

    def __enter__(self) -> Evidence:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def stored(self) -> list[Stored]:
        """Return every message with the outcomes of its attempts."""
        with self._engine.connect() as connection:
            return _stored(connection)

    def receipts(self) -> list[Receipt]:
        with self._engine.connect() as connection:
            public = _ids(connection).public
            return [
                Receipt(
                    provider=row.provider, token=row.token, status=row.status, at=row.at, effect=row.effect,
                    message_id=None if row.message_id is None else public(row.message_id),
                )
                for row in connection.execute(select(receipts).order_by(receipts.c.id))
            ]  # fmt: skip

    def tokens(self) -> dict[tuple[str, str], str]:
        """Return the MessageId of every token of a provider."""
        with self._engine.connect() as connection:
            public = _ids(connection).public
            return {(row.provider, row.token): public(row.message_id) for row in connection.execute(select(tokens))}

    def outbox(self) -> list[Told]:
        """Return every report about a message, in the order in which they were written."""
        found = select(callbacks, messages.c.parent_id).join(messages, messages.c.id == callbacks.c.message_id)
        found = found.order_by(callbacks.c.id)
        with self._engine.connect() as connection:
            public = _ids(connection).public
            return [
                Told(
                    (public(row.parent_id or row.message_id), bool(row.parent_id), row.status, row.at, row.code),
                    row.state,
                )
                for row in connection.execute(found)
            ]

    def look(self) -> list[Seen]:
        """Return the messages that have changed since the last look, as one snapshot shows them."""
        sms = select(messages.c.parent_id).where(messages.c.parent_id.is_not(None)).scalar_subquery()
        columns = (messages.c.id, messages.c.status, messages.c.status_at, messages.c.attempt)
        with self._engine.connect() as connection:
            public = _ids(connection).public
            found = connection.execute(select(*columns, messages.c.id.in_(sms).label("has_sms"))).all()
        changed = []
        for row in found:
            old = self._seen.get(row.id)
            now = (row.status, row.status_at, row.attempt, bool(row.has_sms))
            if old is None or (old.status, old.status_at, old.attempt, old.has_sms) != now:
                self._seen[row.id] = seen = Seen(public(row.id) if old is None else old.message_id, *now)
                changed.append(seen)
        return changed

    def restless(self) -> list[Mark]:
        """Return each message that still needs attention."""
        due = select(messages.c.status, messages.c.losses, messages.c.draft).where(messages.c.due_at.is_not(None))
        with self._engine.connect() as connection:
            found = [(row, msgspec.json.decode(row.draft)) for row in connection.execute(due)]
        return [(_mark(draft), row.status) for row, draft in found if not waits(row.status, draft["label"], row.losses)]

    def untold(self) -> int:
        """Return how many reports wait to be told, and fallbacks for their time."""
        waiting = select(func.count()).where(callbacks.c.state == "waiting")
        armed = select(func.count()).where(messages.c.fallback_state == "armed", messages.c.fallback_at.is_not(None))
        with self._engine.connect() as connection:
            return int(connection.execute(waiting).scalar_one() + connection.execute(armed).scalar_one())

    async def settled(self, within: float) -> None:
        """Return when all is at rest, or when the time is over: the checker then says what is not."""
        await until(lambda: not self.restless(), within)


async def until(true: Callable[[], bool], within: float) -> bool:
    """Look until something is true; return whether it came to be."""
    deadline = time.monotonic() + within
    while not (found := true()) and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    return found


def _ids(connection: Connection) -> MessageIds:
    secret = installation.value(connection, "message_id_secret")
    assert secret is not None
    return MessageIds(secret)


def _stored(connection: Connection) -> list[Stored]:
    public = _ids(connection).public
    names = {row.id: row.name for row in connection.execute(select(accounts))}
    ends: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(select(attempts).order_by(attempts.c.message_id, attempts.c.number)):
        ends[row.message_id].append(row)
    once_more = select(notes.c.message_id, func.count()).where(notes.c.event == "sent once more")
    repeats = {row[0]: row[1] for row in connection.execute(once_more.group_by(notes.c.message_id))}
    return [
        Stored(
            message_id=public(row.id), mark=_mark(draft), status=row.status, due_at=row.due_at,
            expires_at=row.expires_at, attempt=row.attempt, outcomes=_outcomes(ends[row.id]), label=draft["label"],
            losses=row.losses, repeats=repeats.get(row.id, 0), account=names[row.account_id],
            parent=None if row.parent_id is None else public(row.parent_id), fallback=row.fallback_state,
            ended={end.number: end.ended_at for end in ends[row.id]},
        )
        for row in connection.execute(select(messages))
        for draft in [msgspec.json.decode(row.draft)]
    ]  # fmt: skip


def _outcomes(ends: Sequence[Any]) -> tuple[tuple[int, str], ...]:
    return tuple((end.number, end.outcome) for end in ends)


def _mark(draft: dict[str, Any]) -> str:
    """Return the text; of a message whose content was refused (FallBackRule=sentFailed) the task's id."""
    return str(draft["content"].get("text") or draft.get("task_id"))
