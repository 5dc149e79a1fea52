"""A disk in memory that can lose its power, as a file system of SQLite (a VFS of ``apsw``).

What was synced is kept. Of what was written since, a random part survives: any subset of its 512-byte sectors, so that
writes are reordered, lost and torn. A truncation that was not synced survives or not. Names are kept at once: SQLite
itself syncs the folder when it has made a file.

Source of the rules: sqlite.org/atomiccommit.html, sections 2 and 6; the tearing stops at sectors, as SQLite assumes of
a disk with SQLITE_IOCAP_POWERSAFE_OVERWRITE, its default on Unix.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import apsw

SECTOR = 512

_names = count(1)


class File:
    """What is on the disk, what everybody sees, and what lies between."""

    def __init__(self, content: bytes = b"") -> None:
        self.durable = bytearray(content)
        self.seen = bytearray(content)
        self.unsynced: list[tuple[int, bytes | None]] = []
        """Offset and bytes of each write; None for a truncation to that size."""

    def write(self, offset: int, data: bytes) -> None:
        _write(self.seen, offset, data)
        self.unsynced.append((offset, data))

    def truncate(self, size: int) -> None:
        del self.seen[size:]
        self.unsynced.append((size, None))

    def sync(self) -> None:
        for offset, data in self.unsynced:
            _apply(self.durable, offset, data)
        self.unsynced.clear()

    def after_power_cut(self, chance: Random) -> bytes:
        left, survives = bytearray(self.durable), chance.random()
        for offset, data in self.unsynced:
            for start, piece in [(offset, None)] if data is None else _sectors(offset, data):
                if chance.random() < survives:
                    _apply(left, start, piece)
        return bytes(left)


class Disk(apsw.VFS):
    """One power line. It fails at write number ``cut_at`` (a sync counts as one); from then on nothing works."""

    def __init__(self, folder: Path, cut_at: int) -> None:
        """``folder``: what is on it in the beginning."""
        self.name = f"power-cut-{next(_names)}"
        self.files = {path.name: File(path.read_bytes()) for path in folder.iterdir()}
        self.is_cut = False
        self._left = cut_at
        super().__init__(self.name, "")

    def leave(self, folder: Path, chance: Random) -> None:
        """Write to ``folder`` what the power cut has left."""
        for name, file in self.files.items():
            (folder / name).write_bytes(file.after_power_cut(chance))

    def reached(self, *, writes: bool = True) -> None:
        """Raise when there is no power; count what is written."""
        self._left -= writes
        self.is_cut = self.is_cut or self._left <= 0
        if self.is_cut:
            raise apsw.IOError("disk I/O error: the power is off")

    # --- what SQLite calls -------------------------------------------------------------------------------------------

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        self.reached(writes=False)
        flags[1] = flags[0]
        path = name if isinstance(name, str) or name is None else name.filename()
        return Handle(self, self.files.setdefault(Path(path).name, File()) if path else File())

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self.reached()
        self.files.pop(Path(filename).name, None)

    def xAccess(self, pathname: str, flags: int) -> bool:
        return Path(pathname).name in self.files

    def xFullPathname(self, name: str) -> str:
        return name


class Handle:
    """An open file."""

    def __init__(self, disk: Disk, file: File) -> None:
        self._disk = disk
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.reached(writes=False)
        return bytes(self._file.seen[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        if not self._disk.is_cut:
            self._file.write(offset, bytes(data))  # also the one in which the power goes: a part of it survives
        self._disk.reached()

    def xTruncate(self, size: int) -> None:
        if not self._disk.is_cut:
            self._file.truncate(size)
        self._disk.reached()

    def xSync(self, flags: int) -> None:
        self._disk.reached()
        self._file.sync()

    def xFileSize(self) -> int:
        self._disk.reached(writes=False)
        return len(self._file.seen)

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xSectorSize(self) -> int:
        return SECTOR

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xLock(self, level: int) -> None:
        """One process has it all to itself."""

    def xUnlock(self, level: int) -> None:
        """As above."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xClose(self) -> None:
        """Nothing is written by it."""


def _write(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
    else:
        _write(content, offset, data)


def _sectors(offset: int, data: bytes) -> list[tuple[int, bytes | None]]:
    """Cut a write where sectors begin."""
    first = SECTOR - offset % SECTOR
    starts = [0, *range(first, len(data), SECTOR)]
    return [(offset + a, data[a:b]) for a, b in zip(starts, [*starts[1:], len(data)], strict=True)]
