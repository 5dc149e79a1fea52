"""The API in the shape of Alibaba Cloud's ``api-docs.json``, as its portal and generators read it.

Seen in the published metadata of ``cams``: numbers of limits are texts, ``operationType`` is ``read`` for all (what an
operation does is in its ``systemTags``), ``responseDemo`` is a JSON text, and every operation names the same four
errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chatgate.errors import LIMIT_CONTROL, NOT_OWNER, PERMISSION_DENIED, UNSUBSCRIBED
from chatgate.protocol import fields, response
from chatgate.protocol.params import JsonArray, JsonObject, Parameter
from chatgate.protocol.request import Format
from chatgate.web.metadata import schema
from chatgate.web.metadata.described import Described
from chatgate.web.metadata.schema import Schema

PRODUCT, VERSION, STYLE = "cams", "2020-06-06", "RPC"
TITLE = "Chat App Message Service"
REGION = "ap-southeast-1"
"""The one that the product has; callers may name it, nothing depends on it."""

_ERRORS = [
    {"errorCode": row.code, "errorMessage": row.message}
    for row in (UNSUBSCRIBED, PERMISSION_DENIED, LIMIT_CONTROL, NOT_OWNER)
]
_KINDS = {"Get": "get", "Query": "get", "List": "list", "Update": "update", "Modify": "update", "Delete": "delete"}


def products() -> list[dict[str, Any]]:
    """Return ``products.json``."""
    return [{"code": PRODUCT, "name": TITLE, "versions": [VERSION], "defaultVersion": VERSION, "style": STYLE}]


def api_docs(operations: Sequence[Described], host: str) -> dict[str, Any]:
    """Return ``api-docs.json``: all operations. ``host``: where the caller found this server."""
    names = [operation.name for operation in operations]
    return {
        "version": "1.0",
        "info": {"style": STYLE, "product": PRODUCT, "version": VERSION},
        "directories": [{"id": 1, "title": TITLE, "type": "directory", "children": names}],
        "components": {"schemas": {}},
        "apis": {operation.name: api(operation) for operation in operations},
        "endpoints": [{"regionId": REGION, "endpoint": host}],
    }


def api(operation: Described) -> dict[str, Any]:
    """Return ``api.json``: one operation."""
    return {
        "title": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "methods": ["get", "post"],
        "schemes": ["http", "https"],
        "security": [{"AK": []}],
        "operationType": "read",
        "deprecated": False,
        "staticInfo": {"returnType": "synchronous"},
        "systemTags": {"operationType": _kind(operation.name), "abilityTreeCode": "", "abilityTreeNodes": []},
        "parameters": [_parameter(row) for row in operation.parameters],
        "responses": {"200": {"headers": {}, "schema": _spelled(schema.of_fields(operation.response))}},
        "errorCodes": {"400": _ERRORS},
        "responseDemo": _demo(operation),
    }


def _kind(name: str) -> str:
    return next((kind for prefix, kind in _KINDS.items() if name.startswith(prefix)), "create")


def _parameter(row: Parameter) -> dict[str, Any]:
    is_json = isinstance(row, JsonObject | JsonArray)
    return {
        "name": row.name,
        "in": "query",
        **({"style": "json"} if is_json else {}),
        "allowEmptyValue": not row.required,
        "schema": {**_spelled(schema.of_parameter(row)), "required": row.required, "docRequired": row.required},
    }


def _spelled(found: Schema) -> Schema:
    """Return a schema as Alibaba spells it: limits of numbers and the example as texts, ``required`` at each key."""
    spelled: Schema = dict(found)
    needed = spelled.pop("required", ())
    for limit in ("minimum", "maximum"):
        if limit in spelled:
            spelled[limit] = str(spelled[limit])
    if "examples" in spelled:
        spelled["example"] = _text(spelled.pop("examples")[0])
    if "items" in spelled:
        spelled["items"] = _spelled(spelled["items"])
    if "properties" in spelled:
        keys: dict[str, Schema] = spelled["properties"]
        spelled["properties"] = {name: {**_spelled(key), "required": name in needed} for name, key in keys.items()}
    return spelled


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _demo(operation: Described) -> str:
    request_id, code, message, *own = operation.response
    answer = fields.example((code, message, *own))
    texts = {
        format.lower(): response.success(format, operation.name, str(request_id.example), answer).body.decode()
        for format in Format
    }
    demos = [{"type": type, "example": text, "errorExample": ""} for type, text in texts.items()]
    return msgspec.json.encode(demos).decode()
