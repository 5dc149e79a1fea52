"""Tells customers: one turn at an endpoint at a time, as many endpoints at once as have something to hear.

Rule: an endpoint waits for nobody but itself. A turn costs a socket and three seconds at most; a silent endpoint rests
longer each time. A thousand dead ones hold up a healthy one by nothing but their share of the loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import structlog

from chatgate.callbacks import signature
from chatgate.callbacks.delivery import Delivery
from chatgate.clock import SECOND, Clock
from chatgate.domain.callback import ReportStatus, report
from chatgate.domain.message import Failure
from chatgate.errors import StoreUnavailable
from chatgate.store.callbacks import Batch, CallbackClaim, ClaimedEndpoint, EndpointEnd, Heard
from chatgate.store.rows import AnyRow
from chatgate.store.search import Reported
from chatgate.store.store import Store
from chatgate.telemetry import Metrics

log = structlog.get_logger(__name__)

POLL = 0.2
"""Seconds between looks for endpoints that have something to hear."""
TURNS = 2000
"""Endpoints that are called at one time."""
CLAIMED_AT_ONCE = 100

OpenSecret = Callable[[bytes, int], bytes]
"""Opens the sealed signing secret of an account."""


class CallbackSender:
    def __init__(
        self, store: Store, delivery: Delivery, clock: Clock, metrics: Metrics, open_secret: OpenSecret,
        jitter: Callable[[], float], *, report_sms: bool, resolve: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        """``resolve`` turns a stored address into the one to call (the sandbox's own endpoint moves with its port)."""
        self._store = store
        self._delivery = delivery
        self._clock = clock
        self._metrics = metrics
        self._open_secret = open_secret
        self._jitter = jitter
        self._report_sms = report_sms
        self._resolve = resolve
        self._turns: set[asyncio.Task[None]] = set()
        self._feeder: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        self._feeder = asyncio.create_task(self._feed(), name="callbacks")

    async def stop(self) -> None:
        """Claim no more; let open calls end (they have three seconds)."""
        self._stopping = True
        if self._feeder is not None:
            self._feeder.cancel()
            await asyncio.gather(self._feeder, *self._turns, return_exceptions=True)

    async def _feed(self) -> None:
        while not self._stopping:
            free = min(TURNS - len(self._turns), CLAIMED_AT_ONCE)
            claimed: list[ClaimedEndpoint] = []
            try:
                if free > 0:
                    claimed = await self._store.claim_endpoints(CallbackClaim(now=self._clock.now(), limit=free))
            except StoreUnavailable:
                await asyncio.sleep(1)
            for endpoint in claimed:
                turn = asyncio.create_task(self._turn(endpoint))
                self._turns.add(turn)
                turn.add_done_callback(self._turns.discard)
            if len(claimed) < CLAIMED_AT_ONCE:
                await asyncio.sleep(POLL)

    async def _turn(self, endpoint: ClaimedEndpoint) -> None:
        try:
            calls = await asyncio.gather(*(self._call(endpoint, batch) for batch in endpoint.batches))
            end = EndpointEnd(
                endpoint_id=endpoint.endpoint_id, lease=endpoint.lease, failures=endpoint.failures, calls=calls,
                now=self._clock.now(), jitter=self._jitter,
            )  # fmt: skip
            await self._store.record_turn(end)
        except StoreUnavailable:
            log.warning("callback.turn_not_stored", account_id=endpoint.account_id)  # told again under the same id
        except Exception:
            log.exception("callback.failed", account_id=endpoint.account_id)

    async def _call(self, endpoint: ClaimedEndpoint, batch: Batch) -> Heard:
        ids = [row.id for row in batch.reports]
        about = await self._store.reported([row.message_id for row in batch.reports if row.message_id is not None])
        told = [part for row in batch.reports if (part := self._part(row, about)) is not None]
        if not told:
            return Heard(batch_id=batch.batch_id, report_ids=ids, tries=0, heard=True, reached=True, answer="not told")
        body = b"[" + b",".join(told) + b"]"
        callback_id = f"msg_{self._store.message_ids.public(batch.batch_id)}"
        headers = {}
        if endpoint.sealed_secret is not None:
            secret = self._open_secret(endpoint.sealed_secret, endpoint.account_id)
            headers = signature.headers(secret, callback_id, self._clock.now() // SECOND, body)
        hearing = await self._delivery.post(self._resolve(endpoint.url), body, headers)
        self._metrics.callbacks.labels("heard" if hearing.heard else "not heard").inc()
        return Heard(
            batch_id=batch.batch_id, report_ids=ids, tries=batch.tries + 1, heard=hearing.heard,
            reached=hearing.reached, answer=hearing.reason,
        )  # fmt: skip

    def _part(self, row: AnyRow, about: Mapping[int, Reported]) -> bytes | None:
        """Return one element of the array; None where it is not to be told."""
        if row.body is not None:
            return str(row.body).encode()
        found = about.get(row.message_id)
        if found is None:
            return None
        message, template_name = found
        if message.parent_id is not None and not self._report_sms:
            return None
        public = self._store.message_ids.public(message.parent_id or message.id)
        failure = None if row.code is None else Failure(code=row.code, reason=row.reason or "")
        return msgspec.json.encode(
            report(message.draft, public, ReportStatus(row.status), row.at, failure, template_name)
        )
