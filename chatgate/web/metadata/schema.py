"""Parameter rows and answer fields as JSON Schema: what Alibaba's shape and OpenAPI have in common."""

from __future__ import annotations

from typing import Any

from chatgate.protocol.fields import Field, Kind
from chatgate.protocol.params import Boolean, Choice, Integer, JsonArray, JsonObject, Parameter, String

Schema = dict[str, Any]

_UNBOUNDED = Integer("")
_INT32 = 2**31


def of_parameter(row: Parameter) -> Schema:
    """Return the schema of what a row takes. A JSON text is described as the value that it holds."""
    texts = {name: text for name, text in (("title", row.title), ("description", row.description)) if text}
    examples = {"examples": [row.read(row.example)]} if row.example else {}
    return {**texts, **_limits(row), **examples}


def _limits(row: Parameter) -> Schema:
    match row:
        case String():
            pattern = {"pattern": f"^(?:{row.pattern})$"} if row.pattern else {}
            shortest = {"minLength": row.minimum_length} if row.minimum_length else {}
            return {"type": "string", **shortest, "maxLength": row.maximum_length, **pattern}
        case Integer():
            small = row.minimum >= -_INT32 and row.maximum < _INT32
            bounds = {
                **({"minimum": row.minimum} if row.minimum != _UNBOUNDED.minimum else {}),
                **({"maximum": row.maximum} if row.maximum != _UNBOUNDED.maximum else {}),
            }
            return {"type": "integer", "format": "int32" if small else "int64", **bounds}
        case Boolean():
            return {"type": "boolean"}
        case Choice():
            return {"type": "string", "enum": [str(value) for value in row.values]}
        case JsonObject():
            return {"type": "object", **_keys(row.properties)}
        case JsonArray():
            items: Schema = {"type": "object", **_keys(row.items)} if row.items else {}
            return {"type": "array", "minItems": row.minimum_items, "maxItems": row.maximum_items, "items": items}
    raise TypeError(f"{type(row).__name__} has no schema")


def _keys(rows: tuple[Parameter, ...]) -> Schema:
    if not rows:
        return {}
    needed = [row.name for row in rows if row.required]
    return {
        "properties": {row.name: of_parameter(row) for row in rows}, **({"required": needed} if needed else {}),
    }  # fmt: skip


def of_fields(fields: tuple[Field, ...]) -> Schema:
    """Return the schema of an object of an answer."""
    return {"type": "object", "properties": {field.name: _of_field(field) for field in fields}}


def _of_field(field: Field) -> Schema:
    description = {"description": field.description} if field.description else {}
    match field.kind:
        case Kind.OBJECT:
            return {**of_fields(field.fields), **description}
        case Kind.ARRAY if field.of_texts:
            return {"type": "array", "items": {"type": "string", "examples": [field.example]}, **description}
        case Kind.ARRAY:
            return {"type": "array", "items": of_fields(field.fields), **description}
        case Kind.INTEGER:
            return {"type": "integer", "format": "int64", "examples": [field.example], **description}
    return {"type": str(field.kind), "examples": [field.example], **description}
