"""Requests recorded from the official SDKs (``signature_vectors.json``) as values, and ways to hand one in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from chatgate.domain.account import KeyKind
from chatgate.protocol import request as rpc_request
from chatgate.protocol import signature
from chatgate.protocol.signature import KeyMaterial
from chatgate.wire import HttpRequest

_document = json.loads((Path(__file__).parent / "signature_vectors.json").read_text("utf-8"))

VECTORS: list[dict[str, Any]] = _document["vectors"]
VALID = [vector for vector in VECTORS if "string_to_sign" in vector]
WRONG = [vector for vector in VECTORS if "error" in vector]
BEARER = [vector for vector in VECTORS if "bearer_token" in vector]


def vector(name: str) -> dict[str, Any]:
    """Return the recording with this id."""
    return next(vector for vector in VECTORS if vector["id"] == name)


def http(method: str, target: str, headers: dict[str, str], body: bytes | str = b"") -> HttpRequest:
    """Return a request as the edge would hand it in."""
    path, _, query = target.partition("?")
    raw = body.encode() if isinstance(body, str) else body
    return HttpRequest(method=method, path=path, query=query, headers=headers, body=raw)


def recorded(vector: dict[str, Any]) -> HttpRequest:
    """Return the request of a recording."""
    return http(vector["method"], vector["target"], vector["headers"], vector["body"])


def key_of(vector: dict[str, Any]) -> KeyMaterial:
    """Return what verifies a recording."""
    if vector["key"] == "rsa":
        return signature.rsa_key(_document["rsa_public_key_pem"].encode())
    return secret_key(vector["key"])


def secret_key(secret: str) -> KeyMaterial:
    """Return the key material of an ordinary access key."""
    return KeyMaterial(KeyKind.HMAC, secret.encode())


def pass_through(request: HttpRequest, key: KeyMaterial) -> signature.Claim:
    """Take a request the whole way: read, claim, verify."""
    claim = signature.read_claim(request, rpc_request.read(request))
    signature.verify(claim, key)
    return claim
