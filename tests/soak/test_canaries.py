"""The canaries that take seconds: each is caught by its invariant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.bugs import BUGS
from tests.soak.canaries import CANARIES, Canary, caught
from tests.soak.checker import INVARIANTS

QUICK = [canary for canary in CANARIES if canary.database == "sqlite"]


@pytest.mark.parametrize("canary", QUICK, ids=[canary.bug for canary in QUICK])
async def test_caught(canary: Canary, tmp_path: Path) -> None:
    found = await caught(canary, tmp_path)
    assert canary.caught_by & {line.split()[0] for line in found}, found


def test_every_bug_has_a_canary_and_every_invariant_too() -> None:
    assert [canary.bug for canary in CANARIES] == list(BUGS)
    assert frozenset().union(*(canary.caught_by for canary in CANARIES)) == INVARIANTS.keys()
