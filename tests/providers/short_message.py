"""An SMS as a provider gets it."""

from __future__ import annotations

from chatgate.clock import SECOND, Instant
from chatgate.domain.message import Content, Draft, Label, Message, MessageKind, MessageType, Status

NOW: Instant = 1_740_830_400_000


def short_message(
    text: str | None = "Hello", to: str = "380501234500", *, sender: str = "Shop", id: int = 7, ttl: int = 120
) -> Message:
    """Return a message that is being sent at ``NOW``; ``ttl`` is in seconds."""
    draft = Draft(
        account_id=1,
        space_id="282514865123580001",
        channel="sms",
        sender=sender,
        service_id=sender,
        recipient=to,
        kind=MessageKind.MESSAGE,
        message_type=MessageType.TEXT,
        label=Label.TRANSACTION,
        content=Content(text=text),
        ttl=ttl,
    )
    return Message(
        id=id,
        account_id=1,
        draft=draft,
        accepted_at=NOW,
        expires_at=NOW + ttl * SECOND,
        status=Status.SENDING,
        attempt=1,
        due_at=NOW + 30 * SECOND,
    )
