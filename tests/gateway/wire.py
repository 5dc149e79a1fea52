"""Signed calls as bytes, and bytes to the process: what no HTTP client would let a test send.

A request is made once and may be sent again, altered, cut into pieces or sent with others; ``ask`` sends exactly it.
"""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from tests import signing
from tests.e2e.sandbox import PATIENCE, SENDER, SPACE

MINUTE = 60_000

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        assert self.headers["content-type"] == "application/json;charset=utf-8"
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def code(self) -> str:
        """``Code`` of a JSON answer."""
        return str(self.json["Code"])


@dataclass(frozen=True, slots=True)
class Caller:
    """Signs calls of one account for one host, each with a fresh nonce and the time of now unless said otherwise."""

    host: str
    access_key_id: str
    secret: str = ""
    """Empty: the sandbox's rule, the secret is the AccessKeyId."""

    def v3(self, params: Mapping[str, str], **more: Any) -> bytes:
        """Return a V3 call; ``more`` as ``_call`` says, the rest goes to ``signing.sign_v3``."""
        return self._call(signing.sign_v3, params, **more)

    def v1(self, params: Mapping[str, str], **more: Any) -> bytes:
        """Return a V1 call; ``more`` as ``_call`` says, the rest goes to ``signing.sign_v1``."""
        return self._call(signing.sign_v1, params, **more)

    def _call(
        self,
        sign: Callable[..., signing.Signed],
        params: Mapping[str, str],
        *,
        method: str = "POST",
        late: int = 0,
        unsigned: Mapping[str, str] = _NONE,
        piece: int = 0,
        **more: Any,
    ) -> bytes:
        """``late``: milliseconds since it was signed; ``unsigned``: more headers; ``piece`` as in ``http``."""
        moment = {"host": self.host, "now": round(time.time() * 1000) - late, "nonce": uuid.uuid4().hex}
        secret = self.secret or self.access_key_id
        target, headers, body = sign(method, params, self.access_key_id, secret, **(moment | more))
        return http(method, target, {**headers, **unsigned}, body, piece=piece)


def text(**changed: str | None) -> dict[str, str]:
    """Return the parameters of a text message; a value of None leaves the parameter out."""
    params = {
        "ChannelType": "viber", "Type": "message", "MessageType": "text", "From": SENDER, "To": "639170000000",
        "CustSpaceId": SPACE, "Label": "promotion", "Content": '{"text":"hi"}', **changed,
    }  # fmt: skip
    return {name: value for name, value in params.items() if value is not None}


def http(method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, piece: int = 0) -> bytes:
    """Return a request, its body with its length, or in chunks of ``piece`` bytes."""
    sent = dict(headers)
    if piece:
        sent["transfer-encoding"] = "chunked"
        body = _chunks(body, piece)
    elif body or method == "POST":
        sent["content-length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def ask(host: str, request: bytes) -> Reply:
    """Send one request on a connection of its own."""
    [reply] = ask_all(host, [request])
    return reply


def ask_all(host: str, requests: Sequence[bytes]) -> list[Reply]:
    """Send requests on one connection without waiting for answers, then read one answer for each."""
    address, port = host.split(":")
    with socket.create_connection((address, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(b"".join(requests))
        with connection.makefile("rb") as file:
            return [_read(file, with_body=not request.startswith(b"HEAD ")) for request in requests]


def _read(file: BinaryIO, *, with_body: bool) -> Reply:
    status = int(file.readline().split()[1])
    headers = {}
    while line := file.readline().rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = file.read(int(headers["content-length"])) if with_body else b""
    return Reply(status, headers, body)


def _chunks(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
