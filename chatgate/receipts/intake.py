"""The path of one receipt: a provider's request, stored, then acknowledged.

Rules:

1. The answer 200 leaves only after the commit. Anything else than a readable receipt at the right address is refused
   and leaves nothing.
2. Nothing is lost for its time: what has no time that can be meant has the time of its arrival.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping, Sequence

import msgspec
import structlog

from chatgate.clock import Clock, Instant
from chatgate.domain.receipt import News, Receipt, Reply
from chatgate.errors import SettingError, StoreUnavailable
from chatgate.providers.base import Provider, UnreadableReceipt
from chatgate.store.receipts import Arrival
from chatgate.store.replies import ReplyArrival
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.wire import HttpRequest, HttpResponse

log = structlog.get_logger(__name__)

LATEST: Instant = 253_402_300_799_999
"""The last millisecond of the year 9999: what can be stored and shown."""

_STORED = HttpResponse(status=200, headers={"content-type": "application/json;charset=utf-8"}, body=b'{"status":0}')


class Intake:
    """Takes receipts of all providers."""

    def __init__(self, store: Store, providers: Mapping[str, Provider], clock: Clock, metrics: Metrics) -> None:
        self._store = store
        self._providers = providers
        self._clock = clock
        self._metrics = metrics
        self._networks = {name: _networks(name, p.settings.receipts_from) for name, p in providers.items()}

    async def take(self, provider_name: str, secret: str, request: HttpRequest) -> HttpResponse:
        """Store what the request carries and acknowledge it.

        404 for an unknown provider or a wrong secret (the same answer, after the same comparison), 403 for an address
        that is not on the provider's list, 400 for what is no receipt, 503 when it could not be stored.
        """
        provider = self._providers.get(provider_name)
        expected = provider.settings.receipts_secret if provider is not None else "no such provider"
        if not hmac.compare_digest(expected.encode(), secret.encode()) or provider is None:
            return self._refuse(404, "There is no such receipts address.")
        if not self._comes_from_provider(provider_name, request.peer):
            return self._refuse(403, "Receipts are not accepted from this address.")
        try:
            receipts = provider.read_receipts(request)
        except UnreadableReceipt as error:
            return self._refuse(400, f"Not a receipt: {error}.")
        try:
            await self.store(receipts)
        except StoreUnavailable:
            return HttpResponse(status=503, headers={"retry-after": "5"}, body=b"not stored, send it again")
        return _STORED

    async def store(self, news: Sequence[News]) -> None:
        """Store receipts and replies, however they came; acknowledge them after this.

        Raises StoreUnavailable: not everything was stored, and it may come again.
        """
        now = self._clock.now()
        news = [_timed(one, now) for one in news]
        if replies := [one for one in news if isinstance(one, Reply)]:
            await self._store.take_replies(
                ReplyArrival(
                    replies=replies,
                    received_at=now,
                    keys=self._store.keys.next,
                    public_id=self._store.message_ids.public,
                )
            )
        receipts = [one for one in news if isinstance(one, Receipt)]
        if not receipts:
            return
        arrival = Arrival(receipts=receipts, received_at=now, keys=self._store.keys.next)
        effects = await self._store.apply_receipts(arrival)
        for receipt, effect in zip(receipts, effects, strict=True):
            self._metrics.receipts.labels(receipt.provider, effect).inc()

    def _comes_from_provider(self, provider_name: str, peer: str) -> bool:
        networks = self._networks[provider_name]
        if not networks:
            return True
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        return any(address in network for network in networks)

    def _refuse(self, status: int, sentence: str) -> HttpResponse:
        self._metrics.refused_receipts.inc()
        log.warning("receipt.refused", http=status)
        return HttpResponse(status=status, headers={"content-type": "text/plain;charset=utf-8"}, body=sentence.encode())


def _timed(news: News, now: Instant) -> News:
    return news if 0 < news.at <= LATEST else msgspec.structs.replace(news, at=now)


def _networks(name: str, listed: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(network) for network in listed]
    except ValueError as error:
        raise SettingError(f"providers.{name}.receipts_from: {error}.") from None
