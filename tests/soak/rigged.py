"""``chatgate`` as it is, in a world that is slow, full, hasty or deadly: what a test cannot do to its own machine.

``python -m tests.soak.rigged OPTION… COMMAND…`` runs ``chatgate COMMAND…`` in this process, with

``--slow-commit MS``     every commit takes that much longer, as if by a slow fsync;
``--pages FILE``         the database cannot grow beyond the pages that the file names; without the file it can again;
``--hasty``              leases, waits and least durations are seconds (``hasty``), and endpoints may be on loopback;
``--die POINT:N:FILE``   SIGKILL at the N-th passage of a fail-point (``fail_points``), noted in the file before;
``--bug NAME``           a planted bug (``canaries``), which the checker must catch.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from chatgate.cli.main import main
from tests.soak import bugs, fail_points, hasty


def slow_commit(milliseconds: int) -> None:
    @event.listens_for(Engine, "commit")
    def wait(_connection: Connection) -> None:
        time.sleep(milliseconds / 1000)


def limit_pages(file: Path) -> None:
    @event.listens_for(Engine, "begin")
    def limit(connection: Connection) -> None:
        pages = file.read_text() if file.exists() else str(2**32 - 2)
        connection.exec_driver_sql(f"PRAGMA max_page_count = {int(pages)}")


def rig(arguments: list[str]) -> list[str]:
    """Take the options off the arguments and do what they say; return the rest."""
    match arguments:
        case ["--slow-commit", milliseconds, *rest]:
            slow_commit(int(milliseconds))
        case ["--pages", file, *rest]:
            limit_pages(Path(file))
        case ["--hasty", *rest]:
            hasty.hurry()
        case ["--die", order, *rest]:
            name, passage, file = order.split(":", 2)
            fail_points.arm(name, int(passage), Path(file))
        case ["--bug", name, *rest]:
            bugs.plant(name)
        case _:
            return arguments
    return rig(rest)


if __name__ == "__main__":
    sys.argv[1:] = rig(sys.argv[1:])
    main()
