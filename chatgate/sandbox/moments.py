"""Moments as people write them in a query."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from chatgate.clock import Instant

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def instant(text: str, now: Instant) -> Instant:
    """Return the instant that ``text`` means: milliseconds since 1970, ISO 8601, or a length of time ago (``5m``).

    Raises ValueError with a sentence for the caller.
    """
    if text.isascii() and text.isdecimal():
        return int(text)
    if (ago := re.fullmatch(r"(\d{1,9})(ms|s|m|h|d)", text)) is not None:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        parsed = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise ValueError(
            "since must be milliseconds since 1970, an ISO 8601 time, or a length of time such as 5m."
        ) from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
