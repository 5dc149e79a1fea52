"""How long until the next try."""

from __future__ import annotations

from chatgate.clock import MINUTE, SECOND

FIRST = 1 * SECOND
LONGEST = 5 * MINUTE


def backoff(attempt: int, jitter: float, asked: int | None = None) -> int:
    """Return the milliseconds to wait after attempt number ``attempt`` (1, 2, …) failed for now.

    Doubles from one second to five minutes. ``jitter`` (0 to 1) spreads the second half of the wait, so that what
    failed together does not come back together. What the provider ``asked`` for is a lower bound, itself bounded by
    ``LONGEST``: a provider must not be able to park a message for ever.
    """
    base = min(FIRST << min(attempt - 1, 20), LONGEST)
    wait = base // 2 + int(base // 2 * jitter)
    return max(wait, min(asked, LONGEST)) if asked is not None and asked > 0 else wait
