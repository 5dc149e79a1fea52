"""What a legal Viber template is: its components, its variables, its limits; and what a message made of it shows.

Rules:

1. ``lint`` finds everything that is wrong, in the order of the components; nothing is guessed or mended.
2. HEADER (a picture, video or file), BODY (the text) and BUTTONS (one button with a URL), each at most once. Together
   they must be one of the nine message types.
3. Variables are ``$(name)``, in the BODY, and one in the URL of a button whose ``UrlType`` is ``dynamic``.
4. ``Category`` is read both ways: the SDK of 2026 names a purpose, the documents of 2024 the message type, which the
   components must then be.
5. A key that is null, empty, or unknown to Viber counts as absent: SDKs send all that their model has.

Sources: Alibaba Cloud, "Viber template design" and the SDK's comments on ``Components``; limits of media as in
``channels.viber``. Where a variable may stand in a URL, and that samples are complete, is our choice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chatgate import errors
from chatgate.channels import viber
from chatgate.domain import template
from chatgate.domain.account import Standing, Template
from chatgate.domain.message import Content, MessageType
from chatgate.domain.review import TemplateText
from chatgate.errors import ApiError, ErrorCode

PURPOSES = ("UTILITY", "MARKETING", "AUTHENTICATION")
"""``Category`` of the SDK of 2026."""
CATEGORIES = (*PURPOSES, *MessageType)

LONGEST_BODY = 875
"""Characters of a BODY ("Viber template design"); with its values in place it may have ``viber.LONGEST_TEXT``."""

FORMATS = ("IMAGE", "VIDEO", "DOCUMENT")
_FOREIGN = ("FOOTER", "CAROUSEL", "LIMITED_TIME_OFFER")  # types of other channels, which the SDK names
_EXTENSIONS: Mapping[str, frozenset[str]] = {
    "IMAGE": frozenset({"jpg", "jpeg", "png", "gif", "webp"}),
    "VIDEO": frozenset({"mp4", "m4v", "mov", "3gp"}),
    "DOCUMENT": viber.FILE_TYPES,
}

# Which of HEADER, BODY and BUTTONS make which message.
_SHAPES: dict[tuple[str | None, bool, bool], MessageType] = {
    (None, True, False): MessageType.TEXT,
    (None, True, True): MessageType.TEXT_BUTTON,
    ("IMAGE", False, False): MessageType.IMAGE,
    ("IMAGE", True, False): MessageType.TEXT_IMAGE,
    ("IMAGE", True, True): MessageType.TEXT_IMAGE_BUTTON,
    ("VIDEO", False, False): MessageType.VIDEO,
    ("VIDEO", True, False): MessageType.TEXT_VIDEO,
    ("VIDEO", True, True): MessageType.TEXT_VIDEO_BUTTON,
    ("DOCUMENT", False, False): MessageType.DOCUMENT,
}

# What is kept of a component, by its type or format, and of a button.
_KEYS: Mapping[str, Sequence[str]] = {
    "BODY": ("Type", "Text"),
    "IMAGE": ("Type", "Format", "Url", "Caption"),
    "VIDEO": ("Type", "Format", "Url", "ThumbUrl", "Duration", "Caption"),
    "DOCUMENT": ("Type", "Format", "Url", "FileName", "FileType", "Caption"),
    "BUTTONS": ("Type",),
}
_BUTTON_KEYS = ("Type", "Text", "Url", "UrlType")

_NUMBERED = re.compile(r"\{\{\s*[0-9]+\s*\}\}")
_BROKEN_VARIABLE = re.compile(r"\$\((?![^()\s]+\))")
_BEGINNING = re.compile(r"https?://[^/?#]+[/?#]", re.IGNORECASE)  # a value must not say which host it is
_EXTENSION = re.compile(r"\.([A-Za-z0-9]{2,5})(?:[?#]|\Z)")
_PHONE = re.compile(r"\+?[0-9]{7,15}")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong."""

    code: ErrorCode
    param: str
    """The parameter of the call that it is in."""
    place: str
    """Where in the parameter: ``Components[1].Url``."""
    sentence: str

    def error(self) -> ApiError:
        return ApiError(self.code, f"{self.place}: {self.sentence}", param=self.param)


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """What a message of a template is made of."""

    message_type: MessageType
    body: str
    """Empty: it has no text."""
    parts: Content | None
    """All beside the text; None: nothing."""


