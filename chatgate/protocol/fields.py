"""Answer tables: what an operation answers, declared once. Metadata is printed from them, tests hold answers to them.

::

    RESPONSE = (
        Field("MessageId", description="The message.", example="61851ccb2f1365b16aee0001"),
        Field("Data", Kind.ARRAY, fields=(Field("PhoneNumber"), Field("SentCount", Kind.INTEGER))),
    )
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Type of a field; names as in JSON Schema."""

    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"
    """Of objects, or of texts."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an answer, or of an object in it."""

    name: str
    """As on the wire."""
    kind: Kind = Kind.STRING
    _: KW_ONLY
    description: str = ""
    example: str | int | bool = ""
    fields: tuple[Field, ...] = ()
    """Of an object, or of each object of an array; none: whatever there is."""
    of_texts: bool = False
    """An array holds texts, such as the example."""


SUCCESS = Field("Success", Kind.BOOLEAN, description="Whether the call was done.", example=True)
"""Of most operations; a refusal with HTTP 200 says false."""

ENVELOPE = (
    Field("RequestId", description="The call.", example="90E63D28-E31D-4EB2-8939-A9486641ABCD"),
    Field("Code", description="`OK`, or why the call was refused.", example="OK"),
    Field("Message", description="`OK`, or a sentence about the refusal.", example="OK"),
)
"""Of every answer, before what the operation's own table has."""


def example(fields: tuple[Field, ...]) -> dict[str, object]:
    """Return an object with the example of each field."""
    return {field.name: _example(field) for field in fields}


def _example(field: Field) -> object:
    if field.kind is Kind.OBJECT:
        return example(field.fields)
    if field.of_texts:
        return [field.example]
    return [example(field.fields)] if field.kind is Kind.ARRAY else field.example
