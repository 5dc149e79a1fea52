"""Recipients whose behaviour is written in the last two digits of their number (our own numbering).

The same four are not Viber users at the simulated Viber partner, so that a fallback reaches them.
"""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    ORDINARY = "ordinary"
    """The phone gets it, and the receipt says so."""
    UNDELIVERABLE = "undeliverable"
    """Accepted, then a receipt says UNDELIV."""
    REFUSED = "refused"
    """The centre does not accept it: ESME_RINVDSTADR."""
    THROTTLED_ONCE = "throttled once"
    """The first submit_sm to the number is answered ESME_RTHROTTLED; then ordinary."""
    SILENT = "silent"
    """Accepted, and never heard of again."""


PROFILES: dict[str, Profile] = {
    "71": Profile.UNDELIVERABLE,
    "72": Profile.REFUSED,
    "73": Profile.THROTTLED_ONCE,
    "74": Profile.SILENT,
}


def profile_of(number: str) -> Profile:
    return PROFILES.get(number[-2:], Profile.ORDINARY)
