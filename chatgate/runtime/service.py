"""A running node: store, lanes, gateway, HTTP server, started in order and stopped in reverse.

``serve`` runs it as it is. The sandbox is the same parts with a directory of its own, a simulated partner and more
routes: a composition, not a switch inside the stations.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import ModuleType

import structlog

from chatgate import plugins
from chatgate import providers as providers_package
from chatgate.callbacks import guard, signature
from chatgate.callbacks.delivery import Delivery
from chatgate.clock import SECOND, Clock, SystemClock
from chatgate.config import Configuration
from chatgate.domain.message import Label
from chatgate.errors import SettingError, StoreUnavailable
from chatgate.gateway.authenticate import Authenticator
from chatgate.gateway.chain import Gateway
from chatgate.gateway.desk import Desk
from chatgate.gateway.directory import REFRESH_EVERY, Directory, StoredDirectory
from chatgate.gateway.flow_control import FlowControl
from chatgate.gateway.key_use import WRITE_EVERY, KeyUse
from chatgate.gateway.sender_desk import SenderDesk
from chatgate.gateway.sts import Tokens
from chatgate.gateway.template_desk import TemplateDesk
from chatgate.operations.base import all_operations, own_limits
from chatgate.outbound import Outbound
from chatgate.providers.base import Provider
from chatgate.receipts.intake import Intake
from chatgate.sealing import KeyRing
from chatgate.store import place
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.web.app import App, AsgiApp
from chatgate.web.metadata.pages import Metadata
from chatgate.web.proxies import TrustedProxies
from chatgate.web.server import Server
from chatgate.workers.callback_sender import CallbackSender
from chatgate.workers.clock_keeper import KEEP_EVERY, ClockKeeper
from chatgate.workers.fallback_timer import FIRE_EVERY, FallbackTimer
from chatgate.workers.lane import Lane, Policy
from chatgate.workers.loop import Loop
from chatgate.workers.pruner import MEASURE_EVERY, PRUNE_EVERY, Gauges, Pruner
from chatgate.workers.review_timer import APPROVE_EVERY, ReviewTimer

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT = 5.0
"""Seconds to connect to a provider."""

RELOAD_EVERY = 1.0
"""Seconds between two looks whether the key ring has changed."""


class Parts:
    """What a composition may replace or add before the node starts."""

    def __init__(self, store: Store, key_ring: KeyRing, clock: Clock) -> None:
        self.store = store
        self.key_ring = key_ring
        self.clock = clock
        self.stored = StoredDirectory(store, clock)
        self.tokens = Tokens(key_ring)
        self.key_use = KeyUse(store)
        self.directory: Directory = self.stored
        self.callback_addresses: Callable[[str], bool] = guard.is_public
        """Which addresses customers' endpoints may have."""
        self.callback_url: Callable[[str], str] = str
        """Turns a stored callback URL into the one to call."""
        self.plain_bearer = False
        """Whether bearer tokens are taken over plain HTTP."""
        self.mounts: dict[str, AsgiApp] = {}


Compose = Callable[[Parts, AsyncExitStack], Awaitable[None]]


async def _nothing_more(_parts: Parts, _stack: AsyncExitStack) -> None:
    """The composition of ``serve``."""


