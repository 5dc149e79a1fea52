"""What customers are told, and that none of them waits for another (promises P14 and P15)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from chatgate.callbacks import signature
from chatgate.callbacks.delivery import Hearing
from chatgate.clock import HandClock, SystemClock
from chatgate.domain.callback import RETRIES
from chatgate.domain.message import Failure, MessageKind
from chatgate.errors import StoreUnavailable
from chatgate.store import database
from chatgate.store.search import Filter
from chatgate.store.store import Store
from chatgate.store.turns import LEASE, PARALLEL
from chatgate.telemetry import Metrics
from chatgate.workers.callback_sender import CallbackSender
from tests.store.customer import SEALED, URL, Customer
from tests.store.journey import ACCOUNT, ORDER, PHONE, Journey, receipt
from tests.workers.stand import eventually

SECRET = bytes(range(32))
HEARD = Hearing(heard=True, reached=True, reason="")
REFUSED = Hearing(heard=False, reached=True, reason="The endpoint answered HTTP 500.")
SILENT = Hearing(heard=False, reached=False, reason="No answer within 3 seconds.")


class Post(msgspec.Struct, frozen=True):
    """One call of an endpoint."""

    url: str
    body: bytes
    headers: dict[str, str]

    @property
    def reports(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.body)
        return found


class World:
    """All endpoints there are: what they are posted, and what they answer."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answer: Callable[[str], Hearing | asyncio.Future[Hearing]] = lambda _: HEARD
        """By URL; a future is an endpoint that takes its time."""
        self.open = 0

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Hearing:
        self.posts.append(Post(url, body, headers))
        answer = self.answer(url)
        if isinstance(answer, Hearing):
            return answer
        self.open += 1
        try:
            return await asyncio.shield(answer)
        finally:
            self.open -= 1

    @property
    def told(self) -> list[tuple[str, str]]:
        """MessageId and Status of each report, in the order in which they came."""
        return [(report["MessageId"], report["Status"]) for post in self.posts for report in post.reports]

    async def hears(self, count: int) -> None:
        """Return once so many reports have come."""

        async def there() -> bool:
            return len(self.told) >= count

        await eventually(there)


class Unsteady:
    """A store whose verbs fail as often as it is said."""

    def __init__(self, store: Store, error: Exception | None = None, **failures: int) -> None:
        self._store = store
        self._error = error or StoreUnavailable("away")
        self.failures = Counter(failures)

    def __getattr__(self, verb: str) -> Any:
        if self.failures[verb] > 0:
            self.failures[verb] -= 1
            return self._fail
        return getattr(self._store, verb)

    async def _fail(self, *_: Any) -> None:
        raise self._error


def open_secret(sealed: bytes, account_id: int) -> bytes:
    assert sealed == SEALED
    return SECRET


Make = Callable[..., CallbackSender]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def journey(store: Store, clock: HandClock) -> Journey:
    return Journey(store, clock)


@pytest.fixture
async def customer(journey: Journey) -> Customer:
    customer = Customer(journey)
    await customer.exist()
    await customer.listen()
    return customer


Damage = Callable[[str, object], None]


@pytest.fixture
def damage(tmp_path: Path) -> Damage:
    """Changes the database behind the store's back."""

    def change(sql: str, value: object) -> None:
        engine = database.open_writer(database.sqlite_url(tmp_path))
        with engine.begin() as connection:
            connection.exec_driver_sql(sql, (value,))
        engine.dispose()

    return change


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def make(store: Store, world: World, clock: HandClock, metrics: Metrics) -> AsyncIterator[Make]:
    """Starts senders; they are stopped at the end."""
    made: list[CallbackSender] = []

    def one(through: Any = None, **changes: Any) -> CallbackSender:
        given = {"open_secret": open_secret, "report_sms": True, **changes}
        sender = CallbackSender(
            through or store, world.post, clock, metrics, given.pop("open_secret"), lambda: 0.0, **given
        )
        made.append(sender)
        sender.start()
        return sender

    yield one
    world.answer = lambda _: HEARD
    for sender in made:
        await sender.stop()


