"""Receipts at the door: who may bring them, what is refused, and that 200 means stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from chatgate.clock import HandClock, Instant
from chatgate.domain.account import Sender, Standing
from chatgate.domain.message import Message, SendResult
from chatgate.domain.receipt import News, Receipt, ReceiptStatus, Reply
from chatgate.errors import SettingError, StoreUnavailable
from chatgate.providers.base import ProviderSettings, TakeReceipts, UnreadableReceipt
from chatgate.receipts.intake import Intake
from chatgate.store.accounts import NewAccount, Possessions
from chatgate.store.receipts import Arrival
from chatgate.store.replies import ReplyArrival
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.wire import HttpRequest, HttpResponse
from tests.fresh_store import fresh_store

SECRET = "the-secret-of-the-receipts-address"
NOW: Instant = 1_740_830_400_000
PEER = "203.0.113.7"

RECEIPT = Receipt(
    provider="acme", token="17", status=ReceiptStatus.DELIVERED, at=NOW - 5, service_id="1", recipient="63917"
)


REPLY = Reply(provider="acme", service_id="1", recipient="63917", at=NOW - 3, text="Yes")


class Acme:
    """A provider whose receipts are what the test says."""

    def __init__(self, *networks: str) -> None:
        self.name = "acme"
        self.settings = ProviderSettings(
            kind="acme", url="http://acme.example/", receipts_secret=SECRET, receipts_from=networks
        )
        self.answer: Callable[[], list[News]] = lambda: [RECEIPT]
        self.asked = 0

    async def open(self, take: TakeReceipts) -> None: ...

    async def close(self) -> None: ...

    async def send(self, message: Message, now: Instant) -> SendResult:
        raise NotImplementedError

    def read_receipts(self, request: HttpRequest) -> list[News]:
        self.asked += 1
        return self.answer()


class Door:
    """An intake over a store, and what it says."""

    def __init__(self, store: Store, acme: Acme) -> None:
        self.acme = acme
        self.metrics = Metrics()
        self.intake = Intake(store, {"acme": acme}, HandClock(NOW), self.metrics)

    async def take(self, name: str = "acme", secret: str = SECRET, peer: str = PEER) -> HttpResponse:
        return await self.intake.take(name, secret, HttpRequest(method="POST", path="/", body=b"?", peer=peer))

    async def status(self, name: str = "acme", secret: str = SECRET, peer: str = PEER) -> int:
        return (await self.take(name, secret, peer)).status

    def counted(self, metric: str) -> float:
        """Return the sum of a counter over its labels."""
        found = [sample.value for family in self.metrics.registry.collect() for sample in family.samples
                 if sample.name == f"chatgate_{metric}_total"]  # fmt: skip
        return sum(found)


class Recorder:
    """What the intake uses of a store; ``failure`` is raised when it is to store."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.arrivals: list[Arrival] = []
        self.replies: list[ReplyArrival] = []
        self.committed = asyncio.Event()
        self.committed.set()
        self.keys = self.message_ids = self

    def next(self) -> int:
        return 1

    def public(self, key: int) -> str:
        return f"public-{key}"

    async def apply_receipts(self, arrival: Arrival) -> list[str]:
        self.arrivals.append(arrival)
        await self.committed.wait()
        if self.failure is not None:
            raise self.failure
        return ["parked"] * len(arrival.receipts)

    async def take_replies(self, arrival: ReplyArrival) -> int:
        self.replies.append(arrival)
        await self.committed.wait()
        if self.failure is not None:
            raise self.failure
        return len(arrival.replies)


