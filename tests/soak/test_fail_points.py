"""The table of fail-points speaks of promises that there are."""

from __future__ import annotations

import re

import pytest

from tests.architecture.repository import ROOT
from tests.soak.fail_points import FAIL_POINTS

PROMISES = set(re.findall(r"P\d+", (ROOT / "docs" / "promises.md").read_text()))


@pytest.mark.parametrize("name", FAIL_POINTS)
def test_attacks_a_promise(name: str) -> None:
    promises = FAIL_POINTS[name].promise.split(", ")
    assert PROMISES.issuperset(promises)
    assert all(promise.startswith("P") for promise in promises)
