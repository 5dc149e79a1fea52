"""The API as OpenAPI 3.1.

All operations are answered on ``/``, and OpenAPI tells operations apart by their paths: so Action and Version stand in
the path as a query, which a client that joins server and path sends as it should. A signature cannot be described, only
named: whoever generates a client adds the signing.

Source: OpenAPI Specification 3.1.0; a JSON text in a form is an ``encoding`` with ``contentType: application/json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chatgate.protocol.fields import Field
from chatgate.protocol.params import JsonArray, JsonObject
from chatgate.protocol.request import FORM
from chatgate.web.metadata import schema
from chatgate.web.metadata.alibaba import TITLE, VERSION
from chatgate.web.metadata.described import Described

_SCHEMES = {
    "ACS3": {
        "type": "apiKey", "in": "header", "name": "Authorization",
        "description": "Signature V3 of Alibaba Cloud: `ACS3-HMAC-SHA256`, `ACS3-HMAC-SM3` or `ACS3-RSA-SHA256`, with"
        " the headers `x-acs-action`, `x-acs-version`, `x-acs-date`, `x-acs-signature-nonce`, `x-acs-content-sha256`.",
    },
    "V1": {
        "type": "apiKey", "in": "query", "name": "Signature",
        "description": "Signature V1 of Alibaba Cloud: `HMAC-SHA1`, with the parameters `AccessKeyId`, `Timestamp`,"
        " `SignatureNonce`, `SignatureMethod`, `SignatureVersion`.",
    },
    "BEARER": {
        "type": "apiKey", "in": "header", "name": "x-acs-bearer-token",
        "description": "A bearer token, with the headers `x-acs-date` and `x-acs-signature-nonce`; over TLS only.",
    },
}  # fmt: skip

_REFUSAL = (
    Field("RequestId", description="The call."),
    Field("HostId", description="The host that was called."),
    Field("Code", description="Why it was refused."),
    Field("Message", description="A sentence about it."),
    Field("Recommend", description="Where more is said."),
)


def document(operations: Sequence[Described], url: str) -> dict[str, Any]:
    """Return the document. ``url``: where the caller found this server."""
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": VERSION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": url}],
        "security": [{name: []} for name in _SCHEMES],
        "paths": {
            f"/?Action={operation.name}&Version={VERSION}": {"post": _operation(operation)} for operation in operations
        },
        "components": {
            "securitySchemes": _SCHEMES,
            "schemas": {"Refusal": schema.of_fields(_REFUSAL)},
            "responses": {"Refused": _content("The call was refused.", {"$ref": "#/components/schemas/Refusal"})},
        },
    }


def _operation(operation: Described) -> dict[str, Any]:
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        **_body(operation),
        "responses": {
            "200": _content(
                "Done if `Code` is `OK`; else refused, and `Code` says why.", schema.of_fields(operation.response)
            ),
            "default": {"$ref": "#/components/responses/Refused"},
        },
    }


def _body(operation: Described) -> dict[str, Any]:
    if not operation.parameters:
        return {}
    needed = [row.name for row in operation.parameters if row.required]
    encoding = {
        row.name: {"contentType": "application/json"}
        for row in operation.parameters
        if isinstance(row, JsonObject | JsonArray)
    }
    form = {
        "type": "object",
        "properties": {row.name: schema.of_parameter(row) for row in operation.parameters},
        **({"required": needed} if needed else {}),
    }
    content = {FORM: {"schema": form, **({"encoding": encoding} if encoding else {})}}
    return {"requestBody": {"required": bool(needed), "content": content}}


def _content(description: str, of: schema.Schema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": of}}}