async def recorded(customer: Customer, state: str, count: int) -> None:
    """Return once so many reports of the only message are stored as being in this state."""

    async def there() -> bool:
        (message,) = await customer.store.list_messages(Filter(account_id=ACCOUNT))
        return [row.state for row in (await customer.journey.story(message.id)).callbacks].count(state) >= count

    await eventually(there)


# --- what is told ----------------------------------------------------------------------------------------------------


async def test_a_message_from_sent_to_read(
    make: Make, journey: Journey, customer: Customer, world: World, metrics: Metrics
) -> None:
    make()
    key = await journey.sent("t", task_id="task-1")
    await journey.receive(receipt("t", "delivered", at=5), receipt("t", "read", at=6))
    await world.hears(3)
    public = journey.store.message_ids.public(key)
    one = {
        "MessageId": public, "From": "27549", "To": PHONE, "MsgFrameType": "message", "Type": "none",
        "TaskId": "task-1",
    }  # fmt: skip
    assert [report for post in world.posts for report in post.reports] == [
        one | {"Status": status, "StatusDescription": status, "Timestamp": at}
        for status, at in [("Sent", journey.clock.now()), ("Delivered", 5), ("Read", 6)]
    ]
    assert {post.url for post in world.posts} == {URL}
    await recorded(customer, "heard", 3)
    assert metrics.registry.get_sample_value("chatgate_callbacks_total", {"result": "heard"}) == 3


async def test_many_reports_are_one_array(make: Make, journey: Journey, customer: Customer, world: World) -> None:
    keys = [await journey.sent(str(n), recipient=f"63917{n:07}") for n in range(5)]
    make()
    await world.hears(5)
    (post,) = world.posts
    public = journey.store.message_ids.public
    assert [report["MessageId"] for report in post.reports] == [public(key) for key in keys]


async def test_a_template_with_its_name(make: Make, journey: Journey, customer: Customer, world: World) -> None:
    make()
    await journey.sent("1", kind=MessageKind.TEMPLATE, template_code="t1", language="en")
    await world.hears(1)
    await journey.sent("2", kind=MessageKind.TEMPLATE, template_code="of another account", language="en")
    await world.hears(2)
    found = [report for post in world.posts for report in post.reports]
    assert [(one["MsgFrameType"], one["Type"], one["TemplateCode"], one.get("TemplateName")) for one in found] == [
        ("template", "TEMPLATE", "t1", "order"), ("template", "TEMPLATE", "of another account", None),
    ]  # fmt: skip


async def test_failed(make: Make, journey: Journey, customer: Customer, world: World) -> None:
    make()
    await journey.record(await journey.sending(), "refused", code="SRVC_NOT_VIBER_USER", reason="No Viber.")
    await world.hears(1)
    (told,) = world.posts[0].reports
    assert (told["Status"], told["ErrorCode"], told["ErrorDescription"]) == (
        "Failed", "SRVC_NOT_VIBER_USER", "SRVC_NOT_VIBER_USER:No Viber.",
    )  # fmt: skip


async def test_the_sms_under_its_parents_id(make: Make, journey: Journey, customer: Customer, world: World) -> None:
    make()
    paused = Failure(code="SenderPaused", reason="")
    key = await journey.accept(failure=paused, fallback=ORDER, kind=MessageKind.TEMPLATE, template_code="t1")
    (sms,) = (await journey.claim(lane="sms")).to_send
    await journey.record(sms, "sent", token="s")
    await world.hears(2)
    public = journey.store.message_ids.public(key)
    reports = [report for post in world.posts for report in post.reports]
    assert [(one["MessageId"], one["TaskId"], one["Type"], one["MsgFrameType"], one["Status"]) for one in reports] == [
        (public, public, "TEMPLATE", "template", "Failed"), (public, public, "SMS", "message", "Sent"),
    ]  # fmt: skip


async def test_the_sms_is_not_told_where_nobody_wants_it(
    make: Make, journey: Journey, customer: Customer, world: World
) -> None:
    make(report_sms=False)
    await journey.accept(failure=Failure(code="SenderPaused", reason=""), fallback=ORDER)
    await world.hears(1)
    (sms,) = (await journey.claim(lane="sms")).to_send
    await journey.record(sms, "sent", token="s")

    async def settled() -> bool:
        return [row.state for row in (await journey.story(sms.id)).callbacks] == ["heard"]

    await eventually(settled)
    assert len(world.told) == 1