class Node:
    """One process of chatgate. ``await node.start()``; then ``node.url``; at the end ``await node.stop()``."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        on_fatal: Callable[[str], None],
        compose: Compose = _nothing_more,
        clock: SystemClock | None = None,
        kind: str = "serve",
    ) -> None:
        """``kind``: what its database is for; the other kind's is refused."""
        self._kind = kind
        self._configuration = configuration
        self._settings = configuration.settings
        self._on_fatal = on_fatal
        self._compose = compose
        self._clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._stopping = False
        self.metrics = Metrics()
        self.app: App
        """What it answers with, once it has started."""
        self.url = ""

    async def start(self) -> None:
        """Start everything, or nothing: what had started is stopped again when a later part cannot."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        gc.collect()
        gc.freeze()  # what lives for ever is not looked at again; a tenth of the accept rate
        gc.set_threshold(50_000, 20, 50)

    async def stop(self) -> None:
        """Stop in reverse: no more calls, no more claims, open work ends, the store is closed last."""
        self._stopping = True
        await self._stack.aclose()

    async def _start(self) -> None:
        store, key_ring = await self._open_store()
        parts = Parts(store, key_ring, self._clock)
        await self._compose(parts, self._stack)
        await parts.stored.refresh()
        self._loop("directory", parts.stored.refresh, REFRESH_EVERY)
        self._loop("key ring", partial(asyncio.to_thread, key_ring.reload), RELOAD_EVERY)
        self._stack.push_async_callback(_at_the_end, parts.key_use)
        self._loop("key use", parts.key_use.write, WRITE_EVERY)
        self._loop("clock", ClockKeeper(store, self._clock, self.metrics).keep, KEEP_EVERY)
        providers = self._build_providers()
        intake = Intake(store, providers, self._clock, self.metrics)
        lanes: dict[str, Lane] = {}
        if self._settings.role != "api":
            lanes = await self._start_lanes(store, providers, intake)
        operations = all_operations()
        self.app = App(
            gateway=self._gateway(parts, lanes, operations) if self._settings.role != "worker" else None,
            intake=intake,
            proxies=TrustedProxies.parse(self._settings.trusted_proxies),
            metadata=Metadata(operations),
            metrics=self.metrics,
            ready=lambda: self._ready(store),
            mounts=parts.mounts,
        )
        settings = self._settings
        server = Server(
            self.app, host=settings.host, port=settings.port, tls_cert=settings.tls_cert or None,
            tls_key=settings.tls_key or None, drain_seconds=settings.drain_seconds,
        )  # fmt: skip
        await server.start()
        self._stack.push_async_callback(server.stop)
        self.url = server.url
        if self._settings.role != "api":  # after the server, which may be an endpoint itself: the sandbox's is
            await self._start_callbacks(parts)

    async def _open_store(self) -> tuple[Store, KeyRing]:
        settings = self._settings
        url, key_ring = place.prepare(settings.data, settings.database, settings.key_ring)
        store = await Store.open(url, clock=self._clock, key_ring=key_ring, on_fatal=self._on_fatal, kind=self._kind)
        self._stack.push_async_callback(store.close)
        return store, key_ring

    def _build_providers(self) -> dict[str, Provider]:
        kinds = plugins.modules_in(providers_package)
        built: dict[str, Provider] = {}
        for name, settings in self._configuration.providers.items():
            kind = kinds.get(settings.kind)
            if kind is None:
                raise SettingError(
                    f"providers.{name}: there is no kind {settings.kind!r}; known are {', '.join(kinds)}."
                )
            outbound = Outbound(connect_timeout=CONNECT_TIMEOUT, reply_timeout=settings.reply_timeout)
            provider = built[name] = kind.build(name, settings, outbound)
            self._stack.push_async_callback(provider.close)
        return built

    async def _start_lanes(self, store: Store, providers: Mapping[str, Provider], intake: Intake) -> dict[str, Lane]:
        settings = self._settings
        unknown = {Label.TRANSACTION: settings.unknown_transaction, Label.PROMOTION: settings.unknown_promotion}
        policy = Policy(unknown=unknown, unknown_wait=settings.unknown_wait * SECOND)
        jitter = random.Random().random
        lanes: dict[str, Lane] = {}
        self._stack.push_async_callback(_stop_together, lanes, settings.drain_seconds)
        for name, provider in providers.items():
            await provider.open(intake.store)
            lane = lanes[name] = Lane(provider, store, self._clock, policy, self.metrics, jitter)
            lane.start()
        self._loop("fallbacks", FallbackTimer(store, self._clock, self.metrics).fire, FIRE_EVERY)
        self._loop("reviews", ReviewTimer(store, self._clock).approve, APPROVE_EVERY)
        self._loop("pruner", Pruner(store, self._clock).prune, PRUNE_EVERY)
        self._loop("gauges", Gauges(store, self._clock, self.metrics).measure, MEASURE_EVERY)
        return lanes

    async def _start_callbacks(self, parts: Parts) -> None:
        delivery = Delivery(parts.callback_addresses)
        self._stack.push_async_callback(delivery.close)
        sender = CallbackSender(
            parts.store,
            delivery.post,
            self._clock,
            self.metrics,
            lambda sealed, account_id: parts.key_ring.open(sealed, signature.purpose(account_id)),
            random.random,
            report_sms=self._settings.report_sms,
            resolve=parts.callback_url,
        )
        sender.start()
        self._stack.push_async_callback(sender.stop)

    def _gateway(self, parts: Parts, lanes: Mapping[str, Lane], operations: Mapping[str, ModuleType]) -> Gateway:
        settings = self._settings
        desk = Desk(
            parts.store,
            self._configuration.routes,
            lanes.get,
            self.metrics,
            parts.key_ring.seal,
            TemplateDesk(
                parts.store,
                parts.stored.forget,
                review=settings.template_review,
                review_delay=settings.template_review_delay * SECOND,
            ),
            SenderDesk(parts.store),
            parts.stored.refresh,
            default_ttl=settings.default_ttl,
            callback_batch=settings.callback_batch,
        )
        return Gateway(
            store=parts.store,
            desk=desk,
            operations=operations,
            authenticate=Authenticator(
                parts.directory, parts.key_ring, parts.tokens, parts.key_use.note, plain_bearer=parts.plain_bearer
            ),
            flow_control=FlowControl(settings.calls_per_second, time.monotonic_ns, own_limits(operations)),
            clock=self._clock,
            metrics=self.metrics,
            validation_status=settings.validation_status,
        )

    async def _ready(self, store: Store) -> None:
        if self._stopping:
            raise StoreUnavailable("stopping")
        await store.ready(self._clock.now())

    def _loop(self, name: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
        loop = Loop(name, work, seconds, random.random)
        loop.start()
        self._stack.push_async_callback(loop.stop)


async def _at_the_end(key_use: KeyUse) -> None:
    with suppress(StoreUnavailable):  # it tells when keys were used, and that may be lost
        await key_use.write()


async def _stop_together(lanes: Mapping[str, Lane], seconds: float) -> None:
    """Stop lanes at the same time: one that hangs uses up nobody else's time to end."""
    await asyncio.gather(*(lane.stop(seconds) for lane in lanes.values()))
