"""Review of templates and senders: who may decide what, and what the account is told of it.

``chatgate`` is the reviewer: by itself (``ReviewMode``, a setting) or by its operator (``chatgate template approve``).
The words of ``AuditStatus`` are Alibaba's (ListChatappTemplate, ChatappAudit); how decisions follow is our choice: what
was approved once is never "not approved" again, so that messages on their way are accepted and told (``Standing``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from chatgate.clock import Instant
from chatgate.domain.account import Standing, Template
from chatgate.errors import ChatgateError


class ReviewMode(StrEnum):
    """What happens to a template that is created or changed."""

    AUTO = "auto"
    """It is approved at once."""
    MANUAL = "manual"
    """It waits for the operator."""
    DELAYED = "delayed"
    """It is approved by itself after a while, if the operator has not decided."""
    REJECT = "reject"
    """It is rejected at once."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What review says of a template that was just written."""

    standing: Standing
    reason: str = ""
    review_at: Instant | None = None
    """When it is approved by itself."""


def first_verdict(mode: ReviewMode, now: Instant, delay: int) -> Verdict:
    """Return what review says at once. ``delay``: milliseconds of a delayed review."""
    match mode:
        case ReviewMode.AUTO:
            return Verdict(standing=Standing.APPROVED)
        case ReviewMode.REJECT:
            return Verdict(standing=Standing.REJECTED, reason="This installation rejects every template.")
        case ReviewMode.DELAYED:
            return Verdict(standing=Standing.PENDING, review_at=now + delay)
        case ReviewMode.MANUAL:
            return Verdict(standing=Standing.PENDING)


class AuditStatus(StrEnum):
    """``AuditStatus`` of the API and of audit callbacks."""

    PASS = "pass"
    FAIL = "fail"
    AUDITING = "auditing"
    UNAUDIT = "unaudit"
    """Not handed in yet. Every template is handed in when it is made, so none has it."""
    DISABLED = "disabled"
    PAUSED = "paused"


AUDIT_STATUSES: dict[Standing, AuditStatus] = {
    Standing.PENDING: AuditStatus.AUDITING,
    Standing.APPROVED: AuditStatus.PASS,
    Standing.REJECTED: AuditStatus.FAIL,
    Standing.PAUSED: AuditStatus.PAUSED,
    Standing.PROHIBITED: AuditStatus.DISABLED,
}


class Decision(StrEnum):
    """What an operator can say."""

    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    PROHIBIT = "prohibit"
    RESUME = "resume"


DECISIONS: dict[Decision, tuple[frozenset[Standing], Standing]] = {
    Decision.APPROVE: (frozenset({Standing.PENDING, Standing.REJECTED}), Standing.APPROVED),
    Decision.REJECT: (frozenset({Standing.PENDING}), Standing.REJECTED),
    Decision.PAUSE: (frozenset({Standing.APPROVED}), Standing.PAUSED),
    Decision.PROHIBIT: (frozenset({Standing.APPROVED, Standing.PAUSED}), Standing.PROHIBITED),
    Decision.RESUME: (frozenset({Standing.PAUSED, Standing.PROHIBITED}), Standing.APPROVED),
}
"""From which standings, and to which."""


class NotPossible(ChatgateError):
    """The decision does not fit what the template or sender is now."""


def decide(decision: Decision, standing: Standing) -> Standing:
    """Return the standing that follows. Raises NotPossible."""
    possible, after = DECISIONS[decision]
    if standing not in possible:
        raise NotPossible(f"To {decision} it, it must be {' or '.join(sorted(possible))}; it is {standing}.")
    return after


class TemplateText(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller writes of a template, checked."""

    category: str
    components: list[dict[str, Any]]
    example: Mapping[str, str] | None = None
    message_send_ttl: int | None = None
    """Seconds."""


class TemplateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one language of a template; ``template`` is what sending needs of it."""

    template: Template
    text: TemplateText
    reason: str
    """Why it stands as it does."""
    created_at: Instant
    updated_at: Instant
    review_at: Instant | None = None
    """When a delayed review approves it."""

    @property
    def audit_status(self) -> AuditStatus:
        return AUDIT_STATUSES[self.template.standing]


def audit_report(template_code: str, language: str, standing: Standing, reason: str) -> bytes:
    """Return what the account is told of a decision on a template (``ChatappAudit``; V2 adds ``Type``).

    ``WabaId`` names a WhatsApp account: it is empty for Viber.
    """
    told = {
        "WabaId": "", "Type": "template", "TemplateCode": template_code, "Language": language,
        "AuditStatus": AUDIT_STATUSES[standing], "Reason": reason,
    }  # fmt: skip
    return msgspec.json.encode(told)
