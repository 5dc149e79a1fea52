"""Finding a word in what a gateway says: by a dotted path in JSON, by a name in a form, by a regular expression."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from chatgate.providers.http_sms.options import Pattern
from chatgate.wire import HttpRequest

_WORD = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")
"""An id, a code or a status: printable, of a sane length. Anything else counts as not there."""


def in_reply(body: bytes, where: str | Pattern) -> str | None:
    """Return the word at a place of a reply; None when it is not there."""
    if isinstance(where, Pattern):
        found = re.search(where.regex, body.decode("utf-8", "replace"))
        return _word(found[1]) if found else None
    return at(_json(body), where)


def receipts_of(request: HttpRequest, receipt_list: str) -> list[Any]:
    """Return the receipts of a request, each as something that ``at`` can look into."""
    query = dict(parse_qsl(request.query))
    said = _json(request.body)
    if said is None:
        return [query | dict(parse_qsl(request.body.decode("utf-8", "replace")))]
    if receipt_list:
        said = _step_down(said, receipt_list)
    if isinstance(said, list):
        return said
    return [query | said] if isinstance(said, dict) else [query]


def at(said: Any, path: str) -> str | None:
    """Return the word at a path: strings, and numbers and booleans as JSON writes them."""
    value = _step_down(said, path)
    if isinstance(value, bool):
        return str(value).lower()
    return _word(str(value)) if isinstance(value, str | int) else None


def _step_down(said: Any, path: str) -> Any:
    if isinstance(said, Mapping) and path in said:
        return said[path]  # a name with dots in it
    for step in path.split("."):
        if isinstance(said, Mapping):
            said = said.get(step)
        elif isinstance(said, list) and step.isdecimal() and int(step) < len(said):
            said = said[int(step)]
        else:
            return None
    return said


def _json(body: bytes) -> Any:
    """Return what a body says in JSON, with numbers that have a point as they are written; None if it is none."""
    try:
        return json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _word(text: str | None) -> str | None:
    return text if text is not None and _WORD.fullmatch(text) else None