async def test_a_reply_as_it_is(make: Make, journey: Journey, customer: Customer, world: World) -> None:
    make()
    await journey.receive(receipt("", "subscribed", service_id="service-1", recipient=PHONE))
    await world.hears(1)
    assert world.told == [("", "subscribe")]


async def test_an_unreadable_draft(
    make: Make, journey: Journey, customer: Customer, world: World, damage: Damage
) -> None:
    """Its caller hears what became of it all the same, and so do others."""
    bad, good = await journey.sent("bad"), await journey.sent("good")
    damage("UPDATE messages SET draft = '{' WHERE id = ?", bad)
    make()
    await world.hears(2)
    public = journey.store.message_ids.public
    assert world.told == [(public(bad), "Sent"), (public(good), "Sent")]


# --- how it is told --------------------------------------------------------------------------------------------------


async def test_signed(make: Make, journey: Journey, customer: Customer, world: World, clock: HandClock) -> None:
    clock.set(SystemClock().now())  # receivers look at their own clock
    make()
    await journey.sent("t")
    await world.hears(1)
    (post,) = world.posts
    assert Webhook(signature.as_text(SECRET)).verify(post.body, post.headers) == post.reports
    with pytest.raises(WebhookVerificationError):
        Webhook(signature.as_text(bytes(32))).verify(post.body, post.headers)


async def test_the_same_id_over_all_tries(
    make: Make, journey: Journey, customer: Customer, world: World, clock: HandClock
) -> None:
    """And the same body; the time is that of the try."""
    world.answer = lambda _: REFUSED
    make()
    await journey.sent("1")
    for tries, wait in enumerate((*RETRIES[:3], 0), start=1):
        await world.hears(tries)

        async def stored(tries: int = tries) -> bool:
            return bool((await only(customer)).tries == tries)

        await eventually(stored)
        clock.advance(wait)
    first, *more = world.posts
    assert {(post.body, post.headers["webhook-id"]) for post in more} == {(first.body, first.headers["webhook-id"])}
    assert len({post.headers["webhook-timestamp"] for post in world.posts}) == 4
    assert len({post.headers["webhook-signature"] for post in world.posts}) == 4


async def only(customer: Customer) -> Any:
    """Return the only report of the account."""
    (message,) = await customer.store.list_messages(Filter(account_id=ACCOUNT))
    (row,) = (await customer.journey.story(message.id)).callbacks
    return row


async def test_without_a_secret_unsigned(
    make: Make, journey: Journey, customer: Customer, world: World, damage: Damage
) -> None:
    damage("UPDATE accounts SET callback_secret = NULL WHERE id = ?", 7)
    make()
    await journey.sent("t")
    await world.hears(1)
    assert world.posts[0].headers == {}


async def test_the_address_is_resolved(make: Make, journey: Journey, customer: Customer, world: World) -> None:
    make(resolve=lambda url: url.replace("shop.example", "127.0.0.1:4711"))
    await journey.sent("t")
    await world.hears(1)
    assert world.posts[0].url == "https://127.0.0.1:4711/hook"


@pytest.mark.parametrize("what", ["secret", "status"])
async def test_what_cannot_be_written_is_listed_and_holds_up_nothing(
    make: Make, journey: Journey, customer: Customer, world: World, clock: HandClock,
    damage: Damage, what: str,
) -> None:  # fmt: skip
    def broken(sealed: bytes, account_id: int) -> bytes:
        if account_id == 7:
            raise ValueError("no such key")
        return SECRET

    await customer.exist(8, "service-8")
    await customer.listen("https://other.example/", account_id=8)
    await journey.sent("t", ttl=1_209_600)
    if what == "status":
        damage("UPDATE callbacks SET status = 'Bogus' WHERE account_id = ?", 7)
    make(open_secret=broken if what == "secret" else open_secret)
    for tries, wait in enumerate((*RETRIES, 0), start=1):

        async def tried(tries: int = tries) -> bool:
            return bool((await only(customer)).tries == tries)

        await eventually(tried)
        clock.advance(wait)
    (dead,) = await customer.dead()
    assert (dead.state, dead.answer) == ("undeliverable", "It could not be written: ValueError.")
    await journey.sent("8", account_id=8)
    await world.hears(1)
    assert [post.url for post in world.posts] == ["https://other.example/"]


