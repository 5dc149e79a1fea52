"""The two doors to the database that the verbs of a store go through: the committer writes, threads read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from chatgate.errors import StoreUnavailable
from chatgate.store.committer import Committer

P = ParamSpec("P")
R = TypeVar("R")


class Doors:
    """What ``Store`` and its parts have in common."""

    _reader_engine: Engine
    _committer: Committer
    _threads: ThreadPoolExecutor
    _archivist: ThreadPoolExecutor

    async def _read(self, verb: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._read_by(self._threads, verb, *args, **kwargs)

    async def _read_by(
        self,
        threads: ThreadPoolExecutor,
        verb: Callable[Concatenate[Connection, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        def run() -> R:
            try:
                with self._reader_engine.connect() as connection:
                    return verb(connection, *args, **kwargs)
            except DBAPIError as error:
                raise StoreUnavailable(f"the database cannot be read: {type(error).__name__}") from error

        return await asyncio.get_running_loop().run_in_executor(threads, run)
