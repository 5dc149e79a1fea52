from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.channels import viber
from chatgate.domain.account import Space
from chatgate.domain.message import Content, Label, MessageType
from chatgate.errors import ApiError

SPACE = Space(space_id="1")
SDK_SPACE = Space(space_id="2", video_button_action=True)

FULL: dict[str, Any] = {
    "text": "hello",
    "link": "https://cdn.example.com/a.bin",
    "caption": "Track",
    "action": "https://shop.example.com/7",
    "thumbnail": "https://cdn.example.com/a.jpg",
    "fileName": "invoice.pdf",
    "fileType": "pdf",
    "fileSize": 12.5,
    "duration": 30,
}
"""Every key, with a legal value."""

PARSED: dict[str, Any] = {
    "text": "hello",
    "link": "https://cdn.example.com/a.bin",
    "caption": "Track",
    "action": "https://shop.example.com/7",
    "thumbnail": "https://cdn.example.com/a.jpg",
    "file_name": "invoice.pdf",
    "file_type": "pdf",
    "file_size_mb": 12.5,
    "duration": 30,
}

# Seed page, parameter Content; written out again, so that a slip in the table of the code shows.
NEEDED = {
    MessageType.TEXT: "text",
    MessageType.IMAGE: "link",
    MessageType.VIDEO: "link thumbnail fileSize duration",
    MessageType.DOCUMENT: "link fileName fileType",
    MessageType.TEXT_BUTTON: "text caption action",
    MessageType.TEXT_IMAGE_BUTTON: "text link caption action",
    MessageType.TEXT_VIDEO: "text link thumbnail fileSize duration",
    MessageType.TEXT_VIDEO_BUTTON: "text link thumbnail fileSize duration caption",
    MessageType.TEXT_IMAGE: "text link",
}
FIELDS = dict(zip(FULL, PARSED, strict=True))
EACH_NEEDED_KEY = [(message_type, key) for message_type, keys in NEEDED.items() for key in keys.split()]


def given_for(message_type: MessageType) -> dict[str, Any]:
    return {key: FULL[key] for key in NEEDED[message_type].split()}


def refusal_of(message_type: MessageType, document: dict[str, Any], space: Space = SPACE) -> ApiError:
    with pytest.raises(ApiError) as refusal:
        viber.content(message_type, document, space)
    return refusal.value


def test_the_nine_types() -> None:
    assert set(viber.SHAPES) == set(NEEDED) == set(MessageType)


@pytest.mark.parametrize("message_type", MessageType)
def test_valid(message_type: MessageType) -> None:
    expected = Content(**{FIELDS[key]: PARSED[FIELDS[key]] for key in NEEDED[message_type].split()})
    assert viber.content(message_type, given_for(message_type), SPACE) == expected


@pytest.mark.parametrize("message_type", MessageType)
def test_other_keys_are_ignored(message_type: MessageType) -> None:
    document = given_for(message_type)
    ignored = {key: {"nested": [1]} for key in [*FULL, "footer", "Text", ""] if key not in document}
    if message_type is MessageType.TEXT_VIDEO_BUTTON:
        del ignored["action"]
    expected = viber.content(message_type, document, SPACE)
    assert viber.content(message_type, document | ignored, SPACE) == expected


@pytest.mark.parametrize("blank", [None, "", " ", "\n\t "])
@pytest.mark.parametrize(("message_type", "key"), EACH_NEEDED_KEY)
def test_missing_key(message_type: MessageType, key: str, blank: object) -> None:
    refusal = refusal_of(message_type, given_for(message_type) | {key: blank})
    without = given_for(message_type)
    del without[key]
    assert str(refusal_of(message_type, without)) == str(refusal)
    if key == "text":
        assert refusal.code == "InvalidParameter.TextNotEmpty"
    elif key == "link":
        assert refusal.code == "InvalidParameter.LinkNotEmpty"
    else:
        assert refusal.code == "InvalidParameter.ContentError"
        assert refusal.message == f"Content lacks {key}, which a {message_type} message needs."


@pytest.mark.parametrize("value", [{}, [], {"a": 1}, ["x"], True, False])
@pytest.mark.parametrize(("message_type", "key"), EACH_NEEDED_KEY)
def test_wrong_type(message_type: MessageType, key: str, value: object) -> None:
    refusal = refusal_of(message_type, given_for(message_type) | {key: value})
    assert refusal.code == "InvalidParameter.ContentError"
    assert refusal.message.startswith(f"{key} in Content must be a ")


