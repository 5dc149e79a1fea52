from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.clock import MINUTE, SECOND
from chatgate.domain.retry import FIRST, LONGEST, backoff

attempts = st.integers(1, 100_000)
jitters = st.floats(0, 1)


@pytest.mark.parametrize(
    ("attempt", "shortest", "longest"),
    [(1, 500, 1000), (2, 1000, 2000), (3, 2000, 4000), (9, 128_000, 256_000), (10, 150_000, 300_000)],
)
def test_doubles(attempt: int, shortest: int, longest: int) -> None:
    assert backoff(attempt, 0.0) == shortest
    assert backoff(attempt, 1.0) == longest


@given(attempts, jitters)
def test_bounds(attempt: int, jitter: float) -> None:
    assert FIRST // 2 <= backoff(attempt, jitter) <= LONGEST == 5 * MINUTE


@given(attempts, jitters)
def test_never_sooner_than_the_time_before(attempt: int, jitter: float) -> None:
    assert backoff(attempt + 1, jitter) >= backoff(attempt, jitter)


@given(attempts, st.floats(0, 1), st.floats(0, 1))
def test_jitter_spreads_half(attempt: int, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert backoff(attempt, low) <= backoff(attempt, high) <= 2 * backoff(attempt, 0.0)


@given(attempts, jitters, st.integers(-(10**12), 10**12))
def test_what_the_provider_asks_for_is_a_bounded_lower_bound(attempt: int, jitter: float, asked: int) -> None:
    wait = backoff(attempt, jitter, asked)
    assert wait == max(backoff(attempt, jitter), min(asked, LONGEST))
    assert wait <= LONGEST


def test_asked_nothing() -> None:
    assert backoff(1, 0.0, None) == backoff(1, 0.0, 0) == backoff(1, 0.0, -5) == SECOND // 2
