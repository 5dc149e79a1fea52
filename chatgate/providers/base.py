"""The contract of a provider: one upstream company or API that carries messages for one or more channels.

A module in this folder is one provider kind (its name is ``kind`` in ``chatgate.toml``) and has::

    CHANNELS: frozenset[str]
    def build(name: str, settings: ProviderSettings, outbound: Outbound) -> Provider

A provider is pure but for one I/O call: ``encode`` and ``decode`` are plain functions, ``HttpProvider.send`` puts them
around a request. A provider never sees the store: it answers with values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

import msgspec
import structlog
from msgspec import Meta

from chatgate.clock import Instant
from chatgate.domain.message import Message, Outcome, SendResult
from chatgate.domain.receipt import News
from chatgate.errors import ChatgateError, SettingError
from chatgate.outbound import NotSent, Outbound, ReplyLost
from chatgate.wire import HttpRequest, HttpResponse

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading JSON from outside can raise; the last one when it is nested too deep."""

log = structlog.get_logger(__name__)


class UnreadableReceipt(ChatgateError):
    """A request at the receipts address is not a receipt of this provider. It is refused, nothing is stored."""


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One ``[providers.NAME]`` section."""

    kind: str
    """A module of this folder: `viber_partner`, `smpp`, `http_sms`."""
    url: Annotated[str, Meta(pattern=r"^[a-z]+://[^/?#\s]+\S*\Z")]
    """Where it is reached."""
    receipts_secret: Annotated[str, Meta(min_length=16, pattern=r"^[A-Za-z0-9._~-]*\Z")]
    """The unguessable part of the provider's receipts address, in characters that a path can hold."""
    receipts_from: tuple[str, ...] = ()
    """Networks that receipts may come from; empty: any."""
    max_in_flight: Annotated[int, Meta(ge=1, le=1000)] = 64
    """Requests open at one time."""
    rate: Annotated[int, Meta(ge=0, le=100_000)] = 0
    """Requests a second; 0: as fast as they are answered."""
    reply_timeout: Annotated[float, Meta(ge=0.1, le=300)] = 20.0
    """Seconds until a request without a reply counts as lost."""
    options: Mapping[str, Any] = {}
    """What only this kind knows."""


def refuse_options(name: str, settings: ProviderSettings, *known: str) -> None:
    """Raise SettingError for an option that the kind does not know: it would silently not take effect."""
    for option in sorted(settings.options.keys() - set(known)):
        raise SettingError(f"providers.{name}: the kind {settings.kind} has no setting {option!r}.")


def refuse_url(name: str, settings: ProviderSettings, *schemes: str) -> None:
    """Raise SettingError for an address that the kind cannot speak to."""
    scheme, host = urlsplit(settings.url).scheme, urlsplit(settings.url).hostname
    if scheme not in schemes or not host:
        raise SettingError(
            f"providers.{name}: url must begin with {' or '.join(f'{s}://' for s in schemes)} and a host."
        )


TakeReceipts = Callable[[Sequence[News]], Awaitable[None]]
"""Stores receipts; acknowledge them to the upstream only after it returned. Raises StoreUnavailable: do not."""


class Provider(Protocol):
    """What the dispatcher and the receipts intake use."""

    name: str
    settings: ProviderSettings

    async def open(self, take: TakeReceipts) -> None:
        """Start what lives as long as the node: a session that must stay bound. Does not wait for the upstream."""
        ...

    async def close(self) -> None: ...

    async def send(self, message: Message, now: Instant) -> SendResult:
        """Hand one message to the upstream. Never raises: whatever happens is an outcome."""
        ...

    def read_receipts(self, request: HttpRequest) -> list[News]:
        """Return the receipts and replies that a request carries, in its order; raises UnreadableReceipt."""
        ...


class HttpProvider:
    """A provider that sends by one HTTP request: subclasses give ``encode``, ``decode`` and ``read_receipts``."""

    def __init__(self, name: str, settings: ProviderSettings, outbound: Outbound) -> None:
        self.name = name
        self.settings = settings
        self._outbound = outbound

    async def open(self, take: TakeReceipts) -> None:
        """Nothing to start: receipts of an HTTP provider come to ``/receipts``."""

    async def close(self) -> None:
        await self._outbound.close()

    def encode(self, message: Message, now: Instant) -> HttpRequest:
        raise NotImplementedError

    def decode(self, message: Message, response: HttpResponse) -> SendResult:
        raise NotImplementedError

    def read_receipts(self, request: HttpRequest) -> list[News]:
        raise NotImplementedError

    async def send(self, message: Message, now: Instant) -> SendResult:
        try:
            request = self.encode(message, now)
        except Exception as error:
            # Deterministic and before any byte left: trying again would only fail again.
            log.exception("provider.encode_failed", provider=self.name, message_id=message.id)
            return SendResult(
                outcome=Outcome.REFUSED,
                code="Quarantined",
                reason=f"The message cannot be written: {type(error).__name__}.",
            )
        try:
            response = await self._outbound.send(request)
        except NotSent as error:
            return SendResult(outcome=Outcome.DEFERRED, code="NotConnected", reason=f"No connection: {error}.")
        except ReplyLost as error:
            return SendResult(outcome=Outcome.UNKNOWN, code="ReplyLost", reason=f"No readable reply: {error}.")
        try:
            return self.decode(message, response)
        except Exception:
            log.exception("provider.decode_failed", provider=self.name, message_id=message.id)
            return SendResult(outcome=Outcome.UNKNOWN, code="UnreadableReply", reason="The reply cannot be read.")


def by_status(response: HttpResponse) -> SendResult | None:
    """Return what an HTTP status alone settles; None for 200, where the body decides.

    503 and 429 say that the request was not taken. Any other 5xx may come from a proxy in front of a server that did
    take it, and any other 2xx says that somebody did: their outcome is unknown.
    """
    if response.status == 200:
        return None
    code = f"Http{response.status}"
    reason = f"The provider answered HTTP {response.status}."
    wait = _retry_after(response)
    if response.status == 503:
        return SendResult(outcome=Outcome.DEFERRED, code=code, reason=reason, retry_after=wait)
    if response.status == 429:
        return SendResult(outcome=Outcome.THROTTLED, code=code, reason=reason, retry_after=wait)
    if response.status >= 500 or response.status < 300:
        return SendResult(outcome=Outcome.UNKNOWN, code=code, reason=reason)
    return SendResult(outcome=Outcome.REFUSED, code=code, reason=reason)


def _retry_after(response: HttpResponse) -> int | None:
    """Return the wait that the provider asked for, in milliseconds; a date or nonsense counts as not asked."""
    value = response.headers.get("retry-after", "")
    return int(value) * 1000 if value.isascii() and value.isdecimal() and len(value) < 7 else None
