"""A change of a message's status: what the verbs hand to ``consequences``."""

from __future__ import annotations

import msgspec

from chatgate.clock import Instant
from chatgate.domain.message import Failure, Status


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A message's new status."""

    message_id: int
    account_id: int
    sender: str
    """Whose endpoint hears of it."""
    status: Status
    at: Instant
    failure: Failure | None = None
    has_fallback: bool
    """Whether a fallback was ordered with it."""
    is_fallback: bool = False
    """Whether it is the SMS of another message."""
