"""A short round on each database: fail-points, kills and stops, and nothing is broken.

The two nodes on PostgreSQL die at every fail-point, the one on SQLite at every other: ``make soak`` goes through all of
them on both.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.soak import rounds
from tests.soak.fail_points import FAIL_POINTS

SECONDS = 20.0
"""Of load, at least."""

POINTS = {"sqlite": list(FAIL_POINTS)[::2], "postgresql": list(FAIL_POINTS)}


@pytest.mark.parametrize("database", POINTS)
async def test_nothing_is_broken(database: str, tmp_path: Path) -> None:
    points = POINTS[database]
    done = await rounds.run(random.randrange(1_000_000), database, tmp_path, seconds=SECONDS, first=points)
    assert done.broken == [], "\n".join([done.line, *done.broken[:50]])
    assert done.fired.keys() >= set(points)
