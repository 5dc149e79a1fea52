"""What has arrived of requests that are not whole, over all connections together: bounded (promise P26).

Without a bound, 500 peers that each send a megabyte but for its last byte would hold half a gigabyte until their time
is over. When it is exceeded, the request that began first has to go: whoever is slow makes room for those who are not.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_BYTES = 32 << 20


class Unfinished:
    """The account of one server."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._total = 0
        self._held: dict[Callable[[], None], int] = {}  # in the order in which they began

    def add(self, give_up: Callable[[], None], size: int) -> None:
        """Count bytes of a request; ``give_up`` names it, and ends it if it has to go."""
        self._held[give_up] = self._held.get(give_up, 0) + size
        self._total += size
        while self._total > self._most:
            oldest = next(iter(self._held))
            self.forget(oldest)
            oldest()

    def forget(self, give_up: Callable[[], None]) -> None:
        """Take a request off: it is whole, refused or gone."""
        self._total -= self._held.pop(give_up, 0)
