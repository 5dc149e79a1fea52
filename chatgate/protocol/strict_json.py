"""JSON from strangers: strict, and never deeper than ``MAX_DEPTH``.

Rule 1: depth is measured before the decoder runs, so that no text can exhaust the stack.
Rule 2: what is wrong is a ``ValueError`` whose sentence a caller may read; it names positions, never content.
Rule 3: of two members with the same name the last one wins; all of the text is signed, so nobody can slip one in. The
members of a body are parameters, though, and one name has one value.
Rule 4: NUL is refused even as ``\\u0000``: PostgreSQL cannot store it.

Follows RFC 8259. Lone surrogates, ``NaN``, comments and trailing text are refused by the decoder.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar

import msgspec

MAX_DEPTH = 32
"""Most objects and arrays inside each other. Ours; a Viber template has four."""

Shape = TypeVar("Shape")

_string = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # possessive, end optional: linear on any text
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")

_object = msgspec.json.Decoder(dict[str, Any])
_array = msgspec.json.Decoder(list[Any])
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


def read_object(text: str) -> dict[str, Any]:
    """Return a JSON object.

    :raises ValueError: not one JSON object, too deep, or holding a NUL.
    """
    return _decode(_object, text.encode(), "object")


def read_array(text: str) -> list[Any]:
    """Return a JSON array.

    :raises ValueError: not one JSON array, too deep, or holding a NUL.
    """
    return _decode(_array, text.encode(), "array")


def read_members(body: bytes) -> dict[str, str]:
    """Return the members of a JSON object as text: a string as itself, anything else as its JSON spelling, no nulls.

    :raises ValueError: not one JSON object, too deep, holding a NUL, or not UTF-8.
    """
    spelled = {name: bytes(raw) for name, raw in _decode(_members, body, "object").items()}
    if len(spelled) != len(json.loads(body, object_pairs_hook=list)):
        raise ValueError("A name is given more than once.")
    return {
        name: _decode(_text, raw, "string") if raw.startswith(b'"') else raw.decode()
        for name, raw in spelled.items()
        if raw != b"null"
    }


def _decode(decoder: msgspec.json.Decoder[Shape], text: bytes, kind: str) -> Shape:
    if _too_deep(text):
        raise ValueError(f"JSON must not be nested more than {MAX_DEPTH} deep.")
    if b"\\u0000" in text.replace(b"\\\\", b""):
        raise ValueError("JSON must not hold a NUL character.")
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise ValueError(f"It must be a JSON {kind}: {error}.") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"It must be a JSON {kind}. {error}.") from None


def _too_deep(text: bytes) -> bool:
    """Peel off the innermost level until nothing is left. Brackets that do not match are left, and so too deep."""
    if text.count(b"[") + text.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _string.sub(b"", text).translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
