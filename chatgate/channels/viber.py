"""What a legal Viber message is: its nine types, what each needs in ``Content``, and the limits of every key.

Rules of ``Content``:

1. Keys that the message type does not use, and keys that nobody knows, are ignored, whatever they hold.
2. A key that is null, empty or blank counts as absent (the page's own example fills unused keys with ``""``).
3. Keys are checked in the order of ``SHAPES``: first whether it is there, then its value. Forbidden keys come last.
4. Text is a JSON string. A number is a JSON number or a string of digits. Objects, arrays and booleans are refused.

``given`` comes from the strict JSON reader: no NUL, no lone surrogate, no infinite number.

Sources: page "Send Viber messages" (shapes), CAMS "Viber parameters" and its error codes (limits). Where they
name no limit (button text, length of a link and of an action) the comment says what was chosen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chatgate.domain.account import Space
from chatgate.domain.message import Content, Label, MessageType
from chatgate.errors import CONTENT_ERROR, LINK_EMPTY, TEXT_EMPTY, ApiError

NAME = "viber"


@dataclass(frozen=True, slots=True)
class Shape:
    """Keys of ``Content`` for one message type."""

    required: tuple[str, ...]
    forbidden: tuple[str, ...] = ()


# Seed page, parameter Content. It names no optional key. It lists text_image as a type but not its keys: they are what
# the name says.
SHAPES: dict[MessageType, Shape] = {
    MessageType.TEXT: Shape(("text",)),
    MessageType.IMAGE: Shape(("link",)),
    MessageType.VIDEO: Shape(("link", "thumbnail", "fileSize", "duration")),
    MessageType.DOCUMENT: Shape(("link", "fileName", "fileType")),
    MessageType.TEXT_BUTTON: Shape(("text", "caption", "action")),
    MessageType.TEXT_IMAGE_BUTTON: Shape(("text", "link", "caption", "action")),
    MessageType.TEXT_VIDEO: Shape(("text", "link", "thumbnail", "fileSize", "duration")),
    MessageType.TEXT_VIDEO_BUTTON: Shape(
        ("text", "link", "thumbnail", "fileSize", "duration", "caption"),
        forbidden=("action",),  # the SDK's comment wants it instead; a setting of the space allows it
    ),
    MessageType.TEXT_IMAGE: Shape(("text", "link")),
}

# The page's word, and the spelling of the SDK's comments.
LABELS: Mapping[str, Label] = {
    "promotion": Label.PROMOTION,
    "transaction": Label.TRANSACTION,
    "pormotion": Label.PROMOTION,
}

# CAMS, "Viber parameters" and "Viber error codes".
LONGEST_TEXT = 1000
LONGEST_FILE_NAME = 25
LONGEST_URL = 1000  # documented for the thumbnail; our choice for link and action
LARGEST_VIDEO_MB = 200
LONGEST_VIDEO_SECONDS = 600
_FILE_TYPES = "doc docx rtf dot dotx odt odf fodt txt info pdf xps pdax eps xls xlsx ods fods csv xlsm xltx"
FILE_TYPES = frozenset(_FILE_TYPES.split())

_DIGITS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
# Absolute, with a host; no white space, no control character. What the host is, the provider finds out.
_URL = re.compile(
    r"[Hh][Tt][Tt][Pp][Ss]?://(?:[^\s/?#@\\\x00-\x1f\x7f]*@)?"
    r"(?:[^\s/?#@:\\\[\]\x00-\x1f\x7f]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:[/?#][^\s\x00-\x1f\x7f]*)?"
)


def content(message_type: MessageType, given: Mapping[str, object], space: Space) -> Content:
    """Return what ``given``, the decoded ``Content`` of a call, says for a message of this type.

    Raises ApiError: ``TextNotEmpty``, ``LinkNotEmpty``, or ``ContentError`` (a key is missing, wrong or forbidden; the
    sentence names it).
    """
    shape = SHAPES[message_type]
    found: dict[str, object] = {}
    for key in shape.required:
        value = given.get(key)
        if _is_absent(value):
            raise _missing(key, message_type)
        field, check = _KEYS[key]
        found[field] = check(key, value)
    for key in shape.forbidden:
        value = given.get(key)
        if _is_absent(value):
            continue
        if not space.video_button_action:
            raise _wrong(f"{key} must not be in the Content of a {message_type} message.")
        field, check = _KEYS[key]
        found[field] = check(key, value)
    return Content(**found)  # type: ignore[arg-type]  # every check returns what its field holds


def is_url(text: str) -> bool:
    """Whether a text is a URL that a message can carry: absolute, http or https, not too long."""
    return len(text) <= LONGEST_URL and _URL.fullmatch(text) is not None


def _is_absent(value: object) -> bool:
    return value is None or (type(value) is str and (not value or value.isspace()))


def _missing(key: str, message_type: MessageType) -> ApiError:
    if key == "text":
        return ApiError(TEXT_EMPTY, param="Content")
    if key == "link":
        return ApiError(LINK_EMPTY, param="Content")
    return _wrong(f"Content lacks {key}, which a {message_type} message needs.")


def _wrong(sentence: str) -> ApiError:
    return ApiError(CONTENT_ERROR, sentence, param="Content")


def _string(key: str, value: object) -> str:
    if type(value) is not str:
        raise _wrong(f"{key} in Content must be a string.")
    return value


def _limited(longest: int) -> Callable[[str, object], str]:
    def check(key: str, value: object) -> str:
        text = _string(key, value)
        if len(text) > longest:
            raise _wrong(f"{key} in Content has {len(text)} characters; {longest} is the most.")
        return text

    return check


_short_url = _limited(LONGEST_URL)


def _url(key: str, value: object) -> str:
    url = _short_url(key, value)
    if _URL.fullmatch(url) is None:
        raise _wrong(f"{key} in Content must be an absolute http or https URL.")
    return url


def _file_type(key: str, value: object) -> str:
    extension = _string(key, value).lower().removeprefix(".")
    if extension not in FILE_TYPES:
        raise _wrong(f"{key} in Content must be one of: {_FILE_TYPES}.")
    return extension


def _number(key: str, value: object) -> int | float:
    if type(value) is int or type(value) is float:
        return value
    if type(value) is str and _DIGITS.fullmatch(value):
        return float(value) if "." in value else int(value)
    raise _wrong(f"{key} in Content must be a number.")


def _megabytes(key: str, value: object) -> float:
    size = _number(key, value)
    if not 0 < size <= LARGEST_VIDEO_MB:
        raise _wrong(f"{key} in Content must be more than 0 and at most {LARGEST_VIDEO_MB} (megabytes).")
    return float(size)


def _seconds(key: str, value: object) -> int:
    length = _number(key, value)
    if not 0 < length <= LONGEST_VIDEO_SECONDS or length != int(length):
        raise _wrong(f"{key} in Content must be a whole number of seconds from 1 to {LONGEST_VIDEO_SECONDS}.")
    return int(length)


_KEYS: dict[str, tuple[str, Callable[[str, object], object]]] = {
    "text": ("text", _limited(LONGEST_TEXT)),
    "link": ("link", _url),
    "thumbnail": ("thumbnail", _url),
    "fileSize": ("file_size_mb", _megabytes),
    "duration": ("duration", _seconds),
    "fileName": ("file_name", _limited(LONGEST_FILE_NAME)),
    "fileType": ("file_type", _file_type),
    "caption": ("caption", _string),  # other vendors of Viber limit it to 30; CAMS names no limit
    "action": ("action", _url),
}
"""Key of ``Content`` to the field of ``domain.message.Content`` and the check of its value."""
