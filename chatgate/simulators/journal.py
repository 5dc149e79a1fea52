"""An append-only file of records, one JSON object a line, on disk before anybody is told.

Rules:
1. Records are on disk in the order in which they were given.
2. Many records share one fsync: a thread writes whatever has gathered while it wrote before (group commit).
3. A last line that is torn (a kill or a power cut in mid-write) was never answered for and is cut off at start.
   A damaged line anywhere else stops the start.
4. ``compact`` replaces the file in one step (rename, then fsync of the directory).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

Record = TypeVar("Record", bound=msgspec.Struct)

RECENT = 1000
"""Lines kept in memory for those who look."""

_encoder = msgspec.json.Encoder()
_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class JournalError(Exception):
    """The file cannot be used; the text says why."""


class Batch:
    """Records that reach the disk together."""

    __slots__ = ("done", "error", "lines")

    def __init__(self) -> None:
        self.lines = bytearray()
        self.done = asyncio.Event()
        self.error: OSError | None = None

    async def stored(self) -> None:
        """Return once the batch is on disk; ``OSError`` if it could not be written."""
        await self.done.wait()
        if self.error is not None:
            raise self.error


_NOWHERE = Batch()
_NOWHERE.done.set()


class Journal(Generic[Record]):
    """The file; with ``path=None``, nothing but memory, and no promise."""

    def __init__(self, path: Path | None, decoder: msgspec.json.Decoder[Record]) -> None:
        """``decoder`` reads one line; the records are tagged structs of the simulator's own."""
        self._path = path
        self._decoder = decoder
        self._fd = -1
        self._size = 0
        self._batch = Batch()
        self._gathering = threading.Lock()
        self._writing = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._flusher: asyncio.Task[None] | None = None
        self.recent: deque[bytes] = deque(maxlen=RECENT)

    def open(self) -> list[Record]:
        """Open the file, making it if need be, and return what it holds. ``JournalError`` if that cannot be done."""
        if self._path is None:
            return []
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = _open_alone(self._path)
        records, self._size = _read(self._path, self._decoder)
        os.ftruncate(self._fd, self._size)
        return records

    def compact(self, records: Iterable[Record]) -> None:
        """Replace the file's content by ``records``."""
        if self._path is None:
            return
        lines = b"".join(_encoder.encode(record) + b"\n" for record in records)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.unlink(missing_ok=True)
        fd = _open_alone(fresh)
        _write_all(fd, lines)
        os.fsync(fd)
        fresh.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        os.close(self._fd)
        self._fd, self._size = fd, len(lines)

    def post(self, record: Record) -> Batch:
        """Take a record as it is now; it is stored soon. Await ``stored()`` of the answer where that matters."""
        line = _encoder.encode(record) + b"\n"
        self.recent.append(line)
        if self._fd < 0:
            return _NOWHERE
        with self._gathering:
            batch = self._batch
            batch.lines += line
        if self._flusher is None:
            self._flusher = asyncio.get_running_loop().create_task(self._flush())
        return batch

    def write(self, record: Record) -> None:
        """Store a record, and all that were posted before it, now. It blocks: for rare records only."""
        batch = self.post(record)
        if self._fd >= 0:
            self._drain().done.set()
        if batch.error is not None:
            raise batch.error

    async def close(self) -> None:
        """Store what is left and close the file."""
        if self._flusher is not None:
            await self._flusher
        self._thread.shutdown()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._batch.lines:
            drained = await loop.run_in_executor(self._thread, self._drain)
            drained.done.set()
        self._flusher = None

    def _drain(self) -> Batch:
        """Write what has gathered. Runs in the thread, or in the loop's own for ``write``."""
        with self._writing:
            with self._gathering:
                batch, self._batch = self._batch, Batch()
            if batch.lines:
                try:
                    _write_all(self._fd, batch.lines)
                    _sync(self._fd)
                    self._size += len(batch.lines)
                except OSError as error:
                    batch.error = error
                    os.ftruncate(self._fd, self._size)  # no torn line in the middle
        return batch


def _open_alone(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise JournalError(f"{path} is in use by another process") from None
    return fd


def _write_all(fd: int, data: bytes | bytearray) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def _read(path: Path, decoder: msgspec.json.Decoder[Record]) -> tuple[list[Record], int]:
    """Return the records and the length of the sound part of the file."""
    data = path.read_bytes()
    records: list[Record] = []
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        try:
            records.append(decoder.decode(data[start:end]))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if end + 1 == len(data):
                break
            raise JournalError(f"{path}: line {len(records) + 1} is damaged: {error}") from None
        start = end + 1
    return records, start
