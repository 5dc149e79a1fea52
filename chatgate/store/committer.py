"""Group commit: one writing connection, one thread, many callers.

A *verb* is a plain function ``(connection, items) -> results``: it takes what several callers want of the same kind and
answers each. While one transaction is being fsynced the next callers gather; then all that wait run in one transaction,
and they are resolved after its commit, on the loop, together.

Rules:

1. A caller hears "done" only after the commit that holds its change.
2. If the database cannot commit, every caller of that transaction gets ``StoreUnavailable`` and nothing has happened.
   The next transaction opens a new connection. One case is not knowable, and is told apart as ``OutcomeUnknown``: the
   connection to PostgreSQL breaks, or the disk fails, while the COMMIT is under way.
3. If a verb stumbles over one item (not over the database), or two nodes over each other, the transaction is rolled
   back and each item is run alone: a poisoned item fails alone, a deadlock is tried again.
4. After an I/O error of the disk nothing more is written by this process: what the kernel kept of the failed pages is
   not knowable (the lesson of PostgreSQL's fsync, 2018). ``on_fatal`` ends the process; the log recovers the rest.
5. A call (somebody outside waits for the answer) hears within ``PATIENCE`` that it is refused, also when the database
   stands still. What waits for its transaction, or for a lock or a connection, is taken back. What runs on SQLite is
   waited for: it is this machine that is slow, and the answer will be true. What runs on PostgreSQL is refused, and
   rolled back as soon as the server lets go. A COMMIT under way there is given a little longer (this process may have
   been what stood still); then its outcome is unknown too.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, OperationalError, ProgrammingError

from chatgate.errors import OutcomeUnknown, StoreUnavailable

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

PATIENCE = 1.5
"""Seconds that a call waits for its commit: with all else, it is refused within two (promise P2)."""

LOOK_EVERY = 0.1
"""Seconds between looks for calls that have waited too long."""

COMMIT_LOOKS = 3
"""Looks that a COMMIT under way on PostgreSQL is given beyond ``PATIENCE``. Looks, not seconds: a process that was
stopped in the middle of one would else refuse it the moment it goes on, with the server's answer already there."""

APART = 60.0
"""Seconds after a rollback because of rule 5 in which calls and other work share no transaction: work that takes long
must end at last, and not be rolled back for ever for the sake of the calls that share it."""

_CONTENTION = ("40001", "40P01")
"""SQLSTATE of a serialization failure and of a deadlock (PostgreSQL manual, appendix A)."""

_ITEM_ERRORS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
"""What a database says when an item is at fault. All else that it says is an outage."""

log = structlog.get_logger(__name__)


class _Wish(NamedTuple):
    verb: Verb[Any, Any]
    item: Any
    future: asyncio.Future[Any]
    since: float
    """By the loop's clock; 0 where nobody outside waits."""


_Answer = tuple[bool, Any]
"""(True, result) or (False, exception)."""


class _TooLate(Exception):
    """Those who wished it have been refused."""


class _Batch:
    """What goes to the thread together, and how far it has come there."""

    def __init__(self, wishes: list[_Wish]) -> None:
        self.wishes = wishes
        self.answers: list[_Answer] = []
        """Of the first wishes, as they are committed."""
        self.since = min((wish.since for wish in wishes if wish.since), default=0.0)
        self._lock = threading.Lock()
        self._refused = False
        self._begun = False
        self._committing = False
        self._looks = 0

    @property
    def committing(self) -> bool:
        """Whether a COMMIT was sent whose outcome has not been heard."""
        return self._committing

    def refuse(self, *, also_begun: bool) -> type[StoreUnavailable] | None:
        """Say that it must not be committed any more; answer what its callers are told, None: it is waited for.

        Decided at one stroke: a COMMIT that ends a moment later must not be told as one that never was.
        """
        with self._lock:
            if self._committing and self._looks < COMMIT_LOOKS:
                self._looks += 1
                return None
            self._refused = self._refused or also_begun or not self._begun
            if not self._refused:
                return None
            return OutcomeUnknown if self._committing else StoreUnavailable

    def go_on(self, *, committing: bool) -> None:
        """Called when a transaction has begun, and right before its COMMIT; raises _TooLate."""
        with self._lock:
            self._begun = True
            self._committing = committing and not self._refused
            if self._refused:
                raise _TooLate

    def committed(self, answers: Iterable[_Answer]) -> None:
        """Note the answers of a transaction, after its commit."""
        with self._lock:
            self.answers += answers
            self._committing = False


