"""Who may call, and what is theirs: account, access key, RAM user, space, sender, template, fallback policy.

An ``AccountView`` is the frozen picture of one account that a call is checked against. It is loaded from the store and
kept for a moment; nothing in it is secret except the sealed key material.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from chatgate.clock import Instant
from chatgate.domain.message import Content, MessageType
from chatgate.domain.ram.policy import Policy


class KeyKind(StrEnum):
    HMAC = "hmac"
    RSA = "rsa"


class AccessKey(msgspec.Struct, frozen=True, kw_only=True):
    """One access key. ``sealed`` is the encrypted secret (HMAC) or the PEM public key (RSA)."""

    access_key_id: str
    account_id: int
    kind: KeyKind
    sealed: bytes
    active: bool
    user_id: int | None = None
    """The RAM user whose it is; None: the account's own, which no policy limits."""
    deleted: bool = False


class User(msgspec.Struct, frozen=True, kw_only=True):
    """One RAM user: it may do what its policies allow, and nothing else."""

    user_id: int
    name: str
    policies: tuple[Policy, ...] = ()


class Standing(StrEnum):
    """State of a sender or a template."""

    PENDING = "pending"
    """Applied for; never approved. Calls that name it are refused."""
    APPROVED = "approved"
    PAUSED = "paused"
    """Approved once, stopped for now: calls are accepted, the message fails and may fall back."""
    PROHIBITED = "prohibited"
    """Approved once, forbidden since. As PAUSED."""
    REJECTED = "rejected"
    """Review said no. As PENDING."""

    @property
    def was_approved(self) -> bool:
        return self in (Standing.APPROVED, Standing.PAUSED, Standing.PROHIBITED)


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """``CustSpaceId`` and its settings."""

    space_id: str
    retry_by_task: bool = False
    """TaskId and To identify a call for 24 h (safe retries)."""
    video_button_action: bool = False
    """A non-empty ``action`` with ``text_video_button`` is allowed (the SDK's reading instead of the page's)."""
    clamp_ttl: bool = False
    """A Ttl longer than FallBackDuration is cut to it, so that nobody gets both Viber message and SMS."""
    sms_consent: bool = False
    """Recipients agreed to SMS: also who blocked the Viber sender gets a promotional fallback."""
    made_at: Instant | None = None
    """When its owner made it; None: the operator did."""
    details: Mapping[str, str] = {}
    """What its owner wrote down about it (``CreateInstance``), by the names of the call."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """``From`` of a Viber message: the service id itself or a phone number that stands for it."""

    sender: str
    channel: str
    service_id: str
    standing: Standing


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One language of a template."""

    template_code: str
    language: str
    name: str
    body: str
    """Text with ``$(name)`` variables."""
    standing: Standing
    partner_id: str | None = None
    """The id under which the provider knows it, of every sender that ``partner_ids`` does not name; None: there it is
    sent as what it shows."""
    partner_ids: Mapping[str, str] = {}
    """The id by service id: the partner's templates belong to a sender."""
    message_type: MessageType = MessageType.TEXT
    parts: Content | None = None
    """What it shows beside its text: the action may hold variables. None: nothing."""


class FallbackPolicy(msgspec.Struct, frozen=True, kw_only=True):
    policy_id: str
    name: str
    sms_sender: str
    lane: str | None = None
    """Name of the provider that carries its SMS; None: as the routes say."""
    enabled: bool = True


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """One account and all that is its own, as of ``loaded_at``."""

    account_id: int
    name: str
    subscribed: bool
    calls_per_second: int | None
    """Own limit; None: the setting ``calls_per_second``."""
    loaded_at: Instant
    spaces: Mapping[str, Space]
    senders: Mapping[str, Sender]
    templates: Mapping[tuple[str, str], Template]
    policies: Mapping[str, FallbackPolicy]
    users: Mapping[int, User] = msgspec.field(default_factory=dict)