LONG_URL = "https://a.example/" + "x" * 982  # 1000 characters

ACCEPTED = [
    (MessageType.TEXT, "text", "x" * 1000, "x" * 1000),
    (MessageType.TEXT, "text", "😀" * 1000, "😀" * 1000),
    (MessageType.TEXT, "text", " padded ", " padded "),
    (MessageType.IMAGE, "link", "http://example.com", "http://example.com"),
    (MessageType.IMAGE, "link", "HTTPS://EXAMPLE.COM/A.JPG", "HTTPS://EXAMPLE.COM/A.JPG"),
    (MessageType.IMAGE, "link", "https://u:p@[2001:db8::1]:8443?a=b#c", "https://u:p@[2001:db8::1]:8443?a=b#c"),
    (MessageType.IMAGE, "link", "https://пример.example/фото.jpg", "https://пример.example/фото.jpg"),
    (MessageType.IMAGE, "link", LONG_URL, LONG_URL),
    (MessageType.VIDEO, "thumbnail", LONG_URL, LONG_URL),
    (MessageType.TEXT_BUTTON, "action", LONG_URL, LONG_URL),
    (MessageType.TEXT_BUTTON, "caption", "x" * 31, "x" * 31),  # CAMS names no limit
    (MessageType.VIDEO, "fileSize", 200, 200.0),
    (MessageType.VIDEO, "fileSize", "200", 200.0),
    (MessageType.VIDEO, "fileSize", "0.5", 0.5),
    (MessageType.VIDEO, "duration", 600, 600),
    (MessageType.VIDEO, "duration", 1, 1),
    (MessageType.VIDEO, "duration", "600", 600),
    (MessageType.VIDEO, "duration", 30.0, 30),
    (MessageType.DOCUMENT, "fileName", "x" * 25, "x" * 25),
    (MessageType.DOCUMENT, "fileType", "PDF", "pdf"),
    (MessageType.DOCUMENT, "fileType", ".docx", "docx"),
]


@pytest.mark.parametrize(("message_type", "key", "value", "parsed"), ACCEPTED)
def test_accepted_values(message_type: MessageType, key: str, value: object, parsed: object) -> None:
    content = viber.content(message_type, given_for(message_type) | {key: value}, SPACE)
    found = getattr(content, FIELDS[key])
    assert (found, type(found)) == (parsed, type(parsed))


URL = "{} in Content must be an absolute http or https URL."
SIZE = "fileSize in Content must be more than 0 and at most 200 (megabytes)."
DURATION = "duration in Content must be a whole number of seconds from 1 to 600."
NUMBER = "{} in Content must be a number."

REFUSED = [
    (MessageType.TEXT, "text", "x" * 1001, "text in Content has 1001 characters; 1000 is the most."),
    (MessageType.TEXT, "text", 5, "text in Content must be a string."),
    (MessageType.TEXT_BUTTON, "caption", 5, "caption in Content must be a string."),
    (MessageType.IMAGE, "link", LONG_URL + "x", "link in Content has 1001 characters; 1000 is the most."),
    (MessageType.VIDEO, "thumbnail", LONG_URL + "x", "thumbnail in Content has 1001 characters; 1000 is the most."),
    (MessageType.DOCUMENT, "fileName", "x" * 26, "fileName in Content has 26 characters; 25 is the most."),
    (MessageType.VIDEO, "fileSize", 200.1, SIZE),
    (MessageType.VIDEO, "fileSize", 0, SIZE),
    (MessageType.VIDEO, "fileSize", -1, SIZE),
    (MessageType.VIDEO, "fileSize", 10**30, SIZE),
    (MessageType.VIDEO, "fileSize", "201", SIZE),
    (MessageType.VIDEO, "duration", 601, DURATION),
    (MessageType.VIDEO, "duration", 0, DURATION),
    (MessageType.VIDEO, "duration", 10.5, DURATION),
    (MessageType.VIDEO, "duration", "0", DURATION),
    (MessageType.VIDEO, "duration", "10.5", DURATION),
    *((MessageType.IMAGE, "link", url, URL.format("link")) for url in [
        "cdn.example.com/a.jpg", "//cdn.example.com/a.jpg", "/a.jpg", "ftp://cdn.example.com/a.jpg",
        "javascript:alert(1)", "https://", "https:///a.jpg", "https://:443/", "https://?a", "https://#a", "https:a.jpg",
        "https://a.example/b c", "https://a.example/\n", " https://a.example/", "https://a.example:port/",
        "https://[::1/", "https://a\\b/", "http\u017f://a.example/", "https://a.example/\x7f",
    ]),
    (MessageType.TEXT_BUTTON, "action", "viber://chats", URL.format("action")),
    (MessageType.VIDEO, "thumbnail", "a.jpg", URL.format("thumbnail")),
    *((MessageType.VIDEO, key, word, NUMBER.format(key))
      for key in ("fileSize", "duration")
      for word in ["ten", "1e2", "-1", "+1", " 10", "10 ", "1,5", "nan", "inf", "0x10", "\u0663", "1_0", "1.", ".5",
                   "9" * 10]),
]  # fmt: skip


