"""The two clocks of a machine, moved by hand: for tests of a clock that is set."""

from __future__ import annotations

from chatgate.clock import NANOSECONDS, HandClock, Instant, SystemClock


class HandMachine(HandClock):
    """Its wall clock, which can be set besides; ``system`` is what the program makes of both."""

    def __init__(self, now: Instant = 1_740_830_400_000) -> None:
        super().__init__(now)
        self._monotonic = 7_000_000_000
        self.system = SystemClock(lambda: self.now() * NANOSECONDS, lambda: self._monotonic)

    def is_steady(self) -> bool:
        return self.system.is_steady()

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        super().advance(milliseconds)
        self._monotonic += milliseconds * NANOSECONDS

    def set_by(self, milliseconds: int) -> None:
        """Set the wall clock forward, or back."""
        super().advance(milliseconds)
