"""Who signed a call, and whether that is true. The only entry to both signature schemes.

Rule 1: deny by default. ``verify`` returns only when a signature matched; every other way out is an ``ApiError``.
Rule 2: credentials come from one place: ``Authorization``, or a ``Signature`` parameter, or a bearer token.
Rule 3: a key verifies the algorithms that it was made for, and no others.
Rule 4: an unknown access key costs the same work as a wrong signature: verify with ``DUMMY_KEY``, then refuse.

What each scheme covers is in ``signature_v1`` and ``signature_v3``. Time window, nonces and keys belong to the gateway.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from chatgate import errors
from chatgate.clock import Instant
from chatgate.domain.account import KeyKind
from chatgate.errors import (
    BODY_HASH_MISMATCH,
    INVALID_SIGNATURE_METHOD,
    MALFORMED_BEARER_TOKEN,
    MALFORMED_TIMESTAMP,
    SIGNATURE_MISMATCH,
    ApiError,
)
from chatgate.protocol import signature_v1, signature_v3
from chatgate.protocol.request import RpcRequest
from chatgate.wire import HttpRequest

MAX_NONCE = 256
"""Longest nonce and longest access key id, in characters. Ours; SDKs send 32 and some 24."""

_timestamp = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)
_hex = re.compile(r"(?:[0-9a-f]{2})+")


class Scheme(StrEnum):
    """How a call proves who it is from."""

    V1 = "V1"
    V3 = "V3"
    BEARER = "BEARER"


_ALGORITHMS = {
    KeyKind.HMAC: frozenset({signature_v1.ALGORITHM, signature_v3.HMAC_SHA256, signature_v3.HMAC_SM3}),
    KeyKind.RSA: frozenset({signature_v3.RSA_SHA256}),
}


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """What verifies the signatures of one access key: a secret, or a public key. Never printed."""

    kind: KeyKind
    secret: bytes = field(default=b"", repr=False)
    public_key: RSAPublicKey | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.kind is KeyKind.HMAC) != bool(self.secret) or (self.kind is KeyKind.RSA) != bool(self.public_key):
            raise ValueError("Key material is a secret (HMAC) or a public key (RSA).")


DUMMY_KEY = KeyMaterial(KeyKind.HMAC, b"no such access key, the same work")
"""Stands in for the key of an unknown access key id; the caller refuses the call whatever ``verify`` says."""


def rsa_key(pem: bytes) -> KeyMaterial:
    """Return the key material of an RSA public key in PEM.

    :raises ValueError: not a PEM public key, or not an RSA key.
    """
    public_key = load_pem_public_key(pem)
    if not isinstance(public_key, RSAPublicKey):
        raise ValueError("The public key is not an RSA key.")
    return KeyMaterial(KeyKind.RSA, public_key=public_key)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a call says about its sender. Nothing of it is true before ``verify`` returned."""

    scheme: Scheme
    algorithm: str = ""
    access_key_id: str = ""
    signature: str = ""
    signed_at: Instant = 0
    """The signed time; beside a bearer token it is only said."""
    nonce: str = ""
    security_token: str | None = None
    """Token of temporary credentials (STS), signed like the rest."""
    bearer_token: str | None = None
    signed_headers: str = ""
    request: HttpRequest
    rpc: RpcRequest

    def __repr__(self) -> str:  # signatures and tokens stay out of logs
        return f"Claim({self.scheme}, {self.algorithm}, {self.access_key_id!r})"


def read_claim(request: HttpRequest, rpc: RpcRequest) -> Claim:
    """Return who the call says it is from.

    :raises ApiError: ``MISSING``, ``INCOMPLETE_SIGNATURE``, ``INVALID_SIGNATURE_METHOD`` or ``MALFORMED_TIMESTAMP``.
    """
    authorized = "authorization" in request.headers
    signed = "Signature" in rpc.given
    bearer = (
        "x-acs-bearer-token" in request.headers
        or "BearerToken" in rpc.given
        or rpc.given.get("SignatureType") == "BEARERTOKEN"
    )
    if authorized + signed + bearer > 1:
        raise errors.incomplete("Credentials must be given in one place only.")
    if bearer:
        return _bearer_claim(request, rpc)
    return _v3_claim(request, rpc) if authorized else _v1_claim(request, rpc)


def verify(claim: Claim, key: KeyMaterial) -> None:
    """Return if the key made the signature of the claim.

    :raises ApiError: ``INVALID_SIGNATURE_METHOD`` when the key is not made for the algorithm, ``BODY_HASH_MISMATCH``,
        ``SIGNATURE_MISMATCH`` with the server's string to sign, ``MALFORMED_BEARER_TOKEN`` for a bearer claim.
    """
    if claim.scheme is Scheme.BEARER:
        raise ApiError(MALFORMED_BEARER_TOKEN)  # it signs nothing: no key verifies it
    if claim.algorithm not in _ALGORITHMS[key.kind]:
        raise ApiError(INVALID_SIGNATURE_METHOD)
    try:
        if claim.scheme is Scheme.V3:
            _verify_v3(claim, key)
        else:
            _verify_v1(claim, key)
    except UnsupportedAlgorithm:  # ``cryptography`` built against an OpenSSL without SM3
        raise ApiError(INVALID_SIGNATURE_METHOD) from None


