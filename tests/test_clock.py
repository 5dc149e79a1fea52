"""A clock that is set is noticed, and not believed until it is trusted again."""

from __future__ import annotations

from itertools import chain, repeat

import pytest

from chatgate.clock import DAY, HOUR, JUMP, MINUTE, NANOSECONDS, SECOND, Jump, SystemClock
from tests.hand_clocks import HandMachine


@pytest.mark.parametrize("by", [JUMP + 1, -JUMP - 1, 2 * HOUR, -2 * HOUR, 365 * DAY])
def test_a_jump(by: int) -> None:
    machine = HandMachine()
    before = machine.now()
    assert machine.is_steady()
    machine.advance(MINUTE)
    machine.set_by(by)
    assert machine.now() == before + MINUTE + by
    assert not machine.is_steady()
    jump = machine.system.jump
    assert jump is not None
    assert (jump.by, machine.system.quiet_for()) == (by, 0)
    machine.advance(DAY)
    assert not machine.is_steady(), "time alone makes nothing true"
    assert machine.system.quiet_for() == DAY
    machine.system.trust()
    assert machine.is_steady()
    assert machine.system.quiet_for() == 0


@pytest.mark.parametrize("by", [JUMP, -JUMP, SECOND, 0])
def test_what_is_no_jump(by: int) -> None:
    """Also when it comes again and again: each is held against the one before."""
    machine = HandMachine()
    for _ in range(100):
        machine.advance(MINUTE)
        machine.set_by(by)
        assert machine.is_steady()


def test_jumps_add_up_and_begin_the_wait_anew() -> None:
    machine = HandMachine()
    for by in (2 * HOUR, -3 * HOUR):
        machine.set_by(by)
        assert not machine.is_steady()
        machine.advance(SECOND)
    assert machine.system.jump == Jump(by=-HOUR, at=7_000_000_000 + SECOND * NANOSECONDS)
    assert machine.system.quiet_for() == SECOND


def test_a_process_that_was_stopped_between_two_looks_saw_no_jump() -> None:
    stopped = chain([0, 60, 120, 120], repeat(120))  # seconds of the monotonic clock, look by look
    clock = SystemClock(lambda: 60 * 10**9, lambda: next(stopped) * 10**9)
    assert clock.is_steady()
