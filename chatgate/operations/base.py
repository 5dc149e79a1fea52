"""The contract of an operation (one API ``Action``).

A module in this folder is one operation and has::

    NAME: str                          the Action
    CHANGES: bool                      whether it changes something (absent: it only reads)
    PARAMETERS: protocol.params table  from which input is validated and metadata is printed
    async def execute(call: Call, desk: Desk) -> Mapping[str, object]

``execute`` returns the fields of the answer besides ``RequestId``; it raises ``ApiError`` to refuse. What ``CHANGES``
does so in one store verb that also spends ``call.nonce``: so a replayed request finds its nonce used, and a request
that failed half-way has changed nothing. For all others the gateway spends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Protocol

import msgspec

from chatgate import operations, plugins
from chatgate.clock import Instant
from chatgate.domain.account import AccountView
from chatgate.domain.history import Page, Question
from chatgate.domain.message import Draft, RetryKey


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One authenticated, authorized, admitted call."""

    request_id: str
    account: AccountView
    access_key_id: str
    params: Mapping[str, str]
    """Business parameters as text, names as on the wire."""
    nonce: bytes
    """Key under which the request's nonce is remembered."""
    now: Instant
    idempotency_key: str | None = None
    """The ``Idempotency-Key`` header, 1 to 255 characters."""
    allowed_by: str | None = None
    """Why the policies of a RAM user allowed it, in one sentence; None: the account itself called."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where one kind of news goes."""

    sender: str
    """Empty: of all senders that have no own one."""
    kind: str
    """``status`` or ``inbound``."""
    url: str | None
    """None: nowhere."""


class Desk(Protocol):
    """What an operation may ask of the rest. The store and the dispatcher stand behind it."""

    @property
    def default_ttl(self) -> int:
        """Seconds to live of a message whose call names none."""
        ...

    async def accept(self, call: Call, draft: Draft, retry: RetryKey | None) -> str:
        """Commit the message durably, spend the nonce, and return the public MessageId.

        Raises ApiError: NONCE_USED, IDEMPOTENCY_MISMATCH, SERVICE_UNAVAILABLE. Then nothing was stored.
        """
        ...

    async def set_webhooks(self, call: Call, webhooks: Sequence[Webhook]) -> None:
        """Commit where news of the account go, and spend the nonce. Raises ApiError: NONCE_USED."""
        ...

    async def history(self, call: Call, asked: Question) -> Page:
        """Return one page of the account's past. Raises ApiError: TOO_FAR_BACK."""
        ...


def all_operations() -> dict[str, ModuleType]:
    """Return every operation of this folder by its Action."""
    return {module.NAME: module for module in plugins.modules_in(operations).values()}
