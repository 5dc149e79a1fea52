"""A draft of every Viber message type, and messages made of drafts."""

from __future__ import annotations

from typing import Any

import msgspec

from chatgate.clock import SECOND, Instant
from chatgate.domain.message import Content, Draft, Label, Message, MessageKind, MessageType, PartnerTemplate, Status

NOW: Instant = 1_740_830_400_000
NUMBER = "639170000099"
TEXT = "Your code is 4711"
LINK = "https://shop.example/one"
ACTION = "https://shop.example/more"
THUMBNAIL = "https://shop.example/small.jpg"

_VIDEO = Content(link=LINK, thumbnail=THUMBNAIL, file_size_mb=1.5, duration=12)

CONTENTS: dict[MessageType, Content] = {
    MessageType.TEXT: Content(text=TEXT),
    MessageType.IMAGE: Content(link=LINK),
    MessageType.VIDEO: _VIDEO,
    MessageType.DOCUMENT: Content(link=LINK, file_name="bill.pdf", file_type="pdf"),
    MessageType.TEXT_BUTTON: Content(text=TEXT, caption="Open", action=ACTION),
    MessageType.TEXT_IMAGE_BUTTON: Content(text=TEXT, link=LINK, caption="Open", action=ACTION),
    MessageType.TEXT_VIDEO: msgspec.structs.replace(_VIDEO, text=TEXT),
    MessageType.TEXT_VIDEO_BUTTON: msgspec.structs.replace(_VIDEO, text=TEXT, caption="Play"),
    MessageType.TEXT_IMAGE: Content(text=TEXT, link=LINK),
}

TEMPLATE = PartnerTemplate(template_id="t-1", language="en", parameters={"param1": "Ann", "param2": "7"})


def draft(message_type: MessageType = MessageType.TEXT, **changes: Any) -> Draft:
    """Return a draft that every check would have passed."""
    plain = Draft(
        account_id=7, space_id="282514865123580001", channel="viber", sender="27549", service_id="3100",
        recipient=NUMBER, kind=MessageKind.MESSAGE, message_type=message_type, label=Label.TRANSACTION,
        content=CONTENTS[message_type], ttl=120,
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def message(of: Draft | None = None, *, id: int = 4242, now: Instant = NOW) -> Message:
    """Return a message whose first attempt is open since ``now``."""
    of = of or draft()
    return Message(
        id=id, account_id=of.account_id, draft=of, accepted_at=now, expires_at=now + of.ttl * SECOND,
        status=Status.SENDING, attempt=1, due_at=now + 30 * SECOND,
    )  # fmt: skip
