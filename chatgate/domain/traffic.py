"""How much went out from a sender, by spans of time."""

from __future__ import annotations

import msgspec

from chatgate.clock import Instant


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked: messages accepted from ``start`` up to ``end``, counted in spans of UTC."""

    start: Instant
    end: Instant
    span: int
    """Milliseconds."""
    sender: str | None
    """None: every sender."""


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """One sender in one span."""

    sender: str
    start: Instant
    sent: int
    """Messages that the provider took."""
    delivered: int
    """Of these, those that a phone has."""