def door(recorder: Recorder, acme: Acme | None = None) -> Door:
    return Door(recorder, acme or Acme())  # type: ignore[arg-type]  # it has the verbs that are used


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with the account that the service of receipts and replies belongs to."""
    async with fresh_store(tmp_path, HandClock(NOW)) as store:
        sender = Sender(sender="27549", channel="viber", service_id="1", standing=Standing.APPROVED)
        possessions = Possessions(senders=[sender])
        await store.create_account(NewAccount(account_id=7, name="shop", now=NOW, possessions=possessions))
        yield store


async def test_200_after_the_commit_only() -> None:
    recorder = Recorder()
    recorder.committed.clear()
    asked = asyncio.ensure_future(door(recorder).take())
    await asyncio.sleep(0.02)
    assert len(recorder.arrivals) == 1
    assert not asked.done()
    recorder.committed.set()
    answer = await asked
    assert (answer.status, answer.body) == (200, b'{"status":0}')


async def test_what_was_acknowledged_is_in_the_database(store: Store) -> None:
    assert await Door(store, Acme()).status() == 200
    assert (await store.backlog(NOW)).parked_receipts == 1


async def test_every_receipt_of_a_request_is_stored_and_counted() -> None:
    recorder, acme = Recorder(), Acme()
    read = msgspec.structs.replace(RECEIPT, status=ReceiptStatus.READ)
    acme.answer = lambda: [RECEIPT, read]
    gate = door(recorder, acme)
    assert await gate.status() == 200
    (arrival,) = recorder.arrivals
    assert list(arrival.receipts) == [RECEIPT, read]
    assert (arrival.received_at, gate.counted("receipts")) == (NOW, 2)


@pytest.mark.parametrize(
    "news", [[REPLY], [REPLY, RECEIPT], [RECEIPT, REPLY, msgspec.structs.replace(REPLY, text="No")]]
)
async def test_replies_are_stored_beside_receipts(news: list[News]) -> None:
    recorder, acme = Recorder(), Acme()
    acme.answer = lambda: news
    assert await door(recorder, acme).status() == 200
    (arrival,) = recorder.replies
    assert list(arrival.replies) == [one for one in news if isinstance(one, Reply)]
    assert (arrival.received_at, arrival.keys(), arrival.public_id(7)) == (NOW, 1, "public-7")
    receipts = [receipt for arrival in recorder.arrivals for receipt in arrival.receipts]
    assert receipts == [one for one in news if isinstance(one, Receipt)]


async def test_a_reply_is_acknowledged_after_the_commit_only() -> None:
    recorder, acme = Recorder(), Acme()
    acme.answer = lambda: [REPLY]
    recorder.committed.clear()
    asked = asyncio.ensure_future(door(recorder, acme).take())
    await asyncio.sleep(0.02)
    assert len(recorder.replies) == 1
    assert not asked.done()
    recorder.committed.set()
    assert (await asked).status == 200


async def test_a_request_without_a_receipt_is_acknowledged_and_stores_nothing() -> None:
    recorder, acme = Recorder(), Acme()
    acme.answer = list
    assert await door(recorder, acme).status() == 200
    assert (recorder.arrivals, recorder.replies) == ([], [])


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("acme", "wrong"),
        ("acme", ""),
        ("acme", SECRET[:-1]),
        ("acme", SECRET + "x"),
        ("acme", SECRET.upper()),
        ("acme", "geheimniß"),
        ("nobody", SECRET),
        ("nobody", "no such provider"),
        ("", SECRET),
    ],
)
async def test_404_tells_nothing(name: str, secret: str) -> None:
    recorder, acme = Recorder(), Acme("10.0.0.0/8")
    gate = door(recorder, acme)
    answer = await gate.take(name, secret)
    assert (answer.status, answer.body) == (404, b"There is no such receipts address.")
    assert (acme.asked, recorder.arrivals, gate.counted("receipts_refused")) == (0, [], 1)


@pytest.mark.parametrize(
    ("networks", "peer", "status"),
    [
        ((), PEER, 200),
        ((), "", 200),
        (("203.0.113.0/24",), PEER, 200),
        (("203.0.113.7",), PEER, 200),
        (("10.0.0.0/8", "203.0.113.7/32"), PEER, 200),
        (("203.0.113.0/24",), "::ffff:203.0.113.7", 200),  # how a socket that listens on IPv6 names an IPv4 caller
        (("2001:db8::/32",), "2001:db8::5", 200),
        (("10.0.0.0/8",), PEER, 403),
        (("10.0.0.0/8",), "::ffff:203.0.113.7", 403),
        (("203.0.113.0/24",), "2001:db8::5", 403),
        (("203.0.113.0/24",), "", 403),
        (("203.0.113.0/24",), "unix", 403),
    ],
)
async def test_source_list(networks: tuple[str, ...], peer: str, status: int) -> None:
    recorder, acme = Recorder(), Acme(*networks)
    assert await door(recorder, acme).status(peer=peer) == status
    assert len(recorder.arrivals) == acme.asked == (status == 200)


@pytest.mark.parametrize("networks", [("10.0.0.0/33",), ("10.0.0.1/8",), ("everybody",), ("10.0.0.0/8", "")])
def test_source_list_that_is_none_stops_the_start(networks: tuple[str, ...]) -> None:
    with pytest.raises(SettingError, match=r"^providers\.acme\.receipts_from: .+\.$"):
        door(Recorder(), Acme(*networks))


async def test_400_for_what_is_no_receipt() -> None:
    def unreadable() -> list[News]:
        raise UnreadableReceipt("the body is not JSON")

    recorder, acme = Recorder(), Acme()
    acme.answer = unreadable
    answer = await door(recorder, acme).take()
    assert (answer.status, answer.body) == (400, b"Not a receipt: the body is not JSON.")
    assert recorder.arrivals == []


@pytest.mark.parametrize("news", [RECEIPT, REPLY])
async def test_503_when_the_database_cannot_commit(news: News) -> None:
    acme = Acme()
    acme.answer = lambda: [news]
    answer = await door(Recorder(StoreUnavailable("the database cannot commit")), acme).take()
    assert answer.status == 503
    assert answer.headers["retry-after"].isdecimal()
    assert b"database" not in answer.body


@pytest.mark.parametrize(
    ("at", "stored"),
    [
        (NOW - 5, NOW - 5),
        (1, 1),
        (NOW + 86_400_000, NOW + 86_400_000),  # the partner's clock is the partner's
        (253_402_300_799_999, 253_402_300_799_999),
        (0, NOW),
        (-1, NOW),
        (253_402_300_800_000, NOW),
        (1 << 63, NOW),
        (10**40, NOW),
    ],
)
async def test_nothing_is_lost_for_its_time(store: Store, at: int, stored: int) -> None:
    recorder, acme = Recorder(), Acme()
    acme.answer = lambda: [msgspec.structs.replace(RECEIPT, at=at), msgspec.structs.replace(REPLY, at=at)]
    assert await door(recorder, acme).status() == 200
    assert [receipt.at for receipt in recorder.arrivals[0].receipts] == [stored]
    assert [reply.at for reply in recorder.replies[0].replies] == [stored]
    assert await Door(store, acme).status() == 200


async def test_receipts_of_a_session_take_the_same_way() -> None:
    """A provider that holds a connection hands its receipts over, and hears when they could not be stored."""
    recorder = Recorder()
    gate = door(recorder)
    await gate.intake.store([RECEIPT])
    assert [list(arrival.receipts) for arrival in recorder.arrivals] == [[RECEIPT]]
    recorder.failure = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await gate.intake.store([RECEIPT])
