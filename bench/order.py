"""What the load is told to do, and what it reports. Both go between the processes as JSON."""

from __future__ import annotations

import msgspec


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the load against one server."""

    port: int
    seconds: float
    """Length of the window that counts, after ``warm``."""
    warm: float
    calls: int
    """Signed ahead of the run; with ``rate`` 0 the run ends when they are used up."""
    again: bool = False
    """Whether the same bytes may be sent again: only where nobody looks at nonces."""
    rate: int = 0
    """Calls a second at fixed times (open loop); 0: as fast as the answers come (closed loop)."""
    connections: int = 64
    bell: int = 0
    """Port at which the partner tells of each finished cycle; 0: there is no partner."""
    most_open: int = 0
    """Cycles on their way at one time, closed loop; 0: no bound."""
    watch: dict[str, int] = {}
    """Name to process id: whose CPU time is to be read at both ends of the window."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds of many samples."""

    p50: float
    p99: float
    highest: float

    @classmethod
    def of(cls, seconds: list[float]) -> Spread:
        ordered = sorted(seconds) or [0.0]

        def at(share: float) -> float:
            return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000, 3)

        return cls(p50=at(0.5), p99=at(0.99), highest=at(1.0))


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one run saw."""

    accepted: int
    """Answers OK of the whole run, outside the window too: what the database must hold."""
    in_window: int
    """Answers OK inside the window."""
    cycles: int
    """Cycles that the partner told of inside the window."""
    seconds: float
    """Length of the window as it was."""
    began: int
    ended: int
    """The window in milliseconds since 1970."""
    cpu: dict[str, float]
    """CPU seconds inside the window, by name of ``Order.watch``; ``load`` is the load itself, ``machine`` is all."""
    latency: Spread | None
    lateness: Spread | None
    """How much later than meant the load began a call; open loop only."""
    faults: list[str]
    """Why the run does not count; empty when it does."""

    @property
    def others(self) -> float:
        """CPU seconds inside the window of everything that is not part of the run."""
        own = sum(seconds for name, seconds in self.cpu.items() if name != "machine")
        return max(self.cpu["machine"] - own, 0.0)
