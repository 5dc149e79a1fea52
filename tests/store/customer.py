"""A customer of the tests of callbacks: the account that is told, its endpoints, and what they hear and answer."""

from __future__ import annotations

from collections.abc import Sequence

from chatgate.domain.account import Sender, Space, Standing, Template
from chatgate.store.accounts import NewAccount, Possessions
from chatgate.store.callbacks import STATUS, Replay
from chatgate.store.endpoints import EndpointChange, EndpointOrder
from chatgate.store.rows import AnyRow
from chatgate.store.store import Store
from chatgate.store.turns import REPORTS_AT_ONCE, Batch, CallEnd, ClaimedEndpoint, EndpointClaim, TurnEnd
from tests.store.journey import ACCOUNT, SERVICE, Journey

URL = "https://shop.example/hook"
SEALED = b"\0sealed\xff"


class Customer:
    """Account ``ACCOUNT``, where nothing else is said; its endpoints answer as the test wants."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.store = journey.store
        self.heard: list[tuple[str, int | None]] = []
        """Status and message of each report that was heard, in order."""

    async def exist(self, account_id: int = ACCOUNT, service: str = SERVICE) -> None:
        """Create the account with a space, a sender and a template."""
        possessions = Possessions(
            spaces=[Space(space_id="282514865123580001")],
            senders=[Sender(sender="27549", channel="viber", service_id=service, standing=Standing.APPROVED)],
            templates=[
                Template(template_code="t1", language="en", name="order", body="Hi", standing=Standing.APPROVED)
            ],
        )
        name = f"shop {account_id}"
        await self.store.create_account(NewAccount(account_id=account_id, name=name, now=1, possessions=possessions))

    async def listen(
        self, url: str | None = URL, *, sender: str = "", kind: str = STATUS, account_id: int = ACCOUNT,
        batch: int = 50,
    ) -> None:  # fmt: skip
        """Put an endpoint; with ``url`` None take it away."""
        change = EndpointChange(
            key=self.store.keys.next(), account_id=account_id, sender=sender, kind=kind, url=url, batch=batch,
            sealed_secret=SEALED,
        )  # fmt: skip
        assert await self.store.set_endpoints(EndpointOrder(changes=[change]))

    async def send(self, number: int, *, first: int = 0) -> list[int]:
        """Send messages under the tokens ``0``, ``1``, …; each is one report. They live longer than any test."""
        numbers = range(first, first + number)
        return [await self.journey.sent(str(n), recipient=f"63917{n:07}", ttl=1_209_600) for n in numbers]

    # --- turns -------------------------------------------------------------------------------------------------------

    async def claim(
        self, store: Store | None = None, *, limit: int = 100, reports: int = REPORTS_AT_ONCE
    ) -> list[ClaimedEndpoint]:
        store = store or self.store
        return await store.claim_endpoints(
            EndpointClaim(now=self.journey.clock.now(), limit=limit, reports=reports, keys=store.keys.next)
        )

    async def claim_one(self) -> ClaimedEndpoint:
        (claimed,) = await self.claim()
        return claimed

    async def answer(
        self, claimed: ClaimedEndpoint, *, heard: bool = True, reached: bool | None = None, store: Store | None = None,
        only: Sequence[Batch] | None = None,
    ) -> None:  # fmt: skip
        """End a turn in which every call (or only those to ``only``) is heard, refused, or meets silence."""
        calls = [
            CallEnd(
                report_ids=[row.id for row in batch.reports], tries=batch.tries + 1, heard=good,
                reached=good if reached is None else reached, answer="" if good else "It answered HTTP 500.",
            )
            for batch in claimed.batches
            for good in [heard and (only is None or batch in only)]
        ]  # fmt: skip
        for batch, call in zip(claimed.batches, calls, strict=True):
            if call.heard:
                self.heard += [(row.status, row.message_id) for row in batch.reports]
        end = TurnEnd(
            endpoint_id=claimed.endpoint_id, lease=claimed.lease, failures=claimed.failures, calls=calls,
            now=self.journey.clock.now(), jitter=lambda: 0.0,
        )  # fmt: skip
        await (store or self.store).record_turn(end)

    async def hear(self, store: Store | None = None) -> list[tuple[str, int | None]]:
        """Hear all that is due; answer it: status and message, in order."""
        self.heard = []
        while found := await self.claim(store):
            for claimed in found:
                await self.answer(claimed, store=store)
        return self.heard

    # --- looking -----------------------------------------------------------------------------------------------------

    async def dead(self, account_id: int = ACCOUNT) -> list[AnyRow]:
        """Return the undeliverable reports, the oldest first."""
        return list(reversed(await self.store.undeliverable(account_id, 1000)))

    async def replay(self, *, account_id: int = ACCOUNT, **narrowed: object) -> int:
        wish = Replay(account_id=account_id, now=self.journey.clock.now(), **narrowed)  # type: ignore[arg-type]
        return await self.store.replay_callbacks(wish)


def reports(claimed: ClaimedEndpoint) -> list[list[tuple[str, int | None]]]:
    """Return what each call of a turn tells."""
    return [[(row.status, row.message_id) for row in batch.reports] for batch in claimed.batches]


def contents(claimed: ClaimedEndpoint) -> list[tuple[int, list[int]]]:
    """Return each call of a turn: its id and the ids of its reports."""
    return [(batch.batch_id, [row.id for row in batch.reports]) for batch in claimed.batches]