class Committer:
    """The one writer of a process."""

    def __init__(
        self, engine: Engine, *, on_fatal: Callable[[str], None], calls: Collection[Verb[Any, Any]] = (),
        patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        """``calls``: the verbs for whose answer somebody outside waits, no longer than ``patience`` (seconds)."""
        self._engine = engine
        self._calls = frozenset(calls)
        self._patience = patience
        self._remote = engine.dialect.name != "sqlite"
        self._on_fatal = on_fatal
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Wish] = []
        self._heavy: deque[_Wish] = deque()
        self._heavy_is_next = False
        self._running: _Batch | None = None
        self._scheduled = False
        self._looking = False
        self._apart_until = 0.0
        self._calls_next = True
        self._refusal: str | None = None
        self._batches: SimpleQueue[_Batch | None] = SimpleQueue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
        self._thread.start()

    def run(self, verb: Verb[Item, Result], item: Item, *, heavy: bool = False) -> asyncio.Future[Result]:
        """Run ``verb`` for one item in the next transaction; resolved after its commit. Call on the loop's thread.

        ``heavy``: the item is the work of hundreds. Such a wish has a transaction of its own, and between two of them
        all others have theirs: nobody is held up by more than one.
        """
        future: asyncio.Future[Result] = self._loop.create_future()
        if self._refusal is not None:
            future.set_exception(StoreUnavailable(self._refusal))
            return future
        since = self._loop.time() if verb in self._calls else 0.0
        (self._heavy if heavy else self._waiting).append(_Wish(verb, item, future, since))
        self._idle.clear()
        if since and not self._looking:
            self._looking = True
            self._loop.call_later(self._patience, self._look)
        self._gather()
        return future

    @property
    def queued(self) -> int:
        """Callers that wait for the transaction after the running one."""
        return len(self._waiting) + len(self._heavy)

    async def close(self) -> None:
        """Finish what was asked, refuse what is asked from now on, end the thread."""
        self._refusal = self._refusal or "the store is closed"
        await self._idle.wait()
        self._batches.put(None)
        await asyncio.to_thread(self._thread.join)

    def _gather(self) -> None:
        if self._running is None and not self._scheduled:
            self._scheduled = True
            self._turn(GATHER_TURNS)

    def _turn(self, left: int) -> None:
        if left:
            self._loop.call_soon(self._turn, left - 1)
        else:
            self._scheduled = False
            self._hand_over()

    def _hand_over(self) -> None:
        if not self.queued:  # refused meanwhile: this process stood still
            self._idle.set()
            return
        self._running = _Batch(self._next())
        self._batches.put(self._running)

    def _next(self) -> list[_Wish]:
        """Take what goes into one transaction."""
        if self._heavy and (self._heavy_is_next or not self._waiting):
            self._heavy_is_next = False
            return [self._heavy.popleft()]
        self._heavy_is_next = True
        wishes, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        return self._of_one_kind(wishes) if self._loop.time() < self._apart_until else wishes

    def _of_one_kind(self, wishes: list[_Wish]) -> list[_Wish]:
        """Return only the calls, or only the rest, in turns; the others wait on."""
        kinds: dict[bool, list[_Wish]] = {True: [], False: []}
        for wish in wishes:
            kinds[wish.since > 0].append(wish)
        chosen = self._calls_next if kinds[self._calls_next] else not self._calls_next
        self._calls_next = not chosen
        self._waiting = kinds[not chosen] + self._waiting
        return kinds[chosen]

    def _done(self, batch: _Batch) -> None:
        self._running = None
        _tell(batch)
        if self.queued:
            self._gather()
        else:
            self._idle.set()

    # --- those who cannot wait ---------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Refuse the calls that have waited too long; look again as long as there are any."""
        latest = self._loop.time() - self._patience
        running = self._running
        kind = None
        if running is not None and 0 < running.since <= latest:
            kind = running.refuse(also_begun=self._remote)
        if running is not None and kind is not None:
            log.error("store.unavailable", error="TooLate", count=len(running.wishes))
            self._apart_until = self._loop.time() + APART
            _tell(running)
            _refuse(running.wishes, kind)
        late = [wish for wish in (*self._waiting, *self._heavy) if 0 < wish.since <= latest]
        if late:
            self._waiting = [wish for wish in self._waiting if not 0 < wish.since <= latest]
            self._heavy = deque(wish for wish in self._heavy if not 0 < wish.since <= latest)
            _refuse(late)
        left = any(wish.since for wish in (*self._waiting, *self._heavy))
        self._looking = left or (running is not None and running.since > 0)
        if self._looking:
            self._loop.call_later(LOOK_EVERY, self._look)

    # --- on the writer's thread --------------------------------------------------------------------------------------

    def _work(self) -> None:
        connection: Connection | None = None
        broken = False
        while (batch := self._batches.get()) is not None:
            sentence, kind = "the disk failed", StoreUnavailable
            try:
                if not broken:
                    connection = connection or self._engine.connect()
                    _commit(connection, batch)
            except Exception as error:  # the database itself: what has no answer yet has not happened
                sentence = f"the database cannot commit: {type(error).__name__}"
                log.error("store.unavailable", error=type(error).__name__, cause=_cause(error))
                _discard(connection)
                connection = None
                broken = _is_disk_error(error)
                if batch.committing and (broken or self._remote):
                    kind = OutcomeUnknown
                if broken:
                    self._refusal = sentence
                    self._loop.call_soon_threadsafe(self._on_fatal, "the disk reported an I/O error while committing")
            missing = len(batch.wishes) - len(batch.answers)
            batch.answers += [(False, kind(sentence)) for _ in range(missing)]
            self._loop.call_soon_threadsafe(self._done, batch)
        _discard(connection)