def lint(components: object, category: str, example: object = None) -> list[Finding]:
    """Return everything that is wrong with a template, in order; nothing: it is legal. ``example`` None: not given."""
    linter = _Linter(_format(components))
    if category not in CATEGORIES:
        linter.find("Category", f"it must be one of {', '.join(CATEGORIES)}.", param="Category")
    if not isinstance(components, list) or not components:
        linter.find("Components", "there must be at least a BODY or a HEADER.")
        return linter.findings
    for number, component in enumerate(components):
        linter.component(f"Components[{number}]", component)
    linter.together(category)
    if example is not None:
        linter.samples(example)
    return linter.findings


def plain(components: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return legal components as they are kept and given back: as written, without what Viber does not know."""
    kept = []
    for component in components:
        kind = _word(component, "Type")
        own = _given(component, _KEYS[_word(component, "Format") if kind == "HEADER" else kind])
        if kind == "BUTTONS":
            own["Buttons"] = [_given(button, _BUTTON_KEYS) for button in component["Buttons"]]
        kept.append(own)
    return kept


def read(components: Sequence[Mapping[str, Any]]) -> Rendering:
    """Return what legal components make a message of."""
    found = {_word(component, "Type"): component for component in components}
    header, body = found.get("HEADER", {}), str(found.get("BODY", {}).get("Text", ""))
    (button,) = found["BUTTONS"]["Buttons"] if "BUTTONS" in found else ({},)
    kind = _word(header, "Format") if header else None
    parts = Content(
        link=header.get("Url"), thumbnail=header.get("ThumbUrl") or None, caption=button.get("Text"),
        action=button.get("Url") or None, duration=_seconds(header.get("Duration")) if kind == "VIDEO" else None,
        file_name=header.get("FileName") if kind == "DOCUMENT" else None,
        file_type=_file_type(header) if kind == "DOCUMENT" else None,
    )  # fmt: skip
    message_type = _SHAPES[kind, bool(body), bool(button)]
    return Rendering(message_type=message_type, body=body, parts=None if parts == Content() else parts)


def sendable(text: TemplateText, code: str, language: str, name: str) -> Template:
    """Return what sending needs of a legal template that nobody has reviewed."""
    made = read(text.components)
    return Template(
        template_code=code, language=language, name=name, body=made.body, message_type=made.message_type,
        parts=made.parts, standing=Standing.PENDING,
    )  # fmt: skip


class _Linter:
    """Looks at one component after the other and remembers what is there."""

    def __init__(self, format: str | None) -> None:
        """``format``: of the HEADER, wherever it stands; None: there is none that is known."""
        self.findings: list[Finding] = []
        self._format = format
        self._places: dict[str, str] = {}
        self._body = ""
        self._url = ""

    def find(self, place: str, sentence: str, code: ErrorCode = errors.INVALID_PARAMETER, param: str = "") -> None:
        self.findings.append(Finding(code=code, param=param or "Components", place=place, sentence=sentence))

    def component(self, place: str, component: object) -> None:
        if not isinstance(component, Mapping):
            self.find(place, "it must be an object.")
            return
        kind = _word(component, "Type")
        if kind in _FOREIGN:
            if kind == "FOOTER" and template.variables(_text(component, "Text")):
                self.find(f"{place}.Text", "a footer holds no variable.", errors.FOOTER_VARIABLE)
            self.find(f"{place}.Type", f"a Viber template has no {kind}.")
            return
        check = {"BODY": self._check_body, "HEADER": self._check_header, "BUTTONS": self._check_buttons}.get(kind)
        if check is None:
            self.find(f"{place}.Type", "it must be HEADER, BODY or BUTTONS.")
            return
        if kind in self._places:
            self.find(place, f"there is a {kind} already.")
            return
        self._places[kind] = place
        check(place, component)

    def together(self, category: str) -> None:
        """Check that the components make a message, and the one that the category names."""
        button = self._places.get("BUTTONS")
        if self._format is None and "HEADER" in self._places:
            return  # what it is a template of cannot be told
        shape = _SHAPES.get((self._format, "BODY" in self._places, button is not None))
        if shape is None and self._format == "DOCUMENT":
            self.find("Components", "a DOCUMENT stands alone, without BODY and BUTTONS.")
        elif shape is None and button is not None:
            self.find(button, "a button needs a BODY.")
        elif shape is None and not self.findings:
            self.find("Components", "there must be at least a BODY or a HEADER.")
        elif shape is not None and category in tuple(MessageType) and category != shape:
            self.find("Category", f"it says {category}, but the components make {shape}.", param="Category")

    def samples(self, example: object) -> None:
        """Check that there is a sample for each variable, and that with them the template can be sent."""
        if not isinstance(example, Mapping):
            self.find("Example", "it must be an object: name to sample.", param="Example")
            return
        names = dict.fromkeys(template.variables(self._body) + template.variables(self._url))
        wrong = [name for name in names if not isinstance(example.get(name), str) or not example[name].strip()]
        for name in wrong:
            self.find(f"Example.{name}", "the variable needs a sample, a text.", param="Example")
        for name, sample in example.items():
            if name not in names and not isinstance(sample, str):
                self.find(f"Example.{name}", "it must be a text.", param="Example")
        if wrong:
            return
        if (length := len(template.replaced(self._body, example))) > viber.LONGEST_TEXT:
            self.find(
                "Example", f"with it the text has {length} characters; {viber.LONGEST_TEXT} is the most.",
                param="Example",
            )  # fmt: skip
        if template.variables(self._url) and not viber.is_url(template.replaced(self._url, example)):
            self.find("Example", "with it the button's Url is no http or https URL.", param="Example")

    # --- one component -----------------------------------------------------------------------------------------------

    def _check_body(self, place: str, component: Mapping[str, Any]) -> None:
        place = f"{place}.Text"
        text = component.get("Text")
        if not isinstance(text, str) or not text.strip():
            self.find(place, "there must be a text.")
            return
        self._body = text
        if len(text) > LONGEST_BODY:
            self.find(place, f"it has {len(text)} characters; {LONGEST_BODY} is the most.")
        self._check_variables(place, text)

    def _check_variables(self, place: str, text: str) -> None:
        if _NUMBERED.search(text):
            self.find(place, "variables are $(name), not {{1}}.", errors.MESSAGE_INVALID)
        if _BROKEN_VARIABLE.search(text):
            self.find(place, "after $( stands a name without blanks and parentheses, and then ).")

    def _check_header(self, place: str, component: Mapping[str, Any]) -> None:
        if self._format is None:
            self.find(f"{place}.Format", f"it must be one of {', '.join(FORMATS)}.", errors.HEADER_TYPE)
        variables = [*template.variables(_text(component, "Url")), *template.variables(_text(component, "Text"))]
        if len(variables) > 1:
            self.find(f"{place}.Url", "a header holds no variables.", errors.HEADER_VARIABLES)
        elif variables:
            self.find(f"{place}.Url", "a header holds no variable.")
        else:
            self._check_url(f"{place}.Url", component.get("Url"))
            if self._format is not None:
                self._check_extension(f"{place}.Url", _text(component, "Url"), self._format)
        if not isinstance(component.get("Caption") or "", str):
            self.find(f"{place}.Caption", "it must be a text.")
        if self._format == "VIDEO":
            self._check_video(place, component)
        elif self._format == "DOCUMENT":
            self._check_document(place, component)

    def _check_video(self, place: str, component: Mapping[str, Any]) -> None:
        self._check_url(f"{place}.ThumbUrl", component.get("ThumbUrl"))
        if _seconds(component.get("Duration")) is None:
            self.find(f"{place}.Duration", f"it must be from 0 to {viber.LONGEST_VIDEO_SECONDS} (seconds).")

    def _check_document(self, place: str, component: Mapping[str, Any]) -> None:
        name = component.get("FileName")
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= len(name) <= viber.LONGEST_FILE_NAME:
            self.find(f"{place}.FileName", f"it must have 1 to {viber.LONGEST_FILE_NAME} characters.")
        if _file_type(component) not in viber.FILE_TYPES:
            self.find(f"{place}.FileType", f"it must be one of {', '.join(sorted(viber.FILE_TYPES))}.")

    def _check_buttons(self, place: str, component: Mapping[str, Any]) -> None:
        buttons = component.get("Buttons")
        if not isinstance(buttons, list) or len(buttons) != 1:
            self.find(f"{place}.Buttons", "there must be exactly one button.")
        for number, button in enumerate(buttons if isinstance(buttons, list) else ()):
            self._check_button(f"{place}.Buttons[{number}]", button)

    def _check_button(self, place: str, button: object) -> None:
        if not isinstance(button, Mapping):
            self.find(place, "it must be an object.")
            return
        if _word(button, "Type") != "URL":
            self.find(f"{place}.Type", "a Viber button has the type URL.")
            if _word(button, "Type") == "PHONE_NUMBER" and not _PHONE.fullmatch(_text(button, "PhoneNumber")):
                self.find(f"{place}.PhoneNumber", "it must be 7 to 15 digits.", errors.PHONE_NUMBER_ERROR)
        text = _text(button, "Text")
        if not text.strip():
            self.find(f"{place}.Text", "a button needs a text.")
        elif template.variables(text):
            self.find(f"{place}.Text", "the text of a button holds no variable.", errors.BUTTON_VARIABLE)
        else:
            self._check_variables(f"{place}.Text", text)
        self._check_button_url(place, button)

    def _check_button_url(self, place: str, button: Mapping[str, Any]) -> None:
        url, kind = button.get("Url"), button.get("UrlType") or ""
        if self._format == "VIDEO":
            if url:
                self.find(f"{place}.Url", "with a VIDEO the button opens the video; it has no Url.")
            return
        names = template.variables(_text(button, "Url"))
        if kind not in ("", "static", "dynamic"):
            self.find(f"{place}.UrlType", "it must be static or dynamic.")
        if kind == "static" and names:
            self.find(f"{place}.Url", "a static URL holds no variable.")
        elif kind == "dynamic" and not names and url:
            self.find(f"{place}.Url", "a dynamic URL holds a variable.")
        if len(names) > 1:
            self.find(f"{place}.Url", "it holds more than one variable.", errors.URL_VARIABLES)
        self._url = _text(button, "Url")
        self._check_variables(f"{place}.Url", self._url)
        if names and not _BEGINNING.match(self._url.partition("$(")[0]):
            self.find(f"{place}.Url", "a variable stands after the host and a slash.")
        else:
            self._check_url(f"{place}.Url", template.replaced(self._url, dict.fromkeys(names, "x")) if names else url)

    def _check_url(self, place: str, url: object) -> None:
        if not isinstance(url, str) or not url.strip():
            self.find(place, "there must be a URL.")
        elif len(url) > viber.LONGEST_URL:
            self.find(place, f"it has {len(url)} characters; {viber.LONGEST_URL} is the most.")
        elif not viber.is_url(url):
            self.find(place, "it must be an absolute http or https URL.")

    def _check_extension(self, place: str, url: str, kind: str) -> None:
        """A URL need not say what is there; where it does, it must not be another kind of thing."""
        found = _EXTENSION.search(url.partition("//")[2].partition("/")[2])
        extension = found[1].lower() if found else ""
        if extension not in _EXTENSIONS[kind] and any(extension in known for known in _EXTENSIONS.values()):
            self.find(place, f"a {kind} is not a .{extension}.")


def _format(components: object) -> str | None:
    """Return the format of the first HEADER, None where it is none that is known."""
    for component in components if isinstance(components, list) else ():
        if isinstance(component, Mapping) and _word(component, "Type") == "HEADER":
            found = _word(component, "Format")
            return found if found in FORMATS else None
    return None


def _given(written: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: written[key] for key in keys if type(written.get(key)) is int or _text(written, key)}


def _text(component: Mapping[str, Any], key: str) -> str:
    value = component.get(key)
    return value if isinstance(value, str) else ""


def _word(component: Mapping[str, Any], key: str) -> str:
    return _text(component, key).upper()


def _file_type(component: Mapping[str, Any]) -> str:
    return _text(component, "FileType").lower().removeprefix(".")


def _seconds(value: object) -> int | None:
    """Return a whole number of seconds that a video can have, None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,4}", value, re.ASCII):
        value = int(value)
    return value if type(value) is int and 0 <= value <= viber.LONGEST_VIDEO_SECONDS else None
