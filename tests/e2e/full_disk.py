"""Places for data that can be made full and empty again: a file system, where one may be mounted, and a stand-in."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_CAP_SYS_ADMIN = 1 << 21
"""Who has it may mount (capabilities(7))."""


@dataclass(frozen=True, slots=True)
class Disk:
    data: Path
    fill: Callable[[], object]
    empty: Callable[[], object]
    rig: tuple[object, ...] = ()
    """Options of ``tests.soak.rigged`` that it needs."""
    takes_nothing: bool = True
    """Whether a full one takes no write at all."""


def kinds() -> list[Callable[[Path], AbstractContextManager[Disk]]]:
    """Return the kinds of disk that this machine allows."""
    return [page_limit, *([file_system] if may_mount() else [])]


def may_mount() -> bool:
    capabilities = re.search(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return capabilities is not None and bool(int(capabilities[1], 16) & _CAP_SYS_ADMIN)


@contextmanager
def file_system(folder: Path, megabytes: int = 8) -> Iterator[Disk]:
    """A file system in memory, and a file that takes all that is left of it."""
    data, ballast = folder / "small", folder / "small" / "ballast"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", data], check=True)

    def fill() -> None:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    try:
        yield Disk(data, fill, ballast.unlink)
    finally:
        subprocess.run(["umount", "--lazy", data], check=True)


@contextmanager
def page_limit(folder: Path) -> Iterator[Disk]:
    """A database that may not grow: SQLite then says what it says on a full disk. What needs no new page still goes."""
    limit = folder / "pages"
    yield Disk(folder / "data", lambda: limit.write_text("1"), limit.unlink, ("--pages", limit), takes_nothing=False)