def _tell(batch: _Batch) -> None:
    """Resolve those who have an answer."""
    for wish, (good, value) in zip(batch.wishes, list(batch.answers), strict=False):
        if wish.future.done():
            continue
        if good:
            wish.future.set_result(value)
        else:
            wish.future.set_exception(value)


def _refuse(wishes: Iterable[_Wish], kind: type[StoreUnavailable] = StoreUnavailable) -> None:
    for wish in wishes:
        if not wish.future.done():
            wish.future.set_exception(kind("the database does not answer"))


def _discard(connection: Connection | None) -> None:
    if connection is not None:
        with suppress(Exception):  # it may be dead already
            connection.close()


def _commit(connection: Connection, batch: _Batch) -> None:
    """Run a batch in one transaction, or else each wish in its own. Adds an answer for each that is done.

    Raises when the database is at fault; the wishes without an answer have then not happened.
    """
    if len(batch.wishes) > 1:
        try:
            with connection.begin():
                batch.go_on(committing=False)
                done = _run(connection, batch.wishes)
                batch.go_on(committing=True)
            batch.committed(done)
            return
        except Exception as error:
            if _is_outage(error):
                raise
    for wish in batch.wishes:
        batch.committed([_alone(connection, batch, wish)])


def _alone(connection: Connection, batch: _Batch, wish: _Wish) -> _Answer:
    for _ in range(CONTENTION_TRIES):
        try:
            with connection.begin():
                batch.go_on(committing=False)
                result = wish.verb(connection, (wish.item,))[0]
                batch.go_on(committing=True)
            return True, result
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
    if isinstance(error, _TooLate):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or not (isinstance(error, _ITEM_ERRORS) or _is_contention(error))
    return isinstance(error, OSError)


def _is_contention(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _CONTENTION


def _is_disk_error(error: Exception) -> bool:
    return isinstance(error, OperationalError) and "disk i/o error" in str(error.orig).lower()
