"""An HTTP request read as one RPC call: operation, version, format and parameters.

Rule 1: query and body are one set of parameters. Clients put them where they like: everything in the query (Python
SDK 5), most in a form (JS SDK), everything in a form (pop-core), or a JSON object.
Rule 2: one name has one value. The same value twice is harmless, two values are refused; header and parameter agree.
Rule 3: a blank value is kept, because it is signed; ``params`` reads it as "not given".

Follows Alibaba Cloud "RPC API request structure" and what the official SDKs send.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chatgate import errors
from chatgate.errors import AMBIGUOUS, BAD_REQUEST, INVALID_FORMAT, ApiError
from chatgate.protocol import canonical, strict_json
from chatgate.protocol.canonical import MAX_PARAMETERS, Pair
from chatgate.protocol.flattened import unflatten
from chatgate.wire import HttpRequest

MAX_NAME = 256
"""Longest name of a parameter, in characters. Ours."""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_SIGNATURE = {"Signature", "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion", "Timestamp"}
_CREDENTIALS = {"AccessKeyId", "SecurityToken", "BearerToken"}
_UNASKED = {"RegionId", "OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount"}

SYSTEM_PARAMETERS = frozenset({"Action", "Version", "Format"} | _SIGNATURE | _CREDENTIALS | _UNASKED)
"""What never reaches an operation: common parameters of every RPC product, and those that SDKs add unasked."""


class Format(StrEnum):
    """How the answer is written."""

    JSON = "JSON"
    XML = "XML"


class RpcRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One call, read but not yet believed."""

    action: str
    version: str
    format: Format
    params: dict[str, str]
    """Parameters of the operation; flattened ones folded."""
    plain: bool
    """Whether the query is plain (``canonical.is_plain``)."""
    given: dict[str, str]
    """Every parameter of query and body, the system's included: what V1 signs."""


def read(request: HttpRequest) -> RpcRequest:
    """Return the call that a request carries.

    :raises ApiError: in this order: ``BAD_REQUEST``, ``INVALID_FORMAT``, ``MISSING`` (Action, Version), ``AMBIGUOUS``.
    """
    if request.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise ApiError(BAD_REQUEST, "A content encoding is not supported.")
    plain = canonical.is_plain(request.query)
    sent: list[Pair] = []
    given = canonical.mapping(request.query) if plain and not request.body else None
    if given is None:
        sent = _pairs(request)
        given = dict(sent)
    format = _format(given)
    action = _required(request, given, "x-acs-action", "Action")
    version = _required(request, given, "x-acs-version", "Version")
    _check_agreement(request, sent, given)
    params = given
    if not SYSTEM_PARAMETERS.isdisjoint(given):
        params = {name: value for name, value in given.items() if name not in SYSTEM_PARAMETERS}
    if sent and "." in "".join(params):  # a plain query has no such names
        params = unflatten(params)
    return RpcRequest(action=action, version=version, format=format, params=params, plain=plain, given=given)


def format_of(request: HttpRequest) -> Format:
    """Return the format in which to refuse a request that ``read`` could not read. Never raises.

    Looks at the raw query and form only: whoever asks for XML writes ``Format=XML`` plainly.
    """
    form = request.body.decode("latin-1") if media_type(request) == FORM else ""
    for part in f"{request.query}&{form}".split("&"):
        if part[:7] == "Format=":
            return Format.XML if part[7:].upper() == "XML" else Format.JSON
    return Format.JSON


def media_type(request: HttpRequest) -> str:
    """Return the content type in lower case, without its parameters; empty when there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _pairs(request: HttpRequest) -> list[Pair]:
    """Return what query and body hold."""
    pairs = canonical.pairs(request.query) + _body_pairs(request)
    if len(pairs) > MAX_PARAMETERS:
        raise ApiError(BAD_REQUEST, f"The request has more than {MAX_PARAMETERS} parameters.")
    if any(len(name) > MAX_NAME for name, _ in pairs):
        raise ApiError(BAD_REQUEST, f"A parameter name is longer than {MAX_NAME} characters.")
    return pairs


def _body_pairs(request: HttpRequest) -> list[Pair]:
    if not request.body:
        return []
    kind = media_type(request)
    if kind == FORM:
        return canonical.pairs(request.body.decode("latin-1"))
    if kind != JSON:
        raise ApiError(BAD_REQUEST, f"The body must be {FORM} or {JSON}.")
    try:
        members = strict_json.read_members(request.body)
    except ValueError as error:
        raise ApiError(BAD_REQUEST, f"The body is not usable. {error}") from None
    return list(members.items())


def _format(given: dict[str, str]) -> Format:
    match given.get("Format", "").upper():
        case "" | "JSON":
            return Format.JSON
        case "XML":
            return Format.XML
    raise ApiError(INVALID_FORMAT)


def _required(request: HttpRequest, given: dict[str, str], header: str, name: str) -> str:
    value = request.headers.get(header) or given.get(name)
    if not value:
        raise errors.missing(name)
    return value


def _check_agreement(request: HttpRequest, sent: list[Pair], given: dict[str, str]) -> None:
    """Refuse a parameter with two values, wherever they are written."""
    if len(sent) > len(given):
        for name, value in sent:
            if given[name] != value:
                raise ApiError(AMBIGUOUS, param=name)
    for header, name in (("x-acs-action", "Action"), ("x-acs-version", "Version")):
        if name in given and request.headers.get(header, given[name]) != given[name]:
            raise ApiError(AMBIGUOUS, param=name)
