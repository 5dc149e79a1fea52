"""The contract of an operation (one API ``Action``).

A module in this folder is one operation and has::

    NAME: str                          the Action
    CHANGES: bool                      whether it changes something (absent: it only reads)
    CALLS_PER_SECOND: int              limit of its own, for each account (absent: only that of all calls together)
    PARAMETERS: protocol.params table  from which input is validated and metadata is printed
    RESPONSE: protocol.fields table    what it answers besides RequestId, Code and Message (absent: nothing)
    async def execute(call: Call, desk: Desk) -> Mapping[str, object]

``execute`` returns the fields of the answer besides ``RequestId``; it raises ``ApiError`` to refuse. What ``CHANGES``
does so in one store verb that also spends ``call.nonce``: so a replayed request finds its nonce used, and a request
that failed half-way has changed nothing. For all others the gateway spends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol

import msgspec

from chatgate import operations, plugins
from chatgate.clock import Instant
from chatgate.domain.account import AccountView
from chatgate.domain.history import Page, Question
from chatgate.domain.message import Draft, RetryKey
from chatgate.domain.review import AuditStatus, TemplateRecord, TemplateText
from chatgate.domain.sender_request import SenderRequest
from chatgate.domain.traffic import Period, Traffic
from chatgate.errors import NOT_OWNER, ApiError


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


def check_space(call: Call) -> None:
    """Refuse a space of another account; a call may name none. Raises ApiError: NOT_OWNER."""
    if call.params.get("CustSpaceId") and call.params["CustSpaceId"] not in call.account.spaces:
        raise ApiError(NOT_OWNER, param="CustSpaceId")


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where one kind of news goes."""

    sender: str
    """Empty: of all senders that have no own one."""
    kind: str
    """``status`` or ``inbound``."""
    url: str | None
    """None: nowhere."""


class TemplateName(msgspec.Struct, frozen=True, kw_only=True):
    """Which template of the account: by its code, its name, or both."""

    code: str | None = None
    name: str | None = None


class WantedTemplates(msgspec.Struct, frozen=True, kw_only=True):
    """Which templates of the account, and which page of them; every condition given must hold."""

    which: TemplateName
    language: str | None = None
    category: str | None = None
    status: AuditStatus | None = None
    index: int = 1
    size: int = 10


class WantedCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages are counted."""

    template_code: str
    language: str | None = None
    since: Instant
    until: Instant
    """The last millisecond that counts."""
    step: int
    """Milliseconds of one span. Spans begin at multiples of it since 1970."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages of a template, accepted in one span, came how far."""

    language: str
    start: Instant
    end: Instant
    """The last millisecond of the span."""
    sent: int
    delivered: int
    read: int


class TemplateDesk(Protocol):
    """What an operation may ask about templates. All of them are the account's own; there are no others."""

    async def create(self, call: Call, name: str, language: str, text: TemplateText) -> str:
        """Commit a template, spend the nonce, and return its code.

        Raises ApiError: NONCE_USED, TEMPLATE_NAME_EXISTS, CREATE_ERROR.
        """
        ...

    async def change(self, call: Call, which: TemplateName, language: str, text: TemplateText) -> TemplateRecord:
        """Commit new contents, spend the nonce, and return the template.

        Raises ApiError: NONCE_USED, ``InvalidParameter.TemplateCode`` (there is none, or it was approved).
        """
        ...

    async def remove(self, call: Call, which: TemplateName, language: str | None) -> None:
        """Delete a template, in all languages or in one, and spend the nonce.

        Raises ApiError: NONCE_USED, DELETE_NOT_FOUND.
        """
        ...

    async def find(self, call: Call, which: TemplateName, language: str) -> TemplateRecord | None: ...

    async def page(self, call: Call, wanted: WantedTemplates) -> tuple[list[TemplateRecord], int]:
        """Return one page, the last changed first, and how many fit in all."""
        ...

    async def counts(self, call: Call, wanted: WantedCounts) -> list[Count]:
        """Return how many messages of a template came how far. Raises ApiError: TOO_FAR_BACK."""
        ...


