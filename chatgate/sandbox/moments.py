"""Moments as people write them in a query."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from chatgate.clock import DAY, HOUR, MINUTE, SECOND, Instant

_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def instant(text: str, now: Instant) -> Instant:
    """Return the instant that ``text`` means: milliseconds since 1970, ISO 8601, or a length of time ago (``5m``).

    At most a day from now: nothing is newer. Raises ValueError with a sentence for the caller.
    """
    return min(_meant(text, now), now + DAY)


def _meant(text: str, now: Instant) -> Instant:
    if text.isascii() and text.isdecimal() and len(text) < 20:
        return int(text)
    if (ago := re.fullmatch(r"([0-9]{1,9})(ms|s|m|h|d)", text)) is not None:
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        parsed = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise ValueError(
            "since must be milliseconds since 1970, an ISO 8601 time, or a length of time such as 5m."
        ) from None
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