@pytest.mark.parametrize(("message_type", "key", "value", "sentence"), REFUSED)
def test_refused_values(message_type: MessageType, key: str, value: object, sentence: str) -> None:
    refusal = refusal_of(message_type, given_for(message_type) | {key: value})
    assert (refusal.code, refusal.http, refusal.message) == ("InvalidParameter.ContentError", 200, sentence)


@pytest.mark.parametrize("value", ["exe", "jpg", "..pdf", "application/pdf", "pdf "])
def test_file_types(value: str) -> None:
    refusal = refusal_of(MessageType.DOCUMENT, given_for(MessageType.DOCUMENT) | {"fileType": value})
    assert refusal.message.startswith("fileType in Content must be one of: doc docx ")


@pytest.mark.parametrize("blank", [None, "", " "])
def test_blank_action_with_text_video_button(blank: object) -> None:
    document = given_for(MessageType.TEXT_VIDEO_BUTTON)
    expected = viber.content(MessageType.TEXT_VIDEO_BUTTON, document, SPACE)
    for space in (SPACE, SDK_SPACE):
        assert viber.content(MessageType.TEXT_VIDEO_BUTTON, document | {"action": blank}, space) == expected


def test_action_with_text_video_button() -> None:
    document = given_for(MessageType.TEXT_VIDEO_BUTTON) | {"action": FULL["action"]}
    refusal = refusal_of(MessageType.TEXT_VIDEO_BUTTON, document)
    assert refusal.code == "InvalidParameter.ContentError"
    assert refusal.message == "action must not be in the Content of a text_video_button message."

    assert viber.content(MessageType.TEXT_VIDEO_BUTTON, document, SDK_SPACE).action == FULL["action"]
    wrong = refusal_of(MessageType.TEXT_VIDEO_BUTTON, document | {"action": "shop"}, SDK_SPACE)
    assert wrong.message == URL.format("action")


def test_the_first_key_is_answered() -> None:
    document = given_for(MessageType.TEXT_IMAGE_BUTTON)
    assert refusal_of(MessageType.TEXT_IMAGE_BUTTON, document | {"text": 1, "link": ""}).message.startswith("text ")
    assert refusal_of(MessageType.TEXT_IMAGE_BUTTON, {}).code == "InvalidParameter.TextNotEmpty"
    assert refusal_of(MessageType.TEXT_IMAGE, {}).code == "InvalidParameter.TextNotEmpty"
    assert refusal_of(MessageType.VIDEO, {}).code == "InvalidParameter.LinkNotEmpty"


def test_labels() -> None:
    assert viber.LABELS == {
        "promotion": Label.PROMOTION,
        "pormotion": Label.PROMOTION,
        "transaction": Label.TRANSACTION,
    }


def test_file_types_of_the_page() -> None:
    assert len(viber.FILE_TYPES) == 21


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
documents = st.fixed_dictionaries({}, optional={key: st.just(value) | json_values for key, value in FULL.items()})


@given(st.sampled_from(MessageType), documents, st.sampled_from([SPACE, SDK_SPACE]))
def test_any_document(message_type: MessageType, document: dict[str, Any], space: Space) -> None:
    try:
        content = viber.content(message_type, document, space)
    except ApiError:
        return
    filled = {key for key, field in FIELDS.items() if getattr(content, field) is not None}
    assert filled - {"action"} == set(NEEDED[message_type].split()) - {"action"}
    assert content.text is None or 0 < len(content.text) <= 1000
    assert content.file_size_mb is None or 0 < content.file_size_mb <= 200
    assert content.duration is None or 1 <= content.duration <= 600