def _bearer_claim(request: HttpRequest, rpc: RpcRequest) -> Claim:
    in_header, in_params = request.headers.get("x-acs-bearer-token"), rpc.given.get("BearerToken")
    token = in_header or in_params
    if not token:
        raise errors.missing("BearerToken")
    if in_header and in_params:
        raise errors.incomplete("Credentials must be given in one place only.")
    nonce = request.headers.get("x-acs-signature-nonce") or rpc.given.get("SignatureNonce")
    date = request.headers.get("x-acs-date") or rpc.given.get("Timestamp")
    if not nonce or not date:
        raise errors.incomplete("A bearer token needs a time and a nonce beside it.")
    return Claim(
        scheme=Scheme.BEARER, bearer_token=token, nonce=_bounded(nonce, "SignatureNonce"), signed_at=_instant(date),
        request=request, rpc=rpc,
    )  # fmt: skip


def _v3_claim(request: HttpRequest, rpc: RpcRequest) -> Claim:
    headers = request.headers
    authorization = signature_v3.read_authorization(headers["authorization"])
    signature_v3.check_signed_headers(request, authorization.signed_headers)
    access_key_id = _bounded(authorization.access_key_id, "Credential")
    if headers.get("x-acs-accesskey-id", access_key_id) != access_key_id:
        raise errors.incomplete("Credential and x-acs-accesskey-id differ.")
    return Claim(
        scheme=Scheme.V3,
        algorithm=authorization.algorithm,
        access_key_id=access_key_id,
        signature=authorization.signature,
        nonce=_bounded(headers["x-acs-signature-nonce"], "x-acs-signature-nonce"),
        signed_at=_instant(headers["x-acs-date"]),
        security_token=headers.get("x-acs-security-token") or None,
        signed_headers=authorization.signed_headers,
        request=request,
        rpc=rpc,
    )


def _v1_claim(request: HttpRequest, rpc: RpcRequest) -> Claim:
    signature_v1.check(request, rpc)
    given = rpc.given
    return Claim(
        scheme=Scheme.V1,
        algorithm=signature_v1.ALGORITHM,
        access_key_id=_bounded(given["AccessKeyId"], "AccessKeyId"),
        signature=given["Signature"],
        nonce=_bounded(given["SignatureNonce"], "SignatureNonce"),
        signed_at=_instant(given["Timestamp"]),
        security_token=given.get("SecurityToken") or None,
        request=request,
        rpc=rpc,
    )


def _bounded(text: str, name: str) -> str:
    if not text or len(text) > MAX_NONCE or not text.isprintable():
        raise errors.incomplete(f"{name} must have 1 to {MAX_NONCE} printable characters.")
    return text


@lru_cache(maxsize=128)  # the calls of a moment carry the same few seconds
def _instant(text: str) -> Instant:
    if _timestamp.fullmatch(text) is None:
        raise ApiError(MALFORMED_TIMESTAMP)
    try:
        return int(datetime.fromisoformat(text).timestamp()) * 1000
    except ValueError:  # 30 February
        raise ApiError(MALFORMED_TIMESTAMP) from None


def _verify_v3(claim: Claim, key: KeyMaterial) -> None:
    request, algorithm = claim.request, claim.algorithm
    body_hash = signature_v3.hash_hex(algorithm, request.body)
    if not _same(body_hash, request.headers[signature_v3.BODY_HASH].lower()):
        raise ApiError(BODY_HASH_MISMATCH)
    spellings = signature_v3.canonical_requests(request, claim.signed_headers, plain=claim.rpc.plain)
    for canonical_request in spellings:
        text = signature_v3.string_to_sign(algorithm, canonical_request)
        if _matches(claim, key, text):
            return
    text = signature_v3.string_to_sign(algorithm, spellings[0])
    raise ApiError(
        SIGNATURE_MISMATCH,
        f"Specified signature does not match our calculation. server StringToSign is [{text}]"
        f" server CanonicalRequest is [{spellings[0]}]",
    )


def _verify_v1(claim: Claim, key: KeyMaterial) -> None:
    text = signature_v1.string_to_sign(claim.request, claim.rpc)
    if not _same(signature_v1.sign(key.secret, text), claim.signature):
        # The classic SDK splits this sentence at its colon and compares what follows with its own string to sign.
        message = f"Specified signature is not matched with our calculation. server string to sign is:{text}"
        raise ApiError(SIGNATURE_MISMATCH, message)


def _matches(claim: Claim, key: KeyMaterial, text: str) -> bool:
    if key.public_key is None:
        return _same(signature_v3.sign(claim.algorithm, key.secret, text), claim.signature)
    if _hex.fullmatch(claim.signature) is None:
        return False
    try:
        key.public_key.verify(bytes.fromhex(claim.signature), text.encode(), PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _same(ours: str, theirs: str) -> bool:
    """Compare in constant time; a text that is not exactly ours, of whatever length or alphabet, is just different."""
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))
