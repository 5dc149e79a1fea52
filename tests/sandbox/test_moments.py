"""Moments as people write them."""

from __future__ import annotations

import pytest

from chatgate.clock import DAY
from chatgate.sandbox.moments import instant

NOW = 1_740_830_400_000
"""2025-03-01T12:00:00Z."""


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0", 0),
        ("1740830400000", NOW),
        ("500ms", NOW - 500),
        ("30s", NOW - 30_000),
        ("5m", NOW - 300_000),
        ("2h", NOW - 7_200_000),
        ("1d", NOW - DAY),
        ("0s", NOW),
        ("2025-03-01T12:00:00Z", NOW),
        ("2025-03-01T12:00:00.250Z", NOW + 250),
        ("2025-03-01T12:00:00", NOW),  # without a zone it is UTC
        ("2025-03-01T14:00:00+02:00", NOW),
        ("2025-03-01T14:00:00 02:00", NOW),  # a plus that nobody encoded
        ("20250301T120000Z", NOW),
        ("2025-03-01", NOW - DAY // 2),
        ("1969-12-31T23:59:59Z", -1000),
        # nothing is newer than now, and what is far ahead would be no key
        ("2025-03-05", NOW + DAY),
        ("9999-12-31T23:59:59-14:00", NOW + DAY),
        ("9" * 19, NOW + DAY),
    ],
)
def test_moments(text: str, meant: int) -> None:
    assert instant(text, NOW) == meant


@pytest.mark.parametrize("text", ["", " ", "yesterday", "5 m", "5w", "m", "-5m", "٥m", "2025-13-01", "9" * 20, "1e3"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"^since must be .+\.$"):
        instant(text, NOW)
