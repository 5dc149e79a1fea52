"""Placeholders, and how a value is written in each place so that it cannot leave it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

PLACEHOLDERS = frozenset({"to", "from", "text", "message_id", "ttl", "secret"})

Escape = Callable[[str], str]
Values = Mapping[str, str]

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def check(place: str, template: str) -> None:
    """Raise ValueError when a template has a placeholder that does not exist."""
    for name in _PLACEHOLDER.findall(template):
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{known}}}" for known in sorted(PLACEHOLDERS))
            raise ValueError(f"{place} has the placeholder {{{name}}}; known are {known}")


def strings(template: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Return every string of nested templates with its place."""
    if isinstance(template, str):
        yield place, template
    elif isinstance(template, Mapping | list):
        for key, inner in template.items() if isinstance(template, Mapping) else enumerate(template):
            yield from strings(inner, f"{place} {key}".strip())


def fill(template: str, values: Values, escape: Escape) -> str:
    """Return the template with its placeholders filled in. What a value says is not looked at again."""
    return _PLACEHOLDER.sub(lambda found: escape(values[found[1]]), template)


def fill_json(template: Any, values: Values) -> Any:
    """Return the value that nested templates stand for. ``"{ttl}"`` alone is a number."""
    if isinstance(template, str):
        return int(values["ttl"]) if template == "{ttl}" else fill(template, values, as_is)
    if isinstance(template, Mapping):
        return {key: fill_json(inner, values) for key, inner in template.items()}
    if isinstance(template, list):
        return [fill_json(inner, values) for inner in template]
    return template


def escape_for(content_type: str) -> Escape:
    """Return how values are written in a body of this type; in plain text, as they are."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return quote_plus
    if kind.endswith(("/json", "+json")):
        return in_json
    if kind.endswith(("/xml", "+xml")):
        return in_xml
    return as_is


def in_url(value: str) -> str:
    return quote(value, safe="")


def in_header(value: str) -> str:
    """ValueError when a value would end the header or is not ASCII."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError("not printable ASCII")
    return value


def in_json(value: str) -> str:
    """Return what stands between the quotes of a JSON string."""
    return json.dumps(value)[1:-1]


def in_xml(value: str) -> str:
    return escape(value, {'"': "&quot;", "'": "&apos;"})


def as_is(value: str) -> str:
    return value
