"""Each rule of a Viber template: a legal one of each kind, and one with each possible mistake."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatgate.channels import viber_template
from chatgate.channels.viber_template import CATEGORIES, Finding, Rendering
from chatgate.domain.message import Content, MessageType

Components = list[dict[str, Any]]

LINK, THUMBNAIL = "https://cdn.example.com/a", "https://cdn.example.com/t.jpg"
TRACK = "https://shop.example.com/$(no)"

BODY = {"Type": "BODY", "Text": "Hello $(name), order $(no) has left."}
IMAGE = {"Type": "HEADER", "Format": "IMAGE", "Url": LINK}
VIDEO = {"Type": "HEADER", "Format": "VIDEO", "Url": LINK, "ThumbUrl": THUMBNAIL, "Duration": 30}
DOCUMENT = {"Type": "HEADER", "Format": "DOCUMENT", "Url": LINK, "FileName": "invoice.pdf", "FileType": "PDF"}
BUTTON = {"Type": "URL", "Text": "Track", "Url": TRACK, "UrlType": "dynamic"}
BUTTONS = {"Type": "BUTTONS", "Buttons": [BUTTON]}
PLAY = {"Type": "BUTTONS", "Buttons": [{"Type": "URL", "Text": "Play"}]}

LEGAL: dict[MessageType, tuple[Components, Content | None]] = {
    MessageType.TEXT: ([BODY], None),
    MessageType.IMAGE: ([IMAGE], Content(link=LINK)),
    MessageType.VIDEO: ([VIDEO], Content(link=LINK, thumbnail=THUMBNAIL, duration=30)),
    MessageType.DOCUMENT: ([DOCUMENT], Content(link=LINK, file_name="invoice.pdf", file_type="pdf")),
    MessageType.TEXT_BUTTON: ([BODY, BUTTONS], Content(caption="Track", action=TRACK)),
    MessageType.TEXT_IMAGE_BUTTON: ([IMAGE, BODY, BUTTONS], Content(link=LINK, caption="Track", action=TRACK)),
    MessageType.TEXT_VIDEO: ([VIDEO, BODY], Content(link=LINK, thumbnail=THUMBNAIL, duration=30)),
    MessageType.TEXT_VIDEO_BUTTON: (
        [VIDEO, BODY, PLAY], Content(link=LINK, thumbnail=THUMBNAIL, duration=30, caption="Play"),
    ),
    MessageType.TEXT_IMAGE: ([IMAGE, BODY], Content(link=LINK)),
}  # fmt: skip


def codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.error().code.removeprefix("InvalidParameter."), finding.place) for finding in findings]


@pytest.mark.parametrize("message_type", MessageType)
def test_legal(message_type: MessageType) -> None:
    """In every order, under a purpose and under its own name, and as SDKs write it: with all that their model has."""
    components, parts = LEGAL[message_type]
    for written in (components, components[::-1]):
        for category in (*viber_template.PURPOSES, message_type):
            assert viber_template.lint(written, category) == []
        body = str(BODY["Text"]) if BODY in components else ""
        assert viber_template.read(written) == Rendering(message_type=message_type, body=body, parts=parts)
    of_sdk = [{"Buttons": [], "Cards": [], "Caption": None, **component} for component in components]
    assert viber_template.lint(of_sdk, "UTILITY") == []
    assert viber_template.plain(of_sdk) == components


@pytest.mark.parametrize("message_type", MessageType)
def test_a_category_that_names_another_message_type(message_type: MessageType) -> None:
    for other in set(MessageType) - {message_type}:
        found = viber_template.lint(LEGAL[message_type][0], other)
        assert codes(found) == [("Category", "Category")]
        assert other in found[0].sentence
        assert message_type in found[0].sentence


def with_body(text: object) -> Components:
    return [{"Type": "BODY", "Text": text}]


def with_header(**changes: object) -> Components:
    return [{**IMAGE, **changes}]


def with_button(**changes: object) -> Components:
    return [BODY, {"Type": "BUTTONS", "Buttons": [{**BUTTON, **changes}]}]


BUTTON_AT = "Components[1].Buttons[0]"

MISTAKES: dict[str, tuple[object, list[tuple[str, str]]]] = {
    "no list": ({"Type": "BODY"}, [("Components", "Components")]),
    "empty": ([], [("Components", "Components")]),
    "no object": (["BODY"], [("Components", "Components[0]"), ("Components", "Components")][:1]),
    "no type": ([{"Text": "Hi"}], [("Components", "Components[0].Type")]),
    "unknown type": ([BODY, {"Type": "MAP"}], [("Components", "Components[1].Type")]),
    "footer": ([BODY, {"Type": "FOOTER", "Text": "x"}], [("Components", "Components[1].Type")]),
    "footer with a variable": (
        [BODY, {"Type": "FOOTER", "Text": "$(x)"}],
        [("FooterHaveVariable", "Components[1].Text"), ("Components", "Components[1].Type")],
    ),
    "carousel": ([BODY, {"Type": "CAROUSEL"}], [("Components", "Components[1].Type")]),
    "offer": ([BODY, {"Type": "LIMITED_TIME_OFFER"}], [("Components", "Components[1].Type")]),
    "two bodies": ([BODY, BODY], [("Components", "Components[1]")]),
    "two headers": ([IMAGE, VIDEO, BODY], [("Components", "Components[1]")]),
    "two button components": ([BODY, BUTTONS, BUTTONS], [("Components", "Components[2]")]),
    "no text": (with_body(None), [("Components", "Components[0].Text")]),
    "blank text": (with_body(" \n"), [("Components", "Components[0].Text")]),
    "text that is a number": (with_body(5), [("Components", "Components[0].Text")]),
    "long text": (with_body("x" * 876), [("Components", "Components[0].Text")]),
    "numbered variable": (with_body("Hi {{1}}"), [("MessageInvalid", "Components[0].Text")]),
    "numbered variable with blanks": (with_body("Hi {{ 12 }}"), [("MessageInvalid", "Components[0].Text")]),
    "variable without end": (with_body("Hi $(name"), [("Components", "Components[0].Text")]),
    "variable without name": (with_body("Hi $()"), [("Components", "Components[0].Text")]),
    "variable with a blank": (with_body("Hi $(my name)"), [("Components", "Components[0].Text")]),
    "text header": (
        [BODY, {"Type": "HEADER", "Format": "TEXT", "Text": "Hi", "Url": LINK}],
        [("HeaderTypeNotSupport", "Components[1].Format")],
    ),
    "header without format": (with_header(Format=None), [("HeaderTypeNotSupport", "Components[0].Format")]),
    "header with a variable": (with_header(Url=LINK + "/$(a)"), [("Components", "Components[0].Url")]),
    "header with two variables": (
        with_header(Url=LINK + "/$(a)$(b)"), [("HeaderMoreVarable", "Components[0].Url")],
    ),
    "header without a URL": (with_header(Url=""), [("Components", "Components[0].Url")]),
    "header with a path": (with_header(Url="/a.jpg"), [("Components", "Components[0].Url")]),
    "header with another protocol": (with_header(Url="ftp://a.example/a"), [("Components", "Components[0].Url")]),
    "header with a long URL": (with_header(Url=LINK + "x" * 1000), [("Components", "Components[0].Url")]),
    "header whose picture is a video": (with_header(Url=LINK + ".mp4?x=1"), [("Components", "Components[0].Url")]),
    "header whose picture is a file": (with_header(Url=LINK + ".PDF"), [("Components", "Components[0].Url")]),
    "caption that is no text": (with_header(Caption=5), [("Components", "Components[0].Caption")]),
    "video without a thumbnail": ([{**VIDEO, "ThumbUrl": ""}], [("Components", "Components[0].ThumbUrl")]),
    "video with a long thumbnail": (
        [{**VIDEO, "ThumbUrl": THUMBNAIL + "x" * 1000}], [("Components", "Components[0].ThumbUrl")],
    ),
    "video without a duration": ([{**VIDEO, "Duration": None}], [("Components", "Components[0].Duration")]),
    "long video": ([{**VIDEO, "Duration": 601}], [("Components", "Components[0].Duration")]),
    "video of a fraction": ([{**VIDEO, "Duration": 1.5}], [("Components", "Components[0].Duration")]),
    "video of true": ([{**VIDEO, "Duration": True}], [("Components", "Components[0].Duration")]),
    "video that is a picture": ([{**VIDEO, "Url": LINK + ".jpg"}], [("Components", "Components[0].Url")]),
    "file without a name": ([{**DOCUMENT, "FileName": ""}], [("Components", "Components[0].FileName")]),
    "file with a long name": ([{**DOCUMENT, "FileName": "x" * 26}], [("Components", "Components[0].FileName")]),
    "file with a blank name": ([{**DOCUMENT, "FileName": "  "}], [("Components", "Components[0].FileName")]),
    "file without a type": ([{**DOCUMENT, "FileType": None}], [("Components", "Components[0].FileType")]),
    "file of another type": ([{**DOCUMENT, "FileType": "exe"}], [("Components", "Components[0].FileType")]),
    "file with text": ([DOCUMENT, BODY], [("Components", "Components")]),
    "file with text and button": ([DOCUMENT, BODY, BUTTONS], [("Components", "Components")]),
    "button alone": ([BUTTONS], [("Components", "Components[0]")]),
    "picture with a button, without text": ([IMAGE, BUTTONS], [("Components", "Components[1]")]),
    "no button": ([BODY, {"Type": "BUTTONS"}], [("Components", "Components[1].Buttons")]),
    "two buttons": ([BODY, {"Type": "BUTTONS", "Buttons": [BUTTON] * 2}], [("Components", "Components[1].Buttons")]),
    "button that is no object": ([BODY, {"Type": "BUTTONS", "Buttons": ["x"]}], [("Components", BUTTON_AT)]),
    "button of another type": (with_button(Type="QUICK_REPLY"), [("Components", f"{BUTTON_AT}.Type")]),
    "phone button": (with_button(Type="PHONE_NUMBER", PhoneNumber="+63917123"), [("Components", f"{BUTTON_AT}.Type")]),
    "phone button with a wrong number": (
        with_button(Type="PHONE_NUMBER", PhoneNumber="call me"),
        [("Components", f"{BUTTON_AT}.Type"), ("PhoneNumberError", f"{BUTTON_AT}.PhoneNumber")],
    ),
    "button without text": (with_button(Text=" "), [("Components", f"{BUTTON_AT}.Text")]),
    "button text with a variable": (with_button(Text="$(x)"), [("ButtonTextHaveVariable", f"{BUTTON_AT}.Text")]),
    "button text with a number": (with_button(Text="{{1}}"), [("MessageInvalid", f"{BUTTON_AT}.Text")]),
    "button without a URL": (with_button(Url="", UrlType="static"), [("Components", f"{BUTTON_AT}.Url")]),
    "button with a path": (with_button(Url="/x", UrlType="static"), [("Components", f"{BUTTON_AT}.Url")]),
    "static URL with a variable": (with_button(UrlType="static"), [("Components", f"{BUTTON_AT}.Url")]),
    "dynamic URL without a variable": (with_button(Url=LINK), [("Components", f"{BUTTON_AT}.Url")]),
    "URL with two variables": (with_button(Url=TRACK + "/$(b)"), [("UrlMoreVarable", f"{BUTTON_AT}.Url")]),
    "URL with a numbered variable": (
        with_button(Url=LINK + "/{{1}}", UrlType="static"), [("MessageInvalid", f"{BUTTON_AT}.Url")],
    ),
    "variable for a host": (with_button(Url="https://$(host)/"), [("Components", f"{BUTTON_AT}.Url")]),
    "variable in a host": (with_button(Url="https://shop$(x)/"), [("Components", f"{BUTTON_AT}.Url")]),
    "unknown kind of URL": (with_button(UrlType="fixed"), [("Components", f"{BUTTON_AT}.UrlType")]),
    "video whose button has a URL": (
        [VIDEO, BODY, {"Type": "BUTTONS", "Buttons": [{**BUTTON, "Url": LINK}]}],
        [("Components", "Components[2].Buttons[0].Url")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(mistake: str) -> None:
    components, expected = MISTAKES[mistake]
    assert codes(viber_template.lint(components, "UTILITY")) == expected


def test_everything_at_once() -> None:
    components = [
        {"Type": "BUTTONS", "Buttons": [{"Type": "URL", "Text": "$(x)", "Url": "nowhere"}]},
        {"Type": "HEADER", "Format": "AUDIO", "Url": ""},
        {"Type": "BODY", "Text": "{{1}} $("},
        {"Type": "FOOTER", "Text": "$(x)"},
    ]
    assert codes(viber_template.lint(components, "OTHER", {})) == [
        ("Category", "Category"),
        ("ButtonTextHaveVariable", "Components[0].Buttons[0].Text"),
        ("Components", "Components[0].Buttons[0].Url"),
        ("HeaderTypeNotSupport", "Components[1].Format"),
        ("Components", "Components[1].Url"),
        ("MessageInvalid", "Components[2].Text"),
        ("Components", "Components[2].Text"),
        ("FooterHaveVariable", "Components[3].Text"),
        ("Components", "Components[3].Type"),
    ]


@pytest.mark.parametrize(
    ("example", "places"),
    [
        (None, []),
        ({"name": "Ann", "no": "7"}, []),
        ({"name": "Ann", "no": "7", "other": "x"}, []),
        ({"name": "Ann", "no": "7", "other": 5}, ["Example.other"]),
        ({"name": "Ann"}, ["Example.no"]),
        ({}, ["Example.name", "Example.no"]),
        ({"name": "Ann", "no": " "}, ["Example.no"]),
        ({"name": "Ann", "no": 7}, ["Example.no"]),
        (["Ann", "7"], ["Example"]),
        ({"name": "x" * 1000, "no": "7"}, ["Example"]),
        ({"name": "Ann", "no": "a b"}, ["Example"]),
        ({"name": "Ann", "no": "x" * 980}, ["Example", "Example"]),
    ],
)
def test_samples(example: object, places: list[str]) -> None:
    found = viber_template.lint([BODY, BUTTONS], "UTILITY", example)
    assert [(finding.param, finding.place) for finding in found] == [("Example", place) for place in places]


def test_the_longest_text_and_url() -> None:
    assert viber_template.lint(with_body("x" * 875), "text") == []
    longest = "https://cdn.example.com/".ljust(1000, "x")
    assert viber_template.lint(with_header(Url=longest), "image") == []
    (found,) = viber_template.lint(with_header(Url=longest + "x"), "image")
    assert found.sentence == "it has 1001 characters; 1000 is the most."


@pytest.mark.parametrize("written", ["pdf", "PDF", ".pdf"])
def test_a_file_type_is_an_extension(written: str) -> None:
    document = [{**DOCUMENT, "FileType": written}]
    assert viber_template.lint(document, "document") == []
    parts = viber_template.read(document).parts
    assert parts is not None
    assert parts.file_type == "pdf"


@pytest.mark.parametrize("category", ["text_image", "text"])
def test_a_header_of_an_unknown_format_makes_no_message(category: str) -> None:
    """So no more is said of what the category names."""
    found = viber_template.lint([{"Type": "HEADER", "Format": "TEXT", "Url": LINK}, BODY], category)
    assert codes(found) == [("HeaderTypeNotSupport", "Components[0].Format")]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([LINK, TRACK, "$(a)", "{{1}}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
KEYS = ("Type", "Format", "Text", "Url", "ThumbUrl", "Duration", "FileName", "FileType", "Caption", "Buttons")
GOOD: Components = [BODY, IMAGE, VIDEO, DOCUMENT, BUTTONS, PLAY]
COMPONENT = st.builds(
    lambda good, bad: {**good, **bad},
    st.sampled_from(GOOD),
    st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=2),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(COMPONENT | ANYTHING, max_size=4), st.sampled_from(CATEGORIES), st.none() | ANYTHING)
def test_anything(components: list[Any], category: str, example: object) -> None:
    """Whatever is written, it is judged; and what is legal makes a message and can be kept."""
    if viber_template.lint(components, category, example):
        return
    kept = viber_template.plain(components)
    made = viber_template.read(kept)
    assert (category in viber_template.PURPOSES) or category == made.message_type
    assert viber_template.lint(kept, category, example) == []
    assert msgspec.json.decode(msgspec.json.encode(made), type=Rendering) == made
    assert msgspec.json.decode(msgspec.json.encode(example), type=dict[str, str] | None) == example
