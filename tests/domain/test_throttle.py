"""The sliding window against the plain definition: count what was admitted within the last window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.domain.throttle import SlidingWindow

steps = st.lists(st.integers(0, 12), max_size=60)
"""Time between one event and the next; zero: at the same moment."""
limits = st.integers(1, 5)
windows = st.integers(1, 20)


@given(limits, windows, steps)
def test_exact(limit: int, window: int, steps: list[int]) -> None:
    throttle, now = SlidingWindow(limit, window), 1_000
    admitted: list[int] = []
    for step in steps:
        now += step
        recent = [at for at in admitted if now - at < window]
        assert throttle.used(now) == len(recent)
        wait = throttle.admit(now)
        if len(recent) < limit:
            assert wait == 0
            admitted.append(now)
        else:
            assert wait == recent[-limit] + window - now
    for begin in admitted:
        assert sum(begin <= at < begin + window for at in admitted) <= limit


@given(limits, windows, steps)
def test_the_wait_is_the_shortest_that_helps(limit: int, window: int, steps: list[int]) -> None:
    throttle, now = SlidingWindow(limit, window), 1_000
    for step in steps:
        now += step
        wait = throttle.admit(now)
        if wait:
            assert throttle.admit(now + wait - 1) == 1
            now += wait
            assert throttle.admit(now) == 0


@given(limits, windows, steps, st.data())
def test_taken_back_is_as_never_admitted(limit: int, window: int, steps: list[int], data: st.DataObject) -> None:
    throttle, plain, now = SlidingWindow(limit, window), SlidingWindow(limit, window), 1_000
    for step in steps:
        now += step
        if data.draw(st.booleans()):
            assert throttle.admit(now) == plain.admit(now)
        elif throttle.admit(now) == 0:
            throttle.take_back(now)
        assert throttle.used(now) == plain.used(now)


def test_several_taken_back_at_once() -> None:
    throttle = SlidingWindow(3, 10)
    for _ in range(3):
        assert throttle.admit(0) == 0
    for _ in range(3):
        throttle.take_back(0)
    assert throttle.used(0) == 0
    assert [throttle.admit(1) for _ in range(4)] == [0, 0, 0, 10]


@given(limits, windows, steps, st.data())
def test_an_older_one_is_taken_back_from_between(
    limit: int, window: int, steps: list[int], data: st.DataObject
) -> None:
    """A replay is found out a commit later: others were admitted meanwhile, and they stay."""
    admitted: list[int] = []
    throttle, now = SlidingWindow(limit, window), 1_000
    for step in steps:
        now += step + 1
        if throttle.admit(now) == 0:
            admitted.append(now)
        again: bool = data.draw(st.booleans())
        if admitted and again:
            gone: int = data.draw(st.sampled_from(admitted[-limit:]))
            throttle.take_back(gone)
            admitted.remove(gone)
        assert throttle.used(now) == sum(now - at < window for at in admitted)


def test_what_was_not_admitted_is_not_taken_back() -> None:
    throttle = SlidingWindow(2, 10)
    assert throttle.admit(1) == 0
    throttle.take_back(7)
    assert throttle.used(1) == 1


def test_a_burst_of_the_whole_limit_passes() -> None:
    throttle = SlidingWindow(250, 1_000_000_000)
    assert [throttle.admit(5) for _ in range(250)] == [0] * 250
    assert throttle.admit(5) == 1_000_000_000
    assert throttle.admit(1_000_000_004) == 1
    assert throttle.admit(1_000_000_005) == 0


@pytest.mark.parametrize("now", [-(10**15), 0, 10**18])
def test_any_clock(now: int) -> None:
    """Monotonic clocks begin anywhere."""
    throttle = SlidingWindow(1, 10)
    assert [throttle.admit(now), throttle.admit(now + 9), throttle.admit(now + 10)] == [0, 1, 0]


@pytest.mark.parametrize("limit", [0, -1])
def test_no_limit_below_one(limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        SlidingWindow(limit, 10)
