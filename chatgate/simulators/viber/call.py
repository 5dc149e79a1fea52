"""One send request as it came in, read without trust: any field may be missing or of the wrong kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from chatgate.clock import DAY, SECOND
from chatgate.simulators.viber.message_types import MESSAGE_TYPES, MessageType

DEFAULT_TTL = 14 * DAY
"""Milliseconds; Viber's own default."""


@dataclass(frozen=True, slots=True)
class Call:
    """The parts of a request that more than one rule asks for."""

    peer: str
    """Address of the caller."""
    body: dict[str, Any]
    """The JSON object; empty when ``malformed``."""
    malformed: bool = False

    @classmethod
    def read(cls, raw: bytes, peer: str) -> Call:
        """Read a body. What is not a JSON object becomes a malformed call, never an exception."""
        try:
            body = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return cls(peer=peer, body={}, malformed=True)
        if not isinstance(body, dict):
            return cls(peer=peer, body={}, malformed=True)
        return cls(peer=peer, body=body)

    @property
    def service_id(self) -> int | None:
        return whole_number(self.body.get("service_id"))

    @property
    def seq(self) -> int | None:
        return whole_number(self.body.get("seq"))

    @property
    def type(self) -> MessageType | None:
        number = whole_number(self.body.get("type"))
        return None if number is None else MESSAGE_TYPES.get(number)

    @property
    def number(self) -> str:
        """The recipient; empty when it is not text."""
        return text(self.body.get("dest"))

    @property
    def message(self) -> dict[str, Any]:
        message = self.body.get("message")
        return message if isinstance(message, dict) else {}

    @property
    def ttl(self) -> int:
        """Time to live in milliseconds."""
        seconds = whole_number(self.body.get("ttl"))
        return DEFAULT_TTL if seconds is None else seconds * SECOND


def whole_number(value: object) -> int | None:
    """Return ``value`` if it is a JSON whole number; ``true`` and ``1.0`` are none."""
    return value if type(value) is int else None


def text(value: object) -> str:
    """Return ``value`` if it is text, else the empty text."""
    return value if isinstance(value, str) else ""
