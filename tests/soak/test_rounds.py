"""A short round on each database: every fail-point fires, kills and stops between them, and nothing is broken."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.soak import rounds
from tests.soak.fail_points import FAIL_POINTS
from tests.soak.world import DATABASES

SECONDS = 20.0
"""Of load, at least."""


@pytest.mark.parametrize("database", DATABASES)
async def test_nothing_is_broken(database: str, tmp_path: Path) -> None:
    done = await rounds.run(random.randrange(1_000_000), database, tmp_path, seconds=SECONDS, first=list(FAIL_POINTS))
    assert done.broken == [], done.line
    assert done.fired.keys() == FAIL_POINTS.keys()
