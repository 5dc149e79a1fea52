"""Fail-points: named places in the middle of chatgate at which a run makes it die, by SIGKILL of itself.

chatgate knows nothing of them: the rig wraps the functions named here. A point *in* a transaction dies before its
commit; one *after* dies when the promise of the verb is given, before anybody was told.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from chatgate.callbacks.delivery import Delivery
from chatgate.domain.message import Outcome
from chatgate.providers.base import HttpProvider
from chatgate.providers.smpp.provider import Smpp
from chatgate.store import acceptance, attempts, claims, messages, migration, receipts
from chatgate.store.store import Store

Die = Callable[[], None]


@dataclass(frozen=True, slots=True)
class FailPoint:
    """One place."""

    promise: str
    """Which promise dying there attacks (``docs/promises.md``)."""
    arm: Callable[[Die], None]
    """Puts it in place; what it is given counts a passage, and dies at the ordered one."""
    passages: int = 20
    """A life of a few seconds has at least so many."""


def _in(module: object, name: str) -> Callable[[Die], None]:
    """Die in the transaction of a verb, after its work."""

    def arm(die: Die) -> None:
        verb = getattr(module, name)

        def deadly(*args: Any) -> Any:
            result = verb(*args)
            die()
            return result

        setattr(module, name, deadly)

    return arm


def _after(owner: type, name: str, happened: Callable[[Any], bool] = lambda _: True) -> Callable[[Die], None]:
    """Die when an asynchronous call has returned, if its result says that something happened."""

    def arm(die: Die) -> None:
        call = getattr(owner, name)

        async def deadly(*args: Any, **kwargs: Any) -> Any:
            result = await call(*args, **kwargs)
            if happened(result):
                die()
            return result

        if isinstance(owner.__dict__[name], classmethod):
            setattr(owner, name, staticmethod(deadly))
        else:
            setattr(owner, name, deadly)

    return arm


def _at_a_statement(die: Die) -> None:
    """Die between the statements of a migration."""
    upgrade = migration.upgrade

    def deadly(engine: Engine) -> None:
        def passed(*_: object) -> None:
            die()

        event.listen(engine, "after_cursor_execute", passed)
        upgrade(engine)
        event.remove(engine, "after_cursor_execute", passed)

    setattr(migration, "upgrade", deadly)  # noqa: B010


FAIL_POINTS: dict[str, FailPoint] = {
    "accept, before its commit": FailPoint("P2", _in(acceptance, "accept")),
    "accept, committed": FailPoint("P1, P3", _after(Store, "accept")),
    "begin, committed": FailPoint("P6", _after(Store, "begin", bool)),
    "claim, committed": FailPoint("P5, P6", _after(Store, "claim", lambda claimed: bool(claimed.to_send)), passages=2),
    "partner's OK": FailPoint("P6, P7", _after(HttpProvider, "send", lambda r: r.outcome is Outcome.SENT)),
    "SMS centre's OK": FailPoint("P6, P16", _after(Smpp, "send", lambda r: r.outcome is Outcome.SENT), passages=3),
    "result, before its commit": FailPoint("P7", _in(attempts, "record")),
    "result, committed": FailPoint("P6", _after(Store, "record")),
    "receipt, before its commit": FailPoint("P12", _in(receipts, "apply_receipts")),
    "receipt, committed": FailPoint("P13", _after(Store, "apply_receipts")),
    "fallback, before its commit": FailPoint("P16", _in(messages, "child_row"), passages=3),
    "fallback, committed": FailPoint("P16", _after(Store, "fire_fallbacks", bool), passages=2),
    "end of its time, before its commit": FailPoint("P5, P14", _in(claims, "_settle"), passages=2),
    "callback, claimed": FailPoint("P14", _after(Store, "claim_endpoints", bool), passages=5),
    "customer's OK": FailPoint("P14", _after(Delivery, "post", lambda hearing: hearing.heard), passages=5),
    "callback, recorded": FailPoint("P14", _after(Store, "record_turn"), passages=5),
    "rescue of an open send": FailPoint("P5, P7", _in(claims, "_lost"), passages=1),
    "start": FailPoint("P5", _after(Store, "open"), passages=1),
    "migration": FailPoint("P2", _at_a_statement, passages=30),
}

ONLY_AT_FIRST = "migration"
"""A database is made once; the others can be passed at any time."""


def arm(name: str, passage: int, file: Path) -> None:
    """Let this process die at a passage of a fail-point; its name is added to the file before."""
    left = passage

    def die() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            note = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(note, f"{name}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    FAIL_POINTS[name].arm(die)
