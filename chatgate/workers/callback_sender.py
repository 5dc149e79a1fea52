"""Tells customers: one turn at an endpoint at a time, as many endpoints at once as have something to hear.

Rules:

1. An endpoint waits for nobody but itself. A silent one costs a socket for three seconds, and then rests.
2. What was told but not recorded (a crash, a database that is away) is told again, under the same ``webhook-id``.
3. While the clock is not steady no turn begins: after a jump of days everything would be given up as overdue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import msgspec
import structlog

from chatgate.callbacks import signature
from chatgate.callbacks.delivery import Hearing
from chatgate.clock import SECOND, Clock
from chatgate.domain.callback import ReportStatus, report
from chatgate.domain.message import Failure
from chatgate.errors import StoreUnavailable
from chatgate.store.rows import AnyRow
from chatgate.store.search import Reported
from chatgate.store.store import Store
from chatgate.store.turns import PARALLEL, Batch, CallEnd, ClaimedEndpoint, EndpointClaim, TurnEnd
from chatgate.telemetry import Metrics

log = structlog.get_logger(__name__)

POLL = 0.2
"""Seconds between looks for endpoints that have something to hear."""
AFTER_OUTAGE = 1.0
"""Seconds until the next look when the database was away."""
TURNS = 2000
"""Endpoints that are called at one time."""
CLAIMED_AT_ONCE = 50
"""Endpoints that one transaction takes: a few statements each, while others wait for their commit."""

Post = Callable[[str, bytes, dict[str, str]], Awaitable[Hearing]]
"""Posts a body with headers to a URL; never raises (``Delivery.post``)."""
OpenSecret = Callable[[bytes, int], bytes]
"""Opens the sealed signing secret of an account."""


class CallbackSender:
    """``start`` it, ``stop`` it. Any number of nodes may run one."""

    def __init__(
        self, store: Store, post: Post, clock: Clock, metrics: Metrics, open_secret: OpenSecret,
        jitter: Callable[[], float], *, report_sms: bool, resolve: Callable[[str], str] = str,
    ) -> None:  # fmt: skip
        """``resolve`` turns a stored address into the one to call (the sandbox's own endpoint moves with its port)."""
        self._store = store
        self._post = post
        self._clock = clock
        self._metrics = metrics
        self._open_secret = open_secret
        self._jitter = jitter
        self._report_sms = report_sms
        self._resolve = resolve
        self._turns: set[asyncio.Task[None]] = set()
        self._feeder: asyncio.Task[None] | None = None
        self._stopping = False
        self._look = asyncio.Event()

    def start(self) -> None:
        self._feeder = asyncio.create_task(self._feed(), name="callbacks")

    async def stop(self) -> None:
        """Claim no more; let open calls end (they have three seconds) and record them."""
        self._stopping = True
        self._look.set()
        if self._feeder is not None:
            await self._feeder
        await asyncio.gather(*self._turns)

    async def _feed(self) -> None:
        while not self._stopping:
            wait = POLL
            try:
                if await self._claim(min(TURNS - len(self._turns), CLAIMED_AT_ONCE)):
                    continue  # more may be due
            except StoreUnavailable:
                wait = AFTER_OUTAGE
            except Exception:
                log.exception("callback.claim_failed")
                wait = AFTER_OUTAGE
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), wait)
            self._look.clear()

    async def _claim(self, limit: int) -> int:
        """Begin turns at up to ``limit`` endpoints; answer at how many."""
        now = self._clock.now()
        if limit == 0 or not self._clock.is_steady():
            return 0
        claim = EndpointClaim(now=now, limit=limit, keys=self._store.keys.next)
        claimed = await self._store.claim_endpoints(claim)
        for endpoint in claimed:
            turn = asyncio.create_task(self._turn(endpoint))
            self._turns.add(turn)
            turn.add_done_callback(self._turns.discard)
        return len(claimed)

    async def _turn(self, endpoint: ClaimedEndpoint) -> None:
        try:
            ids = {row.message_id for batch in endpoint.batches for row in batch.reports} - {None}
            about = await self._store.reported(list(ids))
            calls = await asyncio.gather(*(self._call(endpoint, batch, about) for batch in endpoint.batches))
            end = TurnEnd(
                endpoint_id=endpoint.endpoint_id, lease=endpoint.lease, failures=endpoint.failures, calls=calls,
                now=self._clock.now(), jitter=self._jitter,
            )  # fmt: skip
            await self._store.record_turn(end)
        except StoreUnavailable:
            log.warning("callback.turn_not_stored", account_id=endpoint.account_id)  # its lease brings it back
        except Exception:
            log.exception("callback.turn_failed", account_id=endpoint.account_id)
        else:
            if len(endpoint.batches) == PARALLEL:  # more may wait there
                self._look.set()

    async def _call(self, endpoint: ClaimedEndpoint, batch: Batch, about: Mapping[int, Reported]) -> CallEnd:
        ids = [row.id for row in batch.reports]
        try:
            told = [part for row in batch.reports if (part := self._part(row, about)) is not None]
            if not told:
                return CallEnd(report_ids=ids, tries=batch.tries, heard=True, reached=None, answer="not told")
            body = b"[" + b",".join(told) + b"]"
            headers = self._headers(endpoint, batch, body)
        except Exception as error:  # of ours; it must not hold up what else the endpoint is to hear
            log.exception("callback.unwritable", account_id=endpoint.account_id)
            hearing = Hearing(heard=False, reached=True, reason=f"It could not be written: {type(error).__name__}.")
        else:
            hearing = await self._post(self._resolve(endpoint.url), body, headers)
        self._metrics.callbacks.labels("heard" if hearing.heard else "not heard").inc()
        return CallEnd(
            report_ids=ids, tries=batch.tries + 1, heard=hearing.heard, reached=hearing.reached, answer=hearing.reason
        )

    def _headers(self, endpoint: ClaimedEndpoint, batch: Batch, body: bytes) -> dict[str, str]:
        """Return the signature's headers; none where the account has no secret."""
        if endpoint.sealed_secret is None:
            return {}
        secret = self._open_secret(endpoint.sealed_secret, endpoint.account_id)
        callback_id = f"msg_{self._store.message_ids.public(batch.batch_id)}"
        return signature.headers(secret, callback_id, self._clock.now() // SECOND, body)

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
        public_id = self._store.message_ids.public
        public = public_id(message.parent_id or message.id)
        group = None if message.group_id is None else public_id(message.group_id)
        failure = None if row.code is None else Failure(code=row.code, reason=row.reason or "")
        told = report(message.draft, public, ReportStatus(row.status), row.at, failure, template_name, group)
        return msgspec.json.encode(told)
