"""The built-in customer endpoint: where a sandbox account is told what became of its messages, from its birth on.

It verifies nothing, answers what customers are documented to answer, and keeps what it heard in memory, to be looked
at. An account that names an endpoint of its own (``UpdateAccountWebhook``) is told there instead.

Its stored address has a host that leads nowhere: the sandbox's own changes with its port, and is put in at each call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from chatgate.clock import Clock, Instant, as_text

CALLBACKS = "/sandbox/callbacks"
"""Path of the endpoint."""
MOST = 1000
"""Calls kept for an account; older ones are forgotten."""

ANSWER: Mapping[str, object] = {"code": 0, "msg": "Success"}
"""The answer to every call (CAMS, "Configure message receipts")."""

_NOWHERE = "http://sandbox.invalid"


def address(account: str) -> str:
    """Return the address that is stored as an account's endpoint."""
    return f"{_NOWHERE}{CALLBACKS}?account={quote(account, safe='')}"


def resolved(url: str, own_url: str) -> str:
    """Return where to call for a stored address; ``own_url`` is that of this node."""
    return own_url + url.removeprefix(_NOWHERE) if url.startswith(f"{_NOWHERE}/") else url


class _Call(msgspec.Struct, frozen=True, kw_only=True):
    received_at: Instant
    headers: Mapping[str, str]
    body: msgspec.Raw | str


class Customer:
    """What the endpoint heard, account by account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[str, deque[_Call]] = {}

    def hear(self, account: str, headers: Mapping[str, str], body: bytes) -> None:
        """Keep one call."""
        call = _Call(received_at=self._clock.now(), headers=headers, body=_as_json(body))
        self._calls.setdefault(account, deque(maxlen=MOST)).appendleft(call)

    def heard(self, account: str) -> list[dict[str, object]]:
        """Return the calls of an account, newest first."""
        return [
            {"received_at": as_text(call.received_at), "headers": call.headers, "body": call.body}
            for call in self._calls.get(account, ())
        ]


def _as_json(body: bytes) -> msgspec.Raw | str:
    """Return a body as it came; where it is no JSON, as a text."""
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace")
    return msgspec.Raw(body)