# --- nobody waits for another ----------------------------------------------------------------------------------------


async def test_hundreds_that_hang_and_one_that_answers(
    make: Make, journey: Journey, customer: Customer, world: World
) -> None:
    """While every other endpoint hangs, the healthy one hears each report, one after the other."""
    dead = 300
    hang: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()
    world.answer = lambda url: HEARD if url == URL else hang
    for n in range(dead):
        await customer.listen(f"https://dead.example/{n}", sender=f"dead {n}")
    failure = Failure(code="SenderPaused", reason="")
    await asyncio.gather(*(journey.accept(sender=f"dead {n}", failure=failure) for n in range(dead)))
    make()

    async def all_hang() -> bool:
        return world.open == dead

    await eventually(all_hang)
    before = len(world.posts)
    for n in range(10):
        await journey.accept(failure=failure)
        await world.hears(before + n + 1)
        assert world.open == dead
    assert {post.url for post in world.posts[before:]} == {URL}
    hang.set_result(SILENT)
    await journey.accept(failure=failure)
    await world.hears(before + 11)


async def test_one_hanging_call_does_not_end_the_others(
    make: Make, journey: Journey, customer: Customer, world: World
) -> None:
    """The calls of a turn are out at the same time."""
    hang: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()
    world.answer = lambda _: hang
    await customer.listen(batch=1)
    for n in range(PARALLEL + 1):
        await journey.sent(str(n))
    make()
    await world.hears(PARALLEL)
    assert world.open == PARALLEL
    hang.set_result(HEARD)
    await world.hears(PARALLEL + 1)


# --- stopping, crashing, and a store that is away --------------------------------------------------------------------


async def test_stop_lets_open_calls_end(make: Make, journey: Journey, customer: Customer, world: World) -> None:
    answer: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()
    world.answer = lambda _: answer
    sender = make()
    await journey.sent("t")
    await world.hears(1)
    stopping = asyncio.create_task(sender.stop())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    answer.set_result(HEARD)
    await asyncio.wait_for(stopping, 10)
    assert (await only(customer)).state == "heard"
    await journey.receive(receipt("t", "read"))
    await asyncio.sleep(0.05)
    assert len(world.told) == 1  # it claims no more


async def test_stop_without_a_start(store: Store, world: World, clock: HandClock) -> None:
    await CallbackSender(store, world.post, clock, Metrics(), open_secret, lambda: 0.0, report_sms=True).stop()


async def test_a_crash_loses_nothing(
    make: Make, journey: Journey, customer: Customer, world: World, clock: HandClock
) -> None:
    """A node dies with the call open: another tells the same under the same id, once the lease is over."""
    hang: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()
    world.answer = lambda _: hang
    make()
    await journey.sent("1")
    await world.hears(1)
    world.answer = lambda _: HEARD
    make()
    clock.advance(LEASE)
    await world.hears(2)
    one, again = world.posts
    assert (one.body, one.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])
    hang.set_result(SILENT)  # the dead node wakes up: nothing changes
    await recorded(customer, "heard", 1)
    clock.advance(RETRIES[0])
    await journey.receive(receipt("1", "read"))
    await world.hears(3)
    assert [status for _, status in world.told] == ["Sent", "Sent", "Read"]


@pytest.mark.parametrize("verb", ["claim_endpoints", "reported", "record_turn"])
@pytest.mark.parametrize("error", [StoreUnavailable("away"), RuntimeError("a fault of ours")])
async def test_a_store_that_is_away(
    make: Make, journey: Journey, customer: Customer, world: World, clock: HandClock, verb: str, error: Exception
) -> None:
    """It goes on when the store is back; what was told but not stored is told again under the same id."""
    await journey.sent("t")
    unsteady = Unsteady(journey.store, error, **{verb: 1})
    make(unsteady)

    async def failed() -> bool:
        return unsteady.failures[verb] == 0

    await eventually(failed)
    if verb == "claim_endpoints":
        assert world.posts == []
    clock.advance(LEASE)
    await recorded(customer, "heard", 1)
    assert len(world.posts) == (2 if verb == "record_turn" else 1)
    assert len({post.headers["webhook-id"] for post in world.posts}) == 1
