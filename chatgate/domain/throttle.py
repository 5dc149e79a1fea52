"""Flow-control arithmetic: at most ``limit`` events in any sliding window, bursts legal.

Exact, not a bucket: a legal burst of the whole limit passes at once, and no window of the given length, wherever it
begins, holds more than the limit. Costs one comparison a call and eight bytes an allowed call.
"""

from __future__ import annotations

from array import array

NEVER = -(1 << 62)
"""An instant before all others."""


class SlidingWindow:
    """The last ``limit`` admissions, in a ring."""

    __slots__ = ("_next", "_ring", "_window", "limit")

    def __init__(self, limit: int, window: int) -> None:
        """``limit``: 1 or more; ``window``: in the unit of the instants that ``admit`` is given (nanoseconds)."""
        if limit < 1:
            raise ValueError("limit must be 1 or more")
        self.limit = limit
        self._window = window
        self._ring = array("q", [NEVER]) * limit
        self._next = 0

    def admit(self, now: int) -> int:
        """Admit one event and return 0, or refuse it and return how long until one would be admitted.

        A refused event leaves no trace.
        """
        wait = self._ring[self._next] + self._window - now
        if wait > 0:
            return wait
        self._ring[self._next] = now
        self._next = (self._next + 1) % self.limit
        return 0

    def take_back(self, at: int) -> None:
        """Forget the admission of an instant: it was a replay, which must not use up its victim's limit."""
        for back in range(1, self.limit + 1):
            place = (self._next - back) % self.limit
            if self._ring[place] == at:
                break
        else:
            return  # so long ago that others have taken its place
        while back > 1:  # the younger ones move up
            following = (place + 1) % self.limit
            self._ring[place], place, back = self._ring[following], following, back - 1
        self._ring[place] = NEVER
        self._next = place

    def used(self, now: int) -> int:
        """Return how many admissions lie inside the window that ends now."""
        return sum(1 for at in self._ring if now - at < self._window)
