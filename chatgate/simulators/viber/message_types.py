"""The message types of the partner API: what each carries, who may answer it, which fields it must have.

Sources: the public client n8n-nodes-viber-bm (v11.3), OneClickEcho, and a public emulator (301).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Content(StrEnum):
    """What a message type shows on the phone."""

    TEXT = "text"
    TEMPLATE = "template"
    IMAGE = "image"
    IMAGE_TEXT_BUTTON = "image_text_button"
    TEXT_BUTTON = "text_button"
    FILE = "file"
    VIDEO = "video"
    VIDEO_TEXT = "video_text"
    VIDEO_TEXT_BUTTON = "video_text_button"
    VIDEO_TEXT_LINK = "video_text_link"
    LIST = "list"
    CAROUSEL = "carousel"


class Tracking(StrEnum):
    """Whether ``#tracking_data`` goes with a message type."""

    REQUIRED = "required"
    """Present; may be empty."""
    OPTIONAL = "optional"
    FORBIDDEN = "forbidden"


NUMBERS: dict[Content, tuple[int, ...]] = {
    Content.TEXT: (6, 106, 206, 306, 225, 301),
    Content.TEMPLATE: (1701, 1702),
    Content.IMAGE: (7, 107, 207, 307),
    Content.IMAGE_TEXT_BUTTON: (8, 108, 208, 210),
    Content.TEXT_BUTTON: (9, 109, 209),
    Content.FILE: (220, 221, 222, 223, 224),
    Content.VIDEO: (230,),
    Content.VIDEO_TEXT: (231,),
    Content.VIDEO_TEXT_BUTTON: (232,),
    Content.VIDEO_TEXT_LINK: (233,),
    Content.LIST: (801, 802),
    Content.CAROUSEL: (901,),
}
TRACKING_REQUIRED = frozenset({*range(206, 211), 220, 225, *range(230, 234), 306, 307, 801, 802, 901})
TRACKING_FORBIDDEN = frozenset({7, 8, 9, 107, 108, 109})
SESSION = frozenset({221, 224, 306, 307, 802})


@dataclass(frozen=True, slots=True)
class Fields:
    """Mandatory fields, by where they stand and what they hold."""

    message: tuple[str, ...] = ()
    """Keys inside ``message``; text, not empty."""
    texts: tuple[str, ...] = ()
    """Top-level keys; text, not empty."""
    numbers: tuple[str, ...] = ()
    """Top-level keys; whole numbers."""
    objects: tuple[str, ...] = ()
    """Top-level keys; present. What is in them is judged by statuses 40 and 41."""
    button: bool = False
    """``#caption`` and ``#action`` are present; both empty hides the button, one empty is an error."""


FIELDS: dict[Content, Fields] = {
    Content.TEXT: Fields(message=("#txt",)),
    Content.TEMPLATE: Fields(texts=("templateId", "templateLang")),
    Content.IMAGE: Fields(message=("#img",)),
    Content.IMAGE_TEXT_BUTTON: Fields(message=("#txt", "#img"), button=True),
    Content.TEXT_BUTTON: Fields(message=("#txt",), button=True),
    Content.FILE: Fields(message=("#action", "#fileName"), texts=("file_type",)),
    # For 230-232 #action is the address of the video; for 233 that is #media, and #action is the button's.
    Content.VIDEO: Fields(message=("#action", "#thumbnail"), numbers=("file_size", "duration")),
    Content.VIDEO_TEXT: Fields(message=("#txt", "#action", "#thumbnail"), numbers=("file_size", "duration")),
    Content.VIDEO_TEXT_BUTTON: Fields(
        message=("#txt", "#caption", "#action", "#thumbnail"), numbers=("file_size", "duration")
    ),
    Content.VIDEO_TEXT_LINK: Fields(
        message=("#txt", "#media", "#thumbnail"), numbers=("file_size", "duration"), button=True
    ),
    Content.LIST: Fields(message=("#txt",), objects=("survey",)),
    Content.CAROUSEL: Fields(objects=("carousel",)),
}


@dataclass(frozen=True, slots=True)
class MessageType:
    """One row of the table of types."""

    number: int
    content: Content
    tracking: Tracking
    session: bool
    """Allowed only after the user wrote, and counted."""


def _tracking(number: int) -> Tracking:
    if number in TRACKING_REQUIRED:
        return Tracking.REQUIRED
    return Tracking.FORBIDDEN if number in TRACKING_FORBIDDEN else Tracking.OPTIONAL


MESSAGE_TYPES: dict[int, MessageType] = {
    number: MessageType(number, content, _tracking(number), number in SESSION)
    for content, numbers in NUMBERS.items()
    for number in numbers
}
