"""What the V1 signature covers (RPC style, ``SignatureVersion=1.0``, HMAC-SHA1).

::

    CanonicalizedQuery = sorted by name: enc(name)=enc(value) joined "&", over query and form, without Signature
    StringToSign       = METHOD & enc("/") & enc(CanonicalizedQuery)
    Signature          = base64(HMAC-SHA1(secret + "&", StringToSign))

Rule: nothing outside of the parameters is signed. So every common parameter, Action and Version must be parameters,
and a body that is not a form must be empty.

Follows Alibaba Cloud "RPC API signature".
"""

from __future__ import annotations

import base64
import hmac

from chatgate import errors
from chatgate.errors import INVALID_SIGNATURE_METHOD, ApiError
from chatgate.protocol import canonical
from chatgate.protocol.request import FORM, RpcRequest, media_type
from chatgate.wire import HttpRequest

ALGORITHM = "HMAC-SHA1"

COMMON_PARAMETERS = (
    "AccessKeyId",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "Timestamp",
    "Signature",
    "Action",
    "Version",
)
"""What must be given and not blank, in the order in which it is asked for."""


def check(request: HttpRequest, rpc: RpcRequest) -> None:
    """Refuse a call whose V1 signature is not all there or cannot cover the whole call.

    :raises ApiError: ``MISSING``, ``INVALID_SIGNATURE_METHOD`` or ``INCOMPLETE_SIGNATURE``.
    """
    given = rpc.given
    for name in COMMON_PARAMETERS:
        if not given.get(name):
            raise errors.missing(name)
    if given["SignatureMethod"] != ALGORITHM or given["SignatureVersion"] != "1.0" or given.get("SignatureType"):
        raise ApiError(INVALID_SIGNATURE_METHOD)
    if request.body and media_type(request) != FORM:
        raise errors.incomplete("SignatureVersion 1.0 covers a form body only.")


def string_to_sign(request: HttpRequest, rpc: RpcRequest) -> str:
    """Return the text that is signed, as the server sees it."""
    pairs = sorted((name, value) for name, value in rpc.given.items() if name != "Signature")
    query = canonical.encode_again(canonical.query(pairs))
    return f"{request.method}&{canonical.encode(request.path)}&{query}"


def sign(secret: bytes, text: str) -> str:
    """Return the signature of a string to sign."""
    return base64.b64encode(hmac.digest(secret + b"&", text.encode(), "sha1")).decode()
