"""Sessions: messages that may be sent only because the user wrote, and only so many.

Sources disagree on the unanswered messages in a row (5: Infobip, Alibaba; 10: tyntec); it is a setting.
"""

from __future__ import annotations

import hashlib

import msgspec

from chatgate.clock import DAY, Instant

LENGTH = DAY
SENDS_LIMIT = 60
UNANSWERED_LIMIT = 5


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One user's session with one service. It opens when the user writes."""

    opened_at: Instant
    sent: int = 0
    unanswered: int = 0

    def is_open(self, now: Instant) -> bool:
        return now < self.opened_at + LENGTH

    def allows(self, now: Instant, unanswered_limit: int) -> bool:
        """Return whether the service may send one more."""
        return self.is_open(now) and self.sent < SENDS_LIMIT and self.unanswered < unanswered_limit

    def after_send(self) -> Session:
        return msgspec.structs.replace(self, sent=self.sent + 1, unanswered=self.unanswered + 1)


def after_reply(session: Session | None, at: Instant) -> Session:
    """Return the session once the user has written: the open one, answered, or a new one."""
    if session is None or not session.is_open(at):
        return Session(opened_at=at)
    return msgspec.structs.replace(session, unanswered=0)


def session_id(service_id: int, number: str, session: Session) -> str:
    """Return the session's id: 19 digits, the same as long as the session lasts."""
    digest = hashlib.sha256(f"{service_id}/{number}/{session.opened_at}".encode()).digest()
    return str(10**18 + int.from_bytes(digest[:8]) % (8 * 10**18))
