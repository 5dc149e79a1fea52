"""Signs requests as a caller would, for tests.

Independent of ``chatgate.protocol``: plain ``urllib``, straight from the published descriptions, so that a mistake
there is not repeated here.

Both functions return ``(target, headers, body)``: the request target to send, lower-case headers, and the body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hmac import HMAC

Signed = tuple[str, dict[str, str], bytes]

FORM = "application/x-www-form-urlencoded"


def sign_v3(
    method: str,
    params: Mapping[str, str],
    access_key_id: str,
    secret: str | RSAPrivateKey,
    *,
    host: str,
    now: int,
    nonce: str,
    body: bytes = b"",
    form: Mapping[str, str] | None = None,
    algorithm: str = "ACS3-HMAC-SHA256",
    action: str = "SendChatappMessage",
    version: str = "2020-06-06",
    headers: Mapping[str, str] | None = None,
) -> Signed:
    """Sign with the ``Authorization`` header.

    ``params`` go to the query, ``form`` to the body (or ``body``, with its ``content-type`` in ``headers``); ``now`` is
    in milliseconds. ``headers`` are signed too, and replace those that would be made.
    """
    if form is not None:
        body = urlencode(form).encode()
    signed = {
        "host": host,
        "x-acs-action": action,
        "x-acs-version": version,
        "x-acs-date": _date(now),
        "x-acs-signature-nonce": nonce,
        "x-acs-content-sha256": _hash(algorithm, body),
        **({"content-type": FORM} if form is not None else {}),
        **(headers or {}),
    }
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name].strip()}\n" for name in sorted(signed))
    query = _canonical(params)
    canonical_request = "\n".join([method, "/", query, lines, names, signed["x-acs-content-sha256"]])
    string_to_sign = f"{algorithm}\n{_hash(algorithm, canonical_request.encode())}"
    signature = _mac(algorithm, secret, string_to_sign.encode())
    authorization = f"{algorithm} Credential={access_key_id},SignedHeaders={names},Signature={signature}"
    return _target(query), {**signed, "authorization": authorization}, body


def sign_v1(
    method: str,
    params: Mapping[str, str],
    access_key_id: str,
    secret: str,
    *,
    host: str,
    now: int,
    nonce: str,
    form: Mapping[str, str] | None = None,
    action: str = "SendChatappMessage",
    version: str = "2020-06-06",
    common: Mapping[str, str] | None = None,
) -> Signed:
    """Sign with parameters. ``common`` replaces or adds common parameters (``Format``, ``SecurityToken``)."""
    query = {
        **params,
        "Action": action,
        "Version": version,
        "Format": "JSON",
        "AccessKeyId": access_key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce,
        "Timestamp": _date(now),
        **(common or {}),
    }
    string_to_sign = f"{method}&%2F&{quote(_canonical({**query, **(form or {})}), safe='')}"
    signature = hmac.new(f"{secret}&".encode(), string_to_sign.encode(), hashlib.sha1).digest()
    query["Signature"] = base64.b64encode(signature).decode()
    headers = {"host": host, **({"content-type": FORM} if form is not None else {})}
    return _target(_canonical(query)), headers, urlencode(form or {}).encode()


def _target(query: str) -> str:
    return f"/?{query}" if query else "/"


def _canonical(params: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(params[name], safe='')}" for name in sorted(params))


def _date(now: int) -> str:
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hash(algorithm: str, data: bytes) -> str:
    context = hashes.Hash(hashes.SM3() if "SM3" in algorithm else hashes.SHA256())
    context.update(data)
    return context.finalize().hex()


def _mac(algorithm: str, secret: str | RSAPrivateKey, data: bytes) -> str:
    if isinstance(secret, RSAPrivateKey):
        return secret.sign(data, PKCS1v15(), hashes.SHA256()).hex()
    context = HMAC(secret.encode(), hashes.SM3() if "SM3" in algorithm else hashes.SHA256())
    context.update(data)
    return context.finalize().hex()
