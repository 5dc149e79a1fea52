"""``chatgate`` as it is, on a machine whose time is another: the clock is set while it runs, or time flies.

``python -m tests.e2e.shifted OPTION… COMMAND…`` runs ``chatgate COMMAND…`` in this process, with

``--wall FILE``          the wall clock is set by the milliseconds that the file holds, and the monotonic is not;
``--passed FILE``        so many milliseconds more have passed, by both clocks;
``--speed N``            both clocks run N times as fast (time-outs of sockets do not);
``--distrust SECONDS``   a clock that was set is trusted after so long, instead of a minute.

Files are read at each look and may be changed (``write``) at any time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

WIDTH = 20


def write(file: Path, milliseconds: int) -> None:
    """Write a file that is read all the time: in place, always of one length."""
    file.touch()
    with file.open("r+b", buffering=0) as open_file:
        open_file.write(f"{milliseconds:{WIDTH}}".encode())


def read_by(file: str) -> Callable[[], int]:
    """Return what reads the file, in nanoseconds."""
    descriptor = os.open(file, os.O_RDONLY)
    return lambda: int(os.pread(descriptor, WIDTH, 0)) * 1_000_000


def ahead(name: str, by: Callable[[int], int]) -> None:
    """Make one of the two clocks be ahead of what it shows by ``by`` of that."""
    real: Callable[[], int] = getattr(time, f"{name}_ns")
    setattr(time, f"{name}_ns", lambda: (now := real()) + by(now))
    setattr(time, name, lambda: getattr(time, f"{name}_ns")() / 1e9)


def rig(arguments: list[str]) -> list[str]:
    """Take the options off the arguments and do what they say; return the rest."""
    match arguments:
        case ["--wall", file, *rest]:
            by = read_by(file)
            ahead("time", lambda _: by())
        case ["--passed", file, *rest]:
            by = read_by(file)
            for name in ("time", "monotonic"):
                ahead(name, lambda _: by())
        case ["--speed", factor, *rest]:
            for name in ("time", "monotonic"):
                began = getattr(time, f"{name}_ns")()
                ahead(name, lambda now, began=began: (now - began) * (int(factor) - 1))  # type: ignore[misc]
        case ["--distrust", seconds, *rest]:
            from chatgate.workers import clock_keeper

            setattr(clock_keeper, "DISTRUST", int(seconds) * 1000)  # noqa: B010 - a test has no minute
        case _:
            return arguments
    return rig(rest)


if __name__ == "__main__":
    sys.argv[1:] = rig(sys.argv[1:])
    from chatgate.cli.main import main  # not before the clocks are shifted: modules bind their functions

    main()
