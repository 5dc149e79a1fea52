"""``chatgate`` as it is, on a machine whose clock is set while it runs.

``python -m tests.e2e.shifted OPTION… COMMAND…`` runs ``chatgate COMMAND…`` in this process, with

``--wall FILE``          the wall clock is ahead of the machine's by the milliseconds that the file holds; the monotonic
                         clock is the machine's;
``--distrust SECONDS``   a clock that was set is trusted after so long, instead of a minute.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def shift(file: Path) -> None:
    """Make the wall clock of this process follow the file. It is read for each look: a jump is seen by all at once."""
    descriptor, real = os.open(file, os.O_RDONLY), time.time_ns

    def time_ns() -> int:
        return real() + int(os.pread(descriptor, 20, 0)) * 1_000_000

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1e9


def rig(arguments: list[str]) -> list[str]:
    """Take the options off the arguments and do what they say; return the rest."""
    match arguments:
        case ["--wall", file, *rest]:
            shift(Path(file))
        case ["--distrust", seconds, *rest]:
            from chatgate.workers import clock_keeper

            setattr(clock_keeper, "DISTRUST", int(seconds) * 1000)  # noqa: B010 - a test has no minute
        case _:
            return arguments
    return rig(rest)


if __name__ == "__main__":
    sys.argv[1:] = rig(sys.argv[1:])
    from chatgate.cli.main import main  # not before the clock is shifted: modules bind its functions

    main()
