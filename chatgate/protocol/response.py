"""The answer of a call on the wire: ``RequestId`` first, then what the operation returns, or the error.

Rule 1: every answer is an object with a body; official SDKs fail on an empty or foreign body.
Rule 2: a refusal with HTTP 4xx or 5xx has ``HostId`` and ``Recommend``; a validation code with HTTP 200 is shaped like
the operation's answer.
Rule 3: the content types are exact, because the Python SDK compares them as text.
Rule 4: a message is cut at ``MAX_MESSAGE`` characters. It may repeat what the caller sent (the string to sign), and
that must stay whole for any call of usual size, because the classic SDK compares it with its own.

Follows Alibaba Cloud "RPC API responses" and what the official SDKs read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from chatgate.errors import ApiError
from chatgate.protocol import canonical
from chatgate.protocol.request import Format
from chatgate.wire import HttpResponse

MAX_MESSAGE = 65_536
"""Longest message, in characters. Ours: room for the V1 string to sign of some 20 kB of parameters."""

NAMELESS = "chatgate"
"""Host of a call without a Host header."""

CONTENT_TYPES: Final = {Format.JSON: "application/json;charset=utf-8", Format.XML: "text/xml;charset=utf-8"}

_XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_NOTHING: Mapping[str, object] = {}
_element_name = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_not_xml = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2, Char
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})


def success(format: Format, action: str, request_id: str, fields: Mapping[str, object]) -> HttpResponse:
    """Return the answer of a call that was done; ``fields`` are ``Code``, ``Message`` and the operation's own."""
    return _answer(format, 200, f"{action}Response", {"RequestId": request_id, **fields}, {})


def failure(
    format: Format,
    request_id: str,
    host: str,
    error: ApiError,
    *,
    secure: bool,
    action: str = "",
    fields: Mapping[str, object] = _NOTHING,
) -> HttpResponse:
    """Return the answer of a call that was refused.

    :param host: the host that the caller spoke to. It may hold a scheme: the Python SDK sends its endpoint as it was
        configured.
    :param secure: whether the caller came over TLS. With ``host`` it makes the address of the error centre.
    :param action: the operation, once it is known; names the root element of a validation code in XML.
    :param fields: what the operation adds to a validation code, such as ``{"Success": False}``.
    """
    code, message = _sound(error.code), _sound(error.message)
    if error.http == 200:
        answer = {"RequestId": request_id, "Code": code, "Message": message, **fields}
        return _answer(format, 200, f"{action}Response", answer, error.headers)
    base_url = f"{'https' if secure else 'http'}://{host.rpartition('://')[2]}"
    recommend = f"{base_url}/console/errors?code={canonical.encode(code)}&request_id={canonical.encode(request_id)}"
    body: dict[str, object] = {
        "RequestId": request_id,
        "HostId": _sound(host),
        "Code": code,
        "Message": message,
        "Recommend": _sound(recommend),
    }
    if error.denied is not None:
        body["AccessDeniedDetail"] = {name: _sound(text) for name, text in error.denied.items()}
    return _answer(format, error.http, "Error", body, error.headers)


def _answer(
    format: Format, status: int, root: str, body: dict[str, object], headers: Mapping[str, str]
) -> HttpResponse:
    text = msgspec.json.encode(body) if format is Format.JSON else _xml(root, body)
    return HttpResponse(
        status=status,
        headers={"content-type": CONTENT_TYPES[format], "x-acs-request-id": str(body["RequestId"]), **headers},
        body=text,
    )


def _sound(text: str) -> str:
    """Return text that is bounded and can be written as UTF-8."""
    if len(text) > MAX_MESSAGE:
        text = text[:MAX_MESSAGE] + "…"
    return text.encode("utf-8", "replace").decode()


def _xml(root: str, body: Mapping[str, object]) -> bytes:
    return (_XML_HEAD + "".join(_element(root, body))).encode("utf-8", "replace")


def _element(name: str, value: object) -> Iterator[str]:
    """Yield one value as XML: a list as repeated elements, an object as nested ones, and nothing for ``None``."""
    if value is None:
        return
    if isinstance(value, list | tuple):
        for item in value:
            yield from _element(name, item)
        return
    if _element_name.fullmatch(name):
        start, end = f"<{name}>", f"</{name}>"
    else:  # a key that came from a caller's JSON and cannot be a name in XML
        start, end = f'<Entry Key="{_escape(name)}">', "</Entry>"
    yield start
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield from _element(str(key), child)
    else:
        yield _escape(str(value).lower() if isinstance(value, bool) else str(value))
    yield end


def _escape(text: str) -> str:
    return _not_xml.sub("\ufffd", text).translate(_ESCAPES)
