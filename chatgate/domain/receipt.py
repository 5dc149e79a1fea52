"""The normalised word of a provider about a message that it accepted."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chatgate.clock import Instant


class ReceiptStatus(StrEnum):
    """What a receipt says. The last two are about the sender and the phone, not about a message."""

    DELIVERED = "delivered"
    READ = "read"
    EXPIRED = "expired"
    UNDELIVERED = "undelivered"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt. Stored before it is acknowledged; what it changed is decided by ``lifecycle``."""

    provider: str
    token: str
    """The provider's id of the message; empty where the event has none."""
    status: ReceiptStatus
    at: Instant
    """When it happened, by the provider's clock."""
    service_id: str = ""
    recipient: str = ""
    """Digits, no plus; with ``service_id`` it may identify an attempt whose reply was lost."""
    code: str = ""
    reason: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wrote back to a sender."""

    provider: str
    service_id: str
    recipient: str
    """The phone that wrote: digits, no plus."""
    at: Instant
    text: str | None = None
    media: str | None = None
    """URL of what was sent instead of, or with, a text."""
    file_name: str | None = None
    tracking_data: str | None = None
    """That of the message which was answered, where the channel says so."""


News = Receipt | Reply
"""What a provider tells us."""
