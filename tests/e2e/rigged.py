"""``chatgate`` as it is, on a disk that is slow or full: what a test cannot do to the machine it runs on.

``python -m tests.e2e.rigged OPTION… COMMAND…`` runs ``chatgate COMMAND…`` in this process, with

``--slow-commit MS``   every commit takes that much longer, as if by a slow fsync;
``--pages FILE``       the database cannot grow beyond the pages that the file names; without the file it can again;
``--eager``            a planted bug: callers hear "done" before the commit. The crash test must catch it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from chatgate.cli.main import main
from chatgate.store import store
from chatgate.store.committer import Committer, Item, Result, Verb


def slow_commit(milliseconds: int) -> None:
    @event.listens_for(Engine, "commit")
    def wait(_connection: Connection) -> None:
        time.sleep(milliseconds / 1000)


def limit_pages(file: Path) -> None:
    @event.listens_for(Engine, "begin")
    def limit(connection: Connection) -> None:
        pages = file.read_text() if file.exists() else str(2**32 - 2)
        connection.exec_driver_sql(f"PRAGMA max_page_count = {int(pages)}")


class EagerCommitter(Committer):
    """Answers when the work of the transaction is done, and commits then."""

    def run(self, verb: Verb[Item, Result], item: Item, *, heavy: bool = False) -> asyncio.Future[Result]:
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


def rig(arguments: list[str]) -> list[str]:
    """Take the options off the arguments and do what they say; return the rest."""
    match arguments:
        case ["--slow-commit", milliseconds, *rest]:
            slow_commit(int(milliseconds))
        case ["--pages", file, *rest]:
            limit_pages(Path(file))
        case ["--eager", *rest]:
            setattr(store, "Committer", EagerCommitter)  # noqa: B010 - a bug is planted; mypy must not bless it
        case _:
            return arguments
    return rig(rest)


if __name__ == "__main__":
    sys.argv[1:] = rig(sys.argv[1:])
    main()
