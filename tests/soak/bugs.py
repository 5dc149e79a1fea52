"""Bugs to plant, by name: each patches one thing, as a mistake would. ``canaries`` says how each must be caught."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, select

from chatgate.callbacks import signature
from chatgate.clock import SECOND
from chatgate.domain import fallback, lifecycle
from chatgate.domain.lifecycle import Due, Event
from chatgate.domain.message import Outcome, SendResult, Status
from chatgate.providers import viber_partner
from chatgate.providers.base import HttpProvider
from chatgate.store import acceptance, attempts, claims, fallbacks, messages, receipts, rows, store
from chatgate.store.committer import Committer, Item, Result, Verb
from chatgate.store.tables import messages as table
from chatgate.workers.callback_sender import CallbackSender
from chatgate.workers.lane import Lane


class EagerCommitter(Committer):
    """Answers some verbs when the work of the transaction is done, and commits then."""

    eager: Any = None

    def run(self, verb: Verb[Item, Result], item: Item, *, heavy: bool = False) -> asyncio.Future[Result]:
        if verb is not self.eager:
            return super().run(verb, item, heavy=heavy)
        loop = asyncio.get_running_loop()
        early: asyncio.Future[Result] = loop.create_future()

        def eager(connection: Connection, items: Any) -> Any:
            results = verb(connection, items)
            loop.call_soon_threadsafe(_resolve, early, results[0])
            return results

        super().run(eager, item, heavy=heavy).add_done_callback(lambda late: _fail(early, late))
        return early


def _resolve(early: asyncio.Future[Any], result: object) -> None:
    if not early.done():
        early.set_result(result)


def _fail(early: asyncio.Future[Any], late: asyncio.Future[Any]) -> None:
    if not late.cancelled() and (error := late.exception()) is not None and not early.done():
        early.set_exception(error)


def _eager(verb: Callable[..., Any]) -> Callable[[], None]:
    def plant() -> None:
        EagerCommitter.eager = staticmethod(verb)
        _replace(store, "Committer", EagerCommitter)

    return plant


def _without_ttl() -> None:
    """Whatever its time: it is sent."""
    decide = lifecycle.on_due

    def on_due(message: Any, now: int) -> Due:
        return decide(message, min(now, message.expires_at - 1))

    def in_time(_self: Lane, _message: Any, _now: int) -> bool:
        return True

    _replace(lifecycle, "on_due", on_due)
    _replace(Lane, "_in_time", in_time)


def _without_compare() -> None:
    """What is due is read first, and fired then, whatever has happened in between."""

    def fire_due(connection: Connection, items: Sequence[fallbacks.Sweep]) -> list[int]:
        now = items[-1].now
        due = select(table).where(table.c.fallback_state == "armed", table.c.fallback_at <= now)
        found = connection.execute(due).all()
        if found:
            time.sleep(0.4)
        moves = [(messages.of_row(row), fallback.on_time(row.fallback_at, now)) for row in found]
        fallbacks._move(connection, moves, now, items[-1].keys)
        return [0] * len(items)

    def all_set(connection: Connection, steps: Any) -> bool:
        sql = "UPDATE messages SET fallback_state = ?, fallback_at = NULL WHERE id = ?"
        rows.execute(connection, sql, [(step.after.value, step.message.id) for step in steps])
        return True

    _replace(fallbacks, "fire_due", fire_due)
    _replace(fallbacks, "_all_set", all_set)


def _changing_id() -> None:
    """A new ``webhook-id`` for each try."""

    def headers(self: Any, endpoint: Any, _batch: Any, body: bytes) -> dict[str, str]:
        secret = self._open_secret(endpoint.sealed_secret, endpoint.account_id)
        return signature.headers(secret, f"msg_{secrets.token_hex(8)}", self._clock.now() // SECOND, body)

    _replace(CallbackSender, "_headers", headers)


def _without_number() -> None:
    """A result is written whatever attempt is open."""
    for event, sql in attempts._MOVES.items():
        attempts._MOVES[event] = sql.replace("attempt = ?", "? > 0")


def _without_memory() -> None:
    """A call with an Idempotency-Key is a new one each time."""

    def remember(*_of_a_call: object) -> None:
        return None

    _replace(acceptance, "remember", remember)


def _hopeful() -> None:
    """What was put off counts as sent."""
    send = HttpProvider.send

    async def hopes(self: HttpProvider, message: Any, now: int) -> SendResult:
        result = await send(self, message, now)
        return structs.replace(result, outcome=Outcome.SENT) if result.outcome is Outcome.DEFERRED else result

    _replace(HttpProvider, "send", hopes)


def _without_rescue() -> None:
    """An open send whose process died is left as it is."""

    def lost(_connection: Connection, _claim: object, _row: object, _message: object) -> None: ...

    _replace(claims, "_lost", lost)


def _without_rank() -> None:
    """The last receipt wins."""
    lifecycle.TRANSITIONS[Status.READ] = {Event.DELIVERED: Status.DELIVERED}


def _one_sender() -> None:
    """Everything goes out under the service id that was used first."""
    write, first = viber_partner._body, []

    def body(message: Any, now: int) -> dict[str, Any]:
        written = write(message, now)
        first.append(written["service_id"])
        return {**written, "service_id": first[0]}

    _replace(viber_partner, "_body", body)


BUGS: dict[str, Callable[[], None]] = {
    "answered before the commit": _eager(acceptance.accept),
    "Idempotency-Key not remembered": _without_memory,
    "put off, counted as sent": _hopeful,
    "no look at the time to live": _without_ttl,
    "open send that nobody rescues": _without_rescue,
    "receipt acknowledged before the commit": _eager(receipts.apply_receipts),
    "webhook-id that changes with each try": _changing_id,
    "receipt of a lower rank wins": _without_rank,
    "service id of another account": _one_sender,
    "fallback without compare-and-set": _without_compare,
    "result without its attempt number": _without_number,
}


def plant(name: str) -> None:
    BUGS[name]()


def _replace(owner: object, name: str, value: object) -> None:
    getattr(owner, name)  # it is still called that
    setattr(owner, name, value)
