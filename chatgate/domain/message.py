"""What a message is: one thing to one recipient, its content, its attempts, its status.

Immutable values only. What may happen to a message is in ``lifecycle``; what a legal one is, in ``channels``.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chatgate.clock import Instant


class Status(StrEnum):
    """Where a message stands. Names as in the sandbox contract."""

    ACCEPTED = "accepted"
    """Committed; the caller was answered OK. After a crash it is claimed again: no byte of it has left."""
    SENDING = "sending"
    """An attempt is committed and its request may be on the wire. After a crash its outcome is unknown."""
    SENT = "sent"
    """The provider accepted it; a receipt should follow."""
    DELIVERED = "delivered"
    """A receipt says that a device has it."""
    READ = "read"
    """A receipt says that the recipient saw it. Nothing ranks higher."""
    FAILED = "failed"
    """Refused by the provider, or by a rule of ours after it was accepted; or a receipt says undelivered."""
    EXPIRED = "expired"
    """Its time to live ran out, by a receipt or by our own clock."""
    UNKNOWN = "unknown"
    """The outcome of a send is truly unknown: the reply was lost. A receipt or the policy resolves it."""


class MessageKind(StrEnum):
    """``Type`` of the call."""

    TEMPLATE = "template"
    MESSAGE = "message"


class MessageType(StrEnum):
    """``MessageType`` of the call (page "Send Viber messages"): what a custom message is made of."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"
    TEXT_BUTTON = "text_button"
    TEXT_IMAGE_BUTTON = "text_image_button"
    TEXT_VIDEO = "text_video"
    TEXT_VIDEO_BUTTON = "text_video_button"
    TEXT_IMAGE = "text_image"


class Label(StrEnum):
    """Nature of a Viber message (page "Send Viber messages")."""

    PROMOTION = "promotion"
    TRANSACTION = "transaction"


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the recipient sees. Keys that the message type does not use are absent, never empty strings."""

    text: str | None = None
    link: str | None = None
    """URL of the image, video or document."""
    caption: str | None = None
    """Text on the button."""
    action: str | None = None
    """URL that the button opens."""
    thumbnail: str | None = None
    file_name: str | None = None
    file_type: str | None = None
    """Extension without dot, lower case."""
    file_size_mb: float | None = None
    """Size of the video in megabytes (``fileSize`` of the call)."""
    duration: int | None = None
    """Length of the video in seconds."""


class PartnerTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """The template as the provider knows it; sent by id and parameters instead of text (Viber types 1701/1702)."""

    template_id: str
    language: str
    parameters: dict[str, str]


class FallbackOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What the caller asked for in FallBackId, FallBackContent, FallBackDuration and FallBackRule, with what the policy
    and the space said when the call was accepted: a fallback fires as it was ordered, whatever is changed since."""

    policy_id: str
    content: str
    duration: int | None
    """Seconds, 60 to 43200; None: only on failure or a failure receipt."""
    rule: str
    """``undelivered`` or ``sentFailed``."""
    sms_sender: str
    consent: bool = False
    """The recipients of this space agreed to SMS, also where they blocked the Viber sender."""
    lane: str | None = None
    """The policy's own route: the provider that is to carry the SMS. None: as the routes say."""


class FallbackState(StrEnum):
    """Where the fallback of a message stands. A message without one has none."""

    ARMED = "armed"
    """Waits: for its time, a failure, or a delivery."""
    FIRED = "fired"
    """The SMS is accepted, as a message with a parent."""
    CALLED_OFF = "called_off"
    """Not needed (delivered) or not wanted (blocked)."""
    HELD = "held"
    """Its time passed during an outage; an operator decides."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message failed: a code of the channel (``SRVC_NOT_VIBER_USER``) or of ours, and a sentence."""

    code: str
    reason: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message that passed every check and is about to be committed. It has no id yet."""

    account_id: int
    space_id: str
    channel: str
    sender: str
    """``From`` of the call."""
    service_id: str
    """The provider-side name of the sender (Viber service id)."""
    recipient: str
    """``To``: digits with country code, no plus."""
    kind: MessageKind
    message_type: MessageType
    label: Label
    content: Content
    """Rendered: variables are filled in."""
    ttl: int
    """Seconds from acceptance, 30 to 1209600."""
    template_code: str | None = None
    language: str | None = None
    partner_template: PartnerTemplate | None = None
    tag: str | None = None
    tracking_data: str | None = None
    task_id: str | None = None
    fallback: FallbackOrder | None = None
    failure: Failure | None = None
    """Set when the message is known to fail already (a paused sender): accepted, then failed without a send."""


class RetryKey(msgspec.Struct, frozen=True, kw_only=True):
    """What makes two calls the same call for 24 hours (safe retries, promise P3)."""

    key: bytes
    """Digest of the ``Idempotency-Key``, or of TaskId and To where the space says so."""
    fingerprint: bytes
    """Digest of the whole business request; another one under the same key is refused."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A committed message as its stations see it."""

    id: int
    account_id: int
    draft: Draft
    accepted_at: Instant
    expires_at: Instant
    status: Status
    attempt: int
    """Number of the newest attempt; 0 before the first. Result updates must name it (fencing)."""
    due_at: Instant | None
    """When the message next needs attention; None when it is at rest."""
    losses: int = 0
    """Attempts so far whose outcome is unknown."""
    parent_id: int | None = None
    """The message that this one is the fallback of."""
    group_id: int | None = None
    """The mass sending that it, or the message that it is the fallback of, belongs to."""
    fallback_state: FallbackState | None = None
    """Where its fallback stands; None: none was ordered."""
    fallback_at: Instant | None = None
    """When the fallback fires without a delivered receipt; None: only on failure, or it is decided."""
    failure: Failure | None = None
    request_id: str = ""
    """RequestId of the call that accepted it (an SMS: its parent's)."""
    sender: str = ""
    """Whose endpoint hears of it: ``From`` of the call, also for its SMS."""


class Outcome(StrEnum):
    """What became of one attempt. Every provider's error table maps to these, never to text alone."""

    SENT = "sent"
    """The provider accepted the message."""
    REFUSED = "refused"
    """The provider will never take this message; trying again changes nothing."""
    DEFERRED = "deferred"
    """Provably not accepted, and worth another try (no connection, HTTP 503, a status that says so)."""
    THROTTLED = "throttled"
    """Provably not accepted: too fast. Tried again like DEFERRED, but the provider is healthy."""
    UNKNOWN = "unknown"
    """The request left and no readable reply came: the message may or may not have been accepted."""


class SendResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one attempt, as a provider reports it."""

    outcome: Outcome
    token: str | None = None
    """The provider's id of the message; receipts carry it. Only with SENT."""
    code: str = ""
    """The provider's code in our spelling (``SRVC_NOT_VIBER_USER``) or the transport's (``timeout``)."""
    reason: str = ""
    """One sentence for people. Holds no secret, number or text of the message."""
    retry_after: int | None = None
    """Milliseconds the provider asked us to wait, with DEFERRED or THROTTLED."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to hand a message to a provider, as stored."""

    message_id: int
    number: int
    provider: str
    started_at: Instant
    ended_at: Instant
    result: SendResult
