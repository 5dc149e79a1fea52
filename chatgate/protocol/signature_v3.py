"""What the V3 signature covers (``ACS3-…``, in the ``Authorization`` header).

::

    CanonicalRequest = METHOD \\n Path \\n CanonicalQuery \\n CanonicalHeaders \\n SignedHeaders \\n HashedPayload
    CanonicalHeaders = for each signed header: name ":" value "\\n"
    StringToSign     = ALGORITHM "\\n" hex(HASH(CanonicalRequest))
    Authorization    = ALGORITHM " Credential=" id ",SignedHeaders=" a;b;c ",Signature=" hex

Rule 1: the client's own ``SignedHeaders`` say what is signed, but they must name ``REQUIRED_HEADERS``, every
``x-acs-*`` header that is there, and ``content-type`` when there is a body.
Rule 2: the form body is covered by its hash, never by the canonical query.
Rule 3: header values are taken as sent; ``Host`` may be ``http://host:port`` when a Python caller configured it so.
Rule 4: the documentation encodes parameter names, the SDKs do not. Both are right, but the SDKs' way only for names
that cannot be read as something else. (Else the call ``A=1&B=2`` could be altered to one parameter named ``A=1&B``.)

Follows Alibaba Cloud "V3 request structure and signature".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache

import msgspec

from chatgate import errors
from chatgate.errors import INVALID_SIGNATURE_METHOD, ApiError
from chatgate.protocol import canonical, sm3
from chatgate.protocol.canonical import Pair
from chatgate.wire import HttpRequest

HMAC_SHA256 = "ACS3-HMAC-SHA256"
HMAC_SM3 = "ACS3-HMAC-SM3"
RSA_SHA256 = "ACS3-RSA-SHA256"
ALGORITHMS = frozenset({HMAC_SHA256, HMAC_SM3, RSA_SHA256})

BODY_HASH = "x-acs-content-sha256"
REQUIRED_HEADERS = ("host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", BODY_HASH)

_required = frozenset(REQUIRED_HEADERS)
_credentials = re.compile(r"Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([^,\s]+)")
_ambiguous_in_name = re.compile(r"[&=%\n]")


class Authorization(msgspec.Struct, frozen=True):
    """The ``Authorization`` header in its parts."""

    algorithm: str
    access_key_id: str
    signed_headers: str
    """Names joined by ``;``, as sent."""
    signature: str


def read_authorization(value: str) -> Authorization:
    """Return the parts of an ``Authorization`` header.

    :raises ApiError: ``INVALID_SIGNATURE_METHOD`` for an unknown algorithm, else ``INCOMPLETE_SIGNATURE``.
    """
    algorithm, _, rest = value.partition(" ")
    if algorithm not in ALGORITHMS:
        raise ApiError(INVALID_SIGNATURE_METHOD)
    parts = _credentials.fullmatch(rest.strip())
    if parts is None:
        raise errors.incomplete("Authorization must read: ALGORITHM Credential=...,SignedHeaders=...,Signature=...")
    return Authorization(algorithm, *parts.groups())


def check_signed_headers(request: HttpRequest, signed_headers: str) -> None:
    """Refuse a signature that leaves out what it must cover, or names what is not there.

    :raises ApiError: ``INCOMPLETE_SIGNATURE``.
    """
    headers = request.headers
    signed = _names(signed_headers)
    if not signed <= headers.keys():
        raise errors.incomplete("SignedHeaders names a header that the request does not have.")
    for name in headers:
        if name[:6] == "x-acs-" and name not in signed:
            raise errors.incomplete("An x-acs-* header is not signed.")
    if request.body and "content-type" not in signed:
        raise errors.incomplete("SignedHeaders lacks content-type.")


@lru_cache(maxsize=256)  # an SDK signs the same headers every time
def _names(signed_headers: str) -> frozenset[str]:
    names = signed_headers.split(";")
    signed = frozenset(names)
    if not signed >= _required:
        raise errors.incomplete(f"SignedHeaders lacks {next(n for n in REQUIRED_HEADERS if n not in signed)}.")
    if len(signed) != len(names):
        raise errors.incomplete("SignedHeaders names a header twice.")
    return signed


def canonical_requests(request: HttpRequest, signed_headers: str, *, plain: bool) -> list[str]:
    """Return the canonical request in every spelling that a correct client may have signed: one, rarely two.

    ``plain``: whether the query is (``canonical.is_plain``).
    """
    headers = request.headers
    block = "".join([f"{name}:{headers[name]}\n" for name in signed_headers.split(";")])
    tail = canonical.as_text(f"{block}\n{signed_headers}\n{headers[BODY_HASH]}")
    head = f"{request.method}\n{request.path}\n"
    in_order = canonical.in_order(request.query) if plain else None
    spellings = [in_order] if in_order is not None else _canonical_queries(sorted(canonical.pairs(request.query)))
    return [f"{head}{spelling}\n{tail}" for spelling in spellings]


def string_to_sign(algorithm: str, canonical_request: str) -> str:
    """Return the text that is signed, as the server sees it."""
    return f"{algorithm}\n{hash_hex(algorithm, canonical_request.encode())}"


def hash_hex(algorithm: str, data: bytes) -> str:
    """Return the hash that an algorithm uses for body and canonical request, in lower-case hexadecimal digits."""
    if algorithm == HMAC_SM3:
        return sm3.digest(data).hex()
    return hashlib.sha256(data).hexdigest()


def sign(algorithm: str, secret: bytes, text: str) -> str:
    """Return the signature of a string to sign, for the two HMAC algorithms."""
    if algorithm == HMAC_SM3:
        return sm3.mac(secret, text.encode()).hex()
    mac = _keyed(secret).copy()
    mac.update(text.encode())
    return mac.hexdigest()


@lru_cache(maxsize=1024)
def _keyed(secret: bytes) -> hmac.HMAC:
    """Return the HMAC that has taken in the secret: less than half the time of a new one for each call."""
    return hmac.new(secret, digestmod="sha256")


def _canonical_queries(pairs: list[Pair]) -> list[str]:
    as_sdk = canonical.query_of_plain_names(pairs)
    if canonical.names_are_plain(pairs):
        return [as_sdk]
    as_documented = canonical.query(pairs)
    if any(_ambiguous_in_name.search(name) for name, _ in pairs):
        return [as_documented]
    return [as_sdk, as_documented]
