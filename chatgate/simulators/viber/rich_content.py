"""Rules for files and videos (statuses 28 to 32), lists (40) and carousels (41).

Limits: n8n-nodes-viber-bm, ``LIMITS``; file kinds: Infobip's SDK. Where sources differ (2-5 or 2-10 options) the wider
limit holds.
"""

from __future__ import annotations

from typing import Any

from chatgate.simulators.viber.call import Call, text, whole_number
from chatgate.simulators.viber.message_types import Content
from chatgate.simulators.viber.statuses import Status

FILE_KINDS = frozenset(
    (
        *("doc", "docx", "rtf", "dot", "dotx", "odt", "odf", "fodt", "txt", "info", "pdf", "xps", "pdax", "eps"),
        *("xls", "xlsx", "ods", "fods", "csv", "xlsm", "xltx"),
    )
)
FILE_NAME_LIMIT = 25
THUMBNAIL_LIMIT = 1000
FILE_BYTES = range(1, 200 * 1024 * 1024 + 1)
VIDEO_SECONDS = range(1, 601)

LIST_TEXT_LIMIT = 85
LIST_STYLES = (1, 2)
"""Radio buttons, buttons."""
LIST_OPTIONS = range(2, 11)
LIST_OPTION_LENGTH = range(1, 51)

CAROUSEL_ITEMS = range(2, 6)
CAROUSEL_TITLE_LENGTH = range(2, 39)
PRIMARY_LABEL_LENGTH = range(1, 11)
SECONDARY_LABEL_LENGTH = range(1, 13)

VIDEOS = frozenset({Content.VIDEO, Content.VIDEO_TEXT, Content.VIDEO_TEXT_BUTTON, Content.VIDEO_TEXT_LINK})


def media(call: Call) -> Status:
    """Judge a file or a video; anything else passes."""
    assert call.type is not None
    if call.type.content is Content.FILE:
        if text(call.body.get("file_type")).lower() not in FILE_KINDS:
            return Status.FILE_NOT_PERMITTED
        if len(text(call.message.get("#fileName"))) > FILE_NAME_LIMIT:
            return Status.BAD_FILE_NAME_LENGTH
    elif call.type.content in VIDEOS:
        if len(text(call.message.get("#thumbnail"))) > THUMBNAIL_LIMIT:
            return Status.BAD_THUMBNAIL
        if whole_number(call.body.get("file_size")) not in FILE_BYTES:
            return Status.BAD_FILE_SIZE
        if whole_number(call.body.get("duration")) not in VIDEO_SECONDS:
            return Status.BAD_DURATION
    return Status.SUCCESS


def choices(call: Call) -> Status:
    """Judge a list or a carousel; anything else passes."""
    assert call.type is not None
    if call.type.content is Content.LIST:
        short = len(text(call.message.get("#txt"))) <= LIST_TEXT_LIMIT
        return Status.SUCCESS if short and _is_list(call.body["survey"]) else Status.SURVEY_VALIDATION_ERROR
    if call.type.content is Content.CAROUSEL:
        return Status.SUCCESS if _is_carousel(call.body["carousel"]) else Status.CAROUSEL_VALIDATION_ERROR
    return Status.SUCCESS


def _is_list(survey: Any) -> bool:
    if not isinstance(survey, dict) or whole_number(survey.get("list_message_ui_type")) not in LIST_STYLES:
        return False
    options = survey.get("options")
    if not isinstance(options, list) or len(options) not in LIST_OPTIONS:
        return False
    return all(len(text(option)) in LIST_OPTION_LENGTH for option in options)


def _is_carousel(carousel: Any) -> bool:
    items = carousel.get("items") if isinstance(carousel, dict) else None
    return isinstance(items, list) and len(items) in CAROUSEL_ITEMS and all(_is_item(item) for item in items)


def _is_item(item: Any) -> bool:
    if not isinstance(item, dict) or len(text(item.get("title"))) not in CAROUSEL_TITLE_LENGTH:
        return False
    if not text(item.get("imageUrl")) or not _is_button(item.get("primaryButton"), PRIMARY_LABEL_LENGTH):
        return False
    secondary = item.get("secondaryButton")
    return secondary is None or _is_button(secondary, SECONDARY_LABEL_LENGTH)


def _is_button(button: Any, label_length: range) -> bool:
    return (
        isinstance(button, dict)
        and len(text(button.get("label"))) in label_length
        and bool(text(button.get("actionUrl")))
    )
