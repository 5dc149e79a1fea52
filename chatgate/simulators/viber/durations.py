"""Lengths of time as people write them: ``500ms``, ``2s``, ``5m``, ``12h``, ``14d``."""

from __future__ import annotations

import re

from chatgate.clock import DAY, HOUR, MINUTE, SECOND

UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def milliseconds(duration: str) -> int:
    """Return a written duration in milliseconds; ``ValueError`` if it is none."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"not a duration: {duration!r} (write 500ms, 2s, 5m, 12h or 14d)")
    return int(match[1]) * UNITS[match[2]]
