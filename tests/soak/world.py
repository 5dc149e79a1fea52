"""The processes of a run, and all that they leave behind: nodes over one database, partner, SMS centre, customer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from chatgate.sandbox import seeds
from tests.e2e.caller import Caller
from tests.e2e.installation import ACCOUNTS, Installation, callback_secret, receipts_url
from tests.e2e.partner import Partner
from tests.e2e.postgres import Postgres
from tests.e2e.processes import Processes, free_ports
from tests.soak import fail_points
from tests.soak.customer import Customer
from tests.soak.evidence import Evidence, until
from tests.soak.ledger import Acknowledged, Book, History, Ledger, Pause, Seen, Taken, read, read_ledger
from tests.soak.mortals import Companion, Node

DATABASES = ("sqlite", "postgresql")

LOOK_EVERY = 0.3
"""Seconds between looks at the database in the middle of a run."""

STATES = {"DELIVRD": "delivered", "UNDELIV": "undelivered"}
"""What chatgate makes of the SMS centre's words."""


class World:
    """``async with world(…) as it``."""

    def __init__(
        self, folder: Path, nodes: Sequence[Node], companions: Sequence[Companion], partner: Partner,
        customer: Customer, evidence: Evidence,
    ) -> None:  # fmt: skip
        self._folder = folder
        self.nodes = nodes
        self.companions = companions
        """Partner, SMS centre and customer, as processes, in this order."""
        self.partner = partner
        self.customer = customer
        self.evidence = evidence
        self.pauses: list[Pause] = []
        self._seen: list[Seen] = []
        self.caller = Caller(ACCOUNTS, ledger=Ledger(book=Book(folder / "caller.ledger")))

    async def start(self, *rig: object) -> None:
        """Start all nodes."""
        assert all(await asyncio.gather(*(node.start(*rig) for node in self.nodes)))

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look at the database now and then."""
        stop = asyncio.Event()

        async def watch() -> None:
            while not stop.is_set():
                self._seen += await asyncio.to_thread(self.evidence.look)
                await asyncio.sleep(LOOK_EVERY)

        task = asyncio.create_task(watch())
        try:
            yield
        finally:
            stop.set()
            await task

    async def settle(self, within: float) -> None:
        """Let everybody behave until nothing is left to do; then end those who send receipts, and let what their last
        ones have changed be told. What is not done in time, the checker finds."""
        await self.partner.switch()
        await self.customer.behave({})
        await until(self._is_quiet, within)
        partner, centre, _ = self.companions
        await asyncio.gather(partner.kill(), centre.kill())
        await until(self._is_quiet, within)

    def _is_quiet(self) -> bool:
        return not self.evidence.restless() and self.evidence.untold() == 0

    async def history(self, *, at_rest: bool = True) -> History:
        """End the nodes and return everything that was written down."""
        ended_at = time.time_ns() // 1_000_000
        await asyncio.gather(*(node.kill() for node in self.nodes))
        self._seen += self.evidence.look()
        sms = read(self._folder / "centre.journal")
        own = {account.name: {str(account.service_id), seeds.sms_sender(account.name)} for account in ACCOUNTS}
        return History(
            ledger=read_ledger(self._folder / "caller.ledger"),
            stored=self.evidence.stored(),
            taken=[*self.partner.taken(), *(_taken(line["part"]) for line in sms if line["record"] == "accepted")],
            acknowledged=[*self.partner.acknowledged(), *_told(sms)],
            receipts=self.evidence.receipts(),
            tokens=self.evidence.tokens(),
            outbox=self.evidence.outbox(),
            heard=self.customer.heard({name: callback_secret(name) for name in own}),
            seen=self._seen,
            pauses=self.pauses,
            senders={name: frozenset(senders) for name, senders in own.items()},
            listening=frozenset(own),
            ended_at=ended_at,
            at_rest=at_rest,
        )


@asynccontextmanager
async def world(folder: Path, database: str = "sqlite", *, dying_at: int = 0) -> AsyncIterator[World]:
    """Start what is around the nodes, and make the database; ``dying_at``: first in vain, by the fail-point.

    On SQLite there is one node, on PostgreSQL two; the partner's callbacks go to them by account.
    """
    async with AsyncExitStack() as stack:
        processes = await stack.enter_async_context(Processes(folder))
        address = None if database == "sqlite" else (await stack.enter_async_context(Postgres())).url
        installation = Installation(processes, folder, address)
        journals, ports = (folder / "partner.journal", folder / "centre.journal"), free_ports(5)
        nodes = [Node(installation, folder, port) for port in ports[3 : 4 if database == "sqlite" else 5]]
        companions = [
            Companion(partial(processes.start, *command))
            for command in (
                ("tests.e2e.partner", journals[0], receipts_url(nodes[0].port), ports[0]),
                ("chatgate", "simulate", "sms", "--port", ports[1], "--journal", journals[1]),
                ("tests.soak.customer", folder / "customer.ledger", ports[2]),
            )
        ]
        sends, sms, hears = await asyncio.gather(*(companion.start() for companion in companions))
        partner, customer = Partner(sends, journals[0]), Customer(hears, folder / "customer.ledger")
        if dying_at:
            point = f"{fail_points.ONLY_AT_FIRST}:{dying_at}:{folder / 'fail-points'}"
            await installation.migrate(("tests.soak.rigged", "--die", point))
        await installation.configure(
            partner.send_url, centre_url=sms.url, customer_url=hears.url, log_level="error", drain_seconds=2
        )
        for number, account in enumerate(ACCOUNTS):
            await partner.call_back(account.service_id, receipts_url(nodes[number % len(nodes)].port))
        evidence = stack.enter_context(Evidence(installation.database))
        yield World(folder, nodes, companions, partner, customer, evidence)


def _taken(part: dict[str, object]) -> Taken:
    at = part["at"]
    assert isinstance(at, int)
    return Taken(mark=str(part["text"]), at=at, sender=str(part["sender"]))


def _told(journal: Sequence[dict[str, object]]) -> list[Acknowledged]:
    parts = [line["part"] for line in journal if line["record"] == "accepted"]
    fates = {part["token"]: part["fate"] for part in parts if isinstance(part, dict)}
    told = [str(line["token"]) for line in journal if line["record"] == "told"]
    return [Acknowledged("sms", token, STATES[str(fates[token])]) for token in told]