class SenderDesk(Protocol):
    """What an operation may ask about senders, and about what the account applied for."""

    async def file(self, call: Call, space_id: str, request_type: str, record: dict[str, Any]) -> str:
        """Commit a request, spend the nonce, and return its number. Raises ApiError: NONCE_USED, CREATE_ERROR."""
        ...

    async def revise(self, call: Call, space_id: str, request_no: str, record: dict[str, Any]) -> None:
        """Commit another record for an open request, and spend the nonce.

        Raises ApiError: NONCE_USED, ``InvalidParameter.RequestNo`` (there is none, or it is closed).
        """
        ...

    async def request(self, call: Call, request_no: str) -> SenderRequest | None: ...

    async def requests(self, call: Call) -> Sequence[SenderRequest]:
        """Return the account's requests, the last changed first."""
        ...

    async def pauses(self, call: Call) -> int:
        """Return how often senders of the account were paused."""
        ...


class SpaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a call wants of a space (an *instance* in the words of the API)."""

    space_id: str
    details: Mapping[str, str] | None
    """What its owner writes down about it; of one that is there, the rest stays. None: it is taken away."""
    most: int | None = None
    """It is new, and the account may have so many; None: it is there."""


class Desk(Protocol):
    """What an operation may ask of the rest. The store and the dispatcher stand behind it."""

    @property
    def default_ttl(self) -> int:
        """Seconds to live of a message whose call names none."""
        ...

    @property
    def templates(self) -> TemplateDesk: ...

    @property
    def senders(self) -> SenderDesk: ...

    async def accept(self, call: Call, draft: Draft, retry: RetryKey | None) -> str:
        """Commit the message durably, spend the nonce, and return the public MessageId.

        Raises ApiError: NONCE_USED, IDEMPOTENCY_MISMATCH, SERVICE_UNAVAILABLE. Then nothing was stored.
        """
        ...

    async def accept_group(self, call: Call, drafts: Sequence[Draft], retry: RetryKey | None) -> str:
        """Commit the messages of a mass sending durably, all or none, spend the nonce, and return its GroupMessageId.

        Raises ApiError as ``accept`` does.
        """
        ...

    async def set_webhooks(self, call: Call, webhooks: Sequence[Webhook]) -> None:
        """Commit where news of the account go, and spend the nonce. Raises ApiError: NONCE_USED."""
        ...

    async def listening(self, call: Call) -> Sequence[Webhook]:
        """Return where news of the account go."""
        ...

    async def change_space(self, call: Call, change: SpaceChange) -> Mapping[str, str]:
        """Commit a change of the account's spaces, spend the nonce, and return all that is written down about it now;
        the next call sees it.

        Raises ApiError: NONCE_USED, NOT_OWNER (it is gone), InvalidParameter.InstanceId (it is the last),
        InvalidParameter.InstanceName (there are too many).
        """
        ...

    async def traffic(self, call: Call, asked: Period) -> Sequence[Traffic]:
        """Return what the account sent in a period. Raises ApiError: TOO_FAR_BACK."""
        ...

    async def history(self, call: Call, asked: Question) -> Page:
        """Return one page of the account's past. Raises ApiError: TOO_FAR_BACK."""
        ...


def all_operations() -> dict[str, ModuleType]:
    """Return every operation of this folder by its Action."""
    return {module.NAME: module for module in plugins.modules_in(operations).values()}


def own_limits(operations: Mapping[str, ModuleType]) -> dict[str, int]:
    """Return the calls a second that operations allow an account, by Action, where they say so."""
    limits = {action: getattr(module, "CALLS_PER_SECOND", None) for action, module in operations.items()}
    return {action: limit for action, limit in limits.items() if limit is not None}
