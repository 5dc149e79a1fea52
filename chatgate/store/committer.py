"""Group commit: one writing connection, one thread, many callers.

A *verb* is a plain function ``(connection, items) -> results``: it takes what several callers want of the same kind and
answers each. While one transaction is being fsynced the next callers gather; then all that wait run in one transaction,
and they are resolved after its commit, on the loop, together.

Rules:

1. A caller hears "done" only after the commit that holds its change.
2. If the database cannot commit, every caller of that transaction gets ``StoreUnavailable`` and nothing has happened.
   (One case is not knowable: the connection to PostgreSQL breaks while COMMIT is under way.) The next transaction opens
   a new connection.
3. If a verb stumbles over one item (not over the database), or two nodes over each other, the transaction is rolled
   back and each item is run alone: a poisoned item fails alone, a deadlock is tried again.
4. After an I/O error of the disk nothing more is written by this process: what the kernel kept of the failed pages is
   not knowable (the lesson of PostgreSQL's fsync, 2018). ``on_fatal`` ends the process; the log recovers the rest.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, OperationalError, ProgrammingError

from chatgate.errors import StoreUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")
Verb = Callable[[Connection, Sequence[Item]], Sequence[Result]]

MAX_BATCH = 512
"""Callers per transaction; bounds how long one transaction holds the lock."""

GATHER_TURNS = 3
"""Turns of the loop before what waits is handed over: in them, those just resolved answer, what has arrived meanwhile
is read, and asks. An idle loop turns in microseconds; a busy one commits half as often, at a fifth less for each
caller."""

CONTENTION_TRIES = 3
"""How often an item that runs alone is tried when another node is in its way."""

_CONTENTION = ("40001", "40P01")
"""SQLSTATE of a serialization failure and of a deadlock (PostgreSQL manual, appendix A)."""

_ITEM_ERRORS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
"""What a database says when an item is at fault. All else that it says is an outage."""

log = structlog.get_logger(__name__)


class _Wish(NamedTuple):
    verb: Verb[Any, Any]
    item: Any
    future: asyncio.Future[Any]


_Answer = tuple[bool, Any]
"""(True, result) or (False, exception)."""


class Committer:
    """The one writer of a process."""

    def __init__(self, engine: Engine, *, on_fatal: Callable[[str], None]) -> None:
        self._engine = engine
        self._on_fatal = on_fatal
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Wish] = []
        self._busy = False
        self._scheduled = False
        self._refusal: str | None = None
        self._batches: SimpleQueue[list[_Wish] | None] = SimpleQueue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    def run(self, verb: Verb[Item, Result], item: Item) -> asyncio.Future[Result]:
        """Run ``verb`` for one item in the next transaction; resolved after its commit. Call on the loop's thread."""
        future: asyncio.Future[Result] = self._loop.create_future()
        if self._refusal is not None:
            future.set_exception(StoreUnavailable(self._refusal))
            return future
        self._waiting.append(_Wish(verb, item, future))
        self._idle.clear()
        self._gather()
        return future

    @property
    def queued(self) -> int:
        """Callers that wait for the transaction after the running one."""
        return len(self._waiting)

    async def close(self) -> None:
        """Finish what was asked, refuse what is asked from now on, end the thread."""
        self._refusal = self._refusal or "the store is closed"
        await self._idle.wait()
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    def _gather(self) -> None:
        if not self._busy and not self._scheduled:
            self._scheduled = True
            self._turn(GATHER_TURNS)

    def _turn(self, left: int) -> None:
        if left:
            self._loop.call_soon(self._turn, left - 1)
        else:
            self._scheduled = False
            self._hand_over()

    def _hand_over(self) -> None:
        batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        self._busy = True
        self._batches.put(batch)

    def _done(self, batch: list[_Wish], answers: list[_Answer]) -> None:
        self._busy = False
        for wish, (good, value) in zip(batch, answers, strict=True):
            if wish.future.done():
                continue
            if good:
                wish.future.set_result(value)
            else:
                wish.future.set_exception(value)
        if self._waiting:
            self._gather()
        else:
            self._idle.set()

    # --- on the writer's thread --------------------------------------------------------------------------------------

    def _work(self) -> None:
        connection: Connection | None = None
        broken = False
        while (batch := self._batches.get()) is not None:
            answers: list[_Answer] = []
            sentence = "the disk failed"
            try:
                if not broken:
                    connection = connection or self._engine.connect()
                    _commit(connection, batch, answers)
            except Exception as error:  # the database itself: what has no answer yet has not happened
                sentence = f"the database cannot commit: {type(error).__name__}"
                log.error("store.unavailable", error=type(error).__name__, cause=_cause(error))
                _discard(connection)
                connection = None
                broken = _is_disk_error(error)
                if broken:
                    self._refusal = sentence
                    self._loop.call_soon_threadsafe(self._on_fatal, "the disk reported an I/O error while committing")
            answers += [(False, StoreUnavailable(sentence)) for _ in range(len(batch) - len(answers))]
            self._loop.call_soon_threadsafe(self._done, batch, answers)
        _discard(connection)


def _discard(connection: Connection | None) -> None:
    if connection is not None:
        with suppress(Exception):  # it may be dead already
            connection.close()


def _commit(connection: Connection, batch: list[_Wish], answers: list[_Answer]) -> None:
    """Run a batch in one transaction, or else each wish in its own. Adds an answer for each that is done.

    Raises when the database is at fault; the wishes without an answer have then not happened.
    """
    if len(batch) > 1:
        try:
            with connection.begin():
                done = _run(connection, batch)
            answers += done
            return
        except Exception as error:
            if _is_outage(error):
                raise
    for wish in batch:
        answers.append(_alone(connection, wish))


def _alone(connection: Connection, wish: _Wish) -> _Answer:
    for _ in range(CONTENTION_TRIES):
        try:
            with connection.begin():
                return True, wish.verb(connection, (wish.item,))[0]
        except Exception as error:
            if _is_outage(error):
                raise
            if not _is_contention(error):
                return False, error
    return False, StoreUnavailable("another node is in the way")


def _run(connection: Connection, batch: list[_Wish]) -> list[_Answer]:
    """Run the wishes verb by verb, in order of first appearance; answers in the order of the batch."""
    places: dict[Verb[Any, Any], list[int]] = {}
    for place, wish in enumerate(batch):
        places.setdefault(wish.verb, []).append(place)
    answers: list[_Answer] = [(True, None)] * len(batch)
    for verb, own in places.items():
        results = verb(connection, [batch[place].item for place in own])
        for place, result in zip(own, results, strict=True):
            answers[place] = (True, result)
    return answers


def _cause(error: Exception) -> str:
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def _is_outage(error: Exception) -> bool:
    """Whether the database, not an item, is at fault."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or not (isinstance(error, _ITEM_ERRORS) or _is_contention(error))
    return isinstance(error, OSError)


def _is_contention(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONTENTION


def _is_disk_error(error: Exception) -> bool:
    return isinstance(error, OperationalError) and "disk i/o error" in str(error.orig).lower()
