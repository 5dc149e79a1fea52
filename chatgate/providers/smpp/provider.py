"""The provider: one message becomes its submit_sm, one after the other, and their replies one outcome.

A part that is refused when earlier parts were taken leaves a message half out. Refused for good it has failed; refused
for now, its outcome is unknown: to send it all again is the decision of the policy for unknown outcomes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import structlog

from chatgate.clock import Clock, Instant, SystemClock
from chatgate.domain.message import Message, Outcome, SendResult
from chatgate.domain.receipt import News
from chatgate.outbound import Outbound
from chatgate.providers.base import ProviderSettings, TakeReceipts, UnreadableReceipt
from chatgate.providers.smpp import statuses
from chatgate.providers.smpp.deliveries import Deliveries
from chatgate.providers.smpp.link import Link
from chatgate.providers.smpp.options import Target
from chatgate.providers.smpp.receipts import reply_token
from chatgate.providers.smpp.session import SUBMIT_SM, Reply, SessionEnded
from chatgate.providers.smpp.submissions import submissions
from chatgate.wire import HttpRequest

log = structlog.get_logger(__name__)


class Smpp:
    """Speaks SMPP to one SMS centre."""

    def __init__(
        self,
        name: str,
        settings: ProviderSettings,
        target: Target,
        outbound: Outbound,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.settings = settings
        self._options = target.options
        self._outbound = outbound
        self._window = asyncio.Semaphore(settings.max_in_flight)
        self._deliveries = Deliveries(name, target.options.receipt_id, clock or SystemClock())
        self._link = Link(name, target, self._deliveries.put, jitter)
        self._storing: asyncio.Task[None] | None = None

    async def open(self, take: TakeReceipts) -> None:
        """Begin to bind, and to store receipts. Until the session is bound, ``send`` defers."""
        self._storing = asyncio.create_task(self._deliveries.run(take), name=f"{self.name}-receipts")
        self._link.start()

    async def close(self) -> None:
        """Unbind. Receipts that were not acknowledged come again after the next bind."""
        await self._link.stop()
        if self._storing is not None:
            self._storing.cancel()
            await asyncio.wait({self._storing})
        await self._outbound.close()

    async def send(self, message: Message, now: Instant) -> SendResult:
        try:
            bodies = submissions(message, now, self._options)
        except Exception as error:
            log.exception("provider.encode_failed", provider=self.name, message_id=message.id)
            reason = f"The message cannot be written: {type(error).__name__}."
            return SendResult(outcome=Outcome.REFUSED, code="Quarantined", reason=reason)
        try:
            async with asyncio.timeout(self.settings.reply_timeout), self._window:
                return await self._submit(bodies)
        except TimeoutError:
            reason = "The SMS centre did not answer in time."
        except SessionEnded as error:
            reason = f"No reply: {error}."
        return SendResult(outcome=Outcome.UNKNOWN, code="ReplyLost", reason=reason)

    def read_receipts(self, request: HttpRequest) -> list[News]:
        raise UnreadableReceipt("receipts of this provider come over its session")

    async def _submit(self, bodies: Sequence[bytes]) -> SendResult:
        for sent, body in enumerate(bodies):
            session = self._link.session
            if session is None:
                reason = f"No session with the SMS centre is bound: {self._link.trouble}."
                result = SendResult(outcome=Outcome.DEFERRED, code="NotBound", reason=reason)
            else:
                result = self._result(await session.request(SUBMIT_SM, body))
            if result.outcome is not Outcome.SENT:
                return _half_out(result, sent, len(bodies)) if sent else result
        return result

    def _result(self, reply: Reply) -> SendResult:
        name, outcome = statuses.meaning(reply.status)
        if outcome is not Outcome.SENT:
            return SendResult(outcome=outcome, code=name, reason=f"The SMS centre answered {name}.")
        if not reply.text:
            reason = "Accepted without a message id: receipts cannot be joined."
            return SendResult(outcome=Outcome.UNKNOWN, code="NoToken", reason=reason)
        return SendResult(outcome=outcome, code=name, token=reply_token(reply.text, self._options.receipt_id))


def _half_out(result: SendResult, sent: int, total: int) -> SendResult:
    """Return what a refusal means after earlier parts were taken."""
    outcome = Outcome.REFUSED if result.outcome is Outcome.REFUSED else Outcome.UNKNOWN
    return SendResult(
        outcome=outcome, code=result.code, reason=f"{result.reason} {sent} of {total} parts were sent before."
    )
