"""The simulated disk itself: what is synced stays, what is not may go, in parts."""

from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from tests.power_cut.disk import SECTOR, Disk, File, Handle

CUTS = 200


def cuts(file: File) -> set[bytes]:
    """Return what power cuts leave of a file."""
    return {file.after_power_cut(Random(seed)) for seed in range(CUTS)}


def test_what_is_synced_stays() -> None:
    file = File(b"old")
    file.write(0, b"new")
    file.sync()
    assert cuts(file) == {b"new"}


def test_what_is_not_synced_is_there_or_not() -> None:
    file = File(b"old")
    file.write(0, b"new")
    assert bytes(file.seen) == b"new"
    assert cuts(file) == {b"old", b"new"}


def test_writes_are_torn_at_sectors_and_reordered() -> None:
    file = File(bytes(2 * SECTOR))
    file.write(SECTOR - 1, b"ab")
    file.write(0, b"c")
    survivors = {(left[0:1], left[SECTOR - 1 : SECTOR], left[SECTOR : SECTOR + 1]) for left in cuts(file)}
    assert survivors == {(c, a, b) for c in (b"c", b"\0") for a in (b"a", b"\0") for b in (b"b", b"\0")}


def test_a_file_is_cut_or_not() -> None:
    file = File(b"long")
    file.truncate(1)
    assert cuts(file) == {b"long", b"l"}


def test_a_hole_is_filled_with_zeros() -> None:
    file = File()
    file.write(2, b"x")
    file.sync()
    assert cuts(file) == {b"\0\0x"}


def test_without_power_nothing_works(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    disk = Disk(tmp_path, cut_at=3)
    file = Handle(disk, disk.files["file"])
    file.xWrite(b"new", 0)
    file.xSync(0)
    with pytest.raises(apsw.IOError):
        file.xWrite(b"lost?", 0)
    for refused in (lambda: file.xRead(1, 0), lambda: file.xSync(0), lambda: file.xTruncate(0), file.xFileSize):
        with pytest.raises(apsw.IOError):
            refused()
    disk.unregister()
    assert cuts(disk.files["file"]) == {b"new", b"lost?"}


def test_a_sync_at_the_cut_syncs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    disk = Disk(tmp_path, cut_at=2)
    file = Handle(disk, disk.files["file"])
    file.xWrite(b"new", 0)
    with pytest.raises(apsw.IOError):
        file.xSync(0)
    disk.unregister()
    assert cuts(disk.files["file"]) == {b"old", b"new"}
