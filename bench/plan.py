"""How long and how often is measured."""

from __future__ import annotations

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The default takes some four minutes."""

    rounds: int = 3
    """Of throughput; the kinds take turns, so that a slow minute of the machine hits all of them."""
    seconds: float = 4.0
    warm: float = 1.0
    filled: int = 100_000
    """Messages already in the database of ``accept on a filled database``."""
    latency_seconds: float = 20.0
    starts: int = 5


QUICK = Plan(rounds=1, seconds=1.0, warm=0.3, filled=5_000, latency_seconds=2.0, starts=1)
"""Some 20 seconds: does everything once, says little."""
