"""The past in pages: what is in it, for whom, and that no page skips or repeats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from chatgate.clock import SECOND, HandClock
from chatgate.domain.account import Sender, Space, Standing, Template
from chatgate.domain.history import Entry, Page, Question
from chatgate.domain.message import Failure, FallbackOrder, FallbackState, Label, Message, Status
from chatgate.domain.receipt import Reply
from chatgate.store import database, history
from chatgate.store.accounts import NewAccount, Possessions
from chatgate.store.history import BOUNDS, Bounds, TooFarBack
from chatgate.store.replies import ReplyArrival
from tests.store.conftest import Tamper
from tests.store.journey import ACCOUNT, DRAFT, PHONE, Journey, receipt

SPACE = DRAFT.space_id
OTHER_PHONE = "639170000002"
ASKED = Question(
    channel="viber", sender=DRAFT.sender, space_id=SPACE, outbound=True, inbound=True, index=1, size=100
)  # fmt: skip


def asked(**changes: Any) -> Question:
    return msgspec.structs.replace(ASKED, **changes)


class Past:
    """What was taken, newest first, and what the store says of it."""

    def __init__(self, journey: Journey, connection: Connection) -> None:
        self.journey = journey
        self.store = journey.store
        self._connection = connection

    async def account(self, account_id: int = ACCOUNT, service_id: str = DRAFT.service_id) -> None:
        """Make an account with a space, the sender of ``DRAFT`` and a template."""
        own = Possessions(
            spaces=[Space(space_id=SPACE)],
            senders=[Sender(sender=DRAFT.sender, channel="viber", service_id=service_id, standing=Standing.APPROVED)],
            templates=[
                Template(template_code="welcome", language="en", name="Welcome!", body="x", standing=Standing.APPROVED)
            ],
        )
        await self.store.create_account(
            NewAccount(account_id=account_id, name=f"account {account_id}", now=1, possessions=own)
        )

    async def reply(self, text: str = "Thanks", phone: str = PHONE, service_id: str = DRAFT.service_id) -> None:
        reply = Reply(provider="viber", service_id=service_id, recipient=phone, at=1, text=text)
        arrival = ReplyArrival(
            replies=[reply], received_at=self.journey.clock.now(), keys=self.store.keys.next, public_id=self.public
        )
        assert await self.store.take_replies(arrival) == 1

    def public(self, key: int) -> str:
        return self.store.message_ids.public(key)

    async def page(self, account_id: int = ACCOUNT, **changes: Any) -> Page:
        return await self.store.history(account_id, asked(**changes))

    async def listed(self, account_id: int = ACCOUNT, **changes: Any) -> list[object]:
        """Return keys of messages and texts of replies, as they are listed."""
        found = await self.page(account_id, **changes)
        assert found.total == len(found.entries)
        return [what(entry) for entry in found.entries]

    def bounded(self, bounds: Bounds, **changes: Any) -> Page:
        """Return a page that is looked for within other bounds."""
        with self._connection.begin():
            return history.page(self._connection, ACCOUNT, asked(**changes), self.public, bounds)


def what(entry: Entry) -> object:
    return entry.what.id if isinstance(entry.what, Message) else entry.what.text


@pytest.fixture
async def past(journey: Journey, url: str) -> AsyncIterator[Past]:
    engine = database.open_reader(url)
    with engine.connect() as connection:
        yield Past(journey, connection)
    engine.dispose()


async def test_newest_first_messages_and_replies(past: Past, clock: HandClock) -> None:
    await past.account()
    first = await past.journey.accept()
    clock.advance(1)
    await past.reply("one")
    clock.advance(1)
    second = await past.journey.accept()
    clock.advance(1)
    await past.reply("two")
    assert await past.listed() == ["two", second, "one", first]
    assert await past.listed(inbound=False) == [second, first]
    assert await past.listed(outbound=False) == ["two", "one"]
    assert await past.listed(outbound=False, inbound=False) == []


async def test_entry(past: Past, clock: HandClock) -> None:
    await past.account()
    key = await past.journey.accept(template_code="welcome", language="en")
    entry = (await past.page()).entries[0]
    assert (entry.public_id, entry.at, entry.template_name) == (past.public(key), clock.now(), "Welcome!")
    assert entry.what == await past.journey.message(key)


async def test_filters(past: Past, clock: HandClock) -> None:
    await past.account()
    journey = past.journey
    sent = await journey.sent("t")
    refused = await journey.accept(failure=Failure(code="SenderPaused", reason="It is paused."))
    template = await journey.accept(template_code="welcome")
    elsewhere = await journey.accept(recipient=OTHER_PHONE, template_code="farewell")
    await past.reply("theirs", OTHER_PHONE)
    await past.reply("ours")
    every = {"ours", "theirs", elsewhere, template, refused, sent}
    assert set(await past.listed()) == every
    assert set(await past.listed(number=PHONE)) == every - {"theirs", elsewhere}
    assert set(await past.listed(number=OTHER_PHONE)) == {"theirs", elsewhere}
    assert await past.listed(number="63917000000") == []
    assert set(await past.listed(inbound=False, template_code="welcome")) == {template}
    assert set(await past.listed(inbound=False, statuses=frozenset({Status.SENT, Status.FAILED}))) == {sent, refused}
    assert await past.listed(inbound=False, statuses=frozenset()) == []
    assert await past.listed(inbound=False, template_code="farewell", number=PHONE) == []
    await journey.receive(receipt("t", "read", at=clock.now()))
    assert await past.listed(inbound=False, statuses=frozenset({Status.READ})) == [sent]


async def test_both_ends_of_a_range_are_in_it(past: Past, clock: HandClock) -> None:
    await past.account()
    start = clock.now()
    keys = []
    for _ in range(5):
        keys.append(await past.journey.accept())
        clock.advance(1)
    await past.reply("late")
    assert await past.listed(since=start + 1, until=start + 3) == keys[3:0:-1]
    assert await past.listed(since=start + 4) == ["late", keys[4]]
    assert await past.listed(until=start) == [keys[0]]
    assert await past.listed(since=start + 2, until=start + 2) == [keys[2]]
    assert await past.listed(until=start - 1) == []
    assert await past.listed(since=start + 6) == []
    assert await past.listed(until=0) == []
    assert await past.listed(since=10**18, until=10**18) == []


async def test_accounts_spaces_and_senders_are_apart(past: Past) -> None:
    await past.account()
    await past.account(8, "service-8")
    ours = await past.journey.accept()
    theirs = await past.journey.accept(account_id=8)
    spaced = await past.journey.accept(space_id="another")
    sender = await past.journey.accept(sender="27550")
    await past.reply("ours")
    await past.reply("theirs", service_id="service-8")
    assert await past.listed() == ["ours", ours]
    assert await past.listed(8) == ["theirs", theirs]
    assert await past.listed(inbound=False, space_id="another") == [spaced]
    assert await past.listed(sender="27550") == [sender]
    assert await past.listed(9) == []


async def test_the_sms_of_a_fallback_is_no_entry(past: Past, clock: HandClock) -> None:
    order = FallbackOrder(
        policy_id="S_000001", content="plain text", duration=60, rule="undelivered", sms_sender="ACME", lane="sms"
    )
    key = await past.journey.accept(
        fallback=order, label=Label.TRANSACTION, failure=Failure(code="SenderPaused", reason="x")
    )
    story = await past.journey.story(key)
    assert story.sms is not None
    found = (await past.page()).entries
    assert [what(entry) for entry in found] == [key]
    assert isinstance(found[0].what, Message)
    assert found[0].what.fallback_state is FallbackState.FIRED


async def test_what_is_unreadable_hides_nothing_else(past: Past, tamper: Tamper) -> None:
    await past.account()
    first, broken, last = [await past.journey.accept() for _ in range(3)]
    tamper("UPDATE messages SET draft = ? WHERE id = ?", "{", broken)
    await past.reply("broken")
    await past.reply("ours")
    tamper("UPDATE replies SET reply = ? WHERE reply LIKE '%broken%'", "{")
    assert await past.listed() == ["ours", None, last, broken, first]


# --- pages ------------------------------------------------------------------------------------------------------------


async def accept_many(past: Past, count: int) -> list[int]:
    """Accept messages, a third of them in each millisecond to another number; answer the keys, newest first."""
    keys: list[int] = []
    for start in range(0, count, 500):
        some = [
            past.journey.accept(recipient=OTHER_PHONE if n % 3 == 0 else PHONE)
            for n in range(start, min(start + 500, count))
        ]
        keys += await asyncio.gather(*some)
        past.journey.clock.advance(1)
    return sorted(keys, reverse=True)


async def test_pages_of_three_thousand(past: Past) -> None:
    keys = await accept_many(past, 3000)
    for index in (1, 2, 17, 29, 30):
        found = await past.page(index=index)
        assert [what(entry) for entry in found.entries] == keys[(index - 1) * 100 : index * 100]
        assert found.total == 3000
    for index in (31, 32, 10**9, 10**30):
        assert await past.page(index=index) == Page(entries=[], total=3000)
    seven = [await past.page(index=index, size=7) for index in (1, 428, 429, 430)]
    assert [[what(entry) for entry in found.entries] for found in seven] == [
        keys[:7], keys[427 * 7 : 428 * 7], keys[428 * 7 :], [],
    ]  # fmt: skip
    assert (await past.page(number=OTHER_PHONE)).total == 1000


async def read_all(past: Past, between: Sequence[int] = (), **changes: Any) -> list[object]:
    """Return all that is listed, page by page; ``between`` has how many messages arrive before the next page."""
    read: list[object] = []
    for index in range(1, 100):
        found = await past.page(index=index, size=10, **changes)
        if not found.entries:
            return read
        read += [what(entry) for entry in found.entries]
        for _ in range(between[index - 1] if index <= len(between) else 0):
            await past.journey.accept()
    raise AssertionError("there is no end")


async def test_pages_stand_still_up_to_a_time(past: Past, clock: HandClock) -> None:
    keys = await accept_many(past, 45)
    until = clock.now()
    clock.advance(1)
    assert await read_all(past, [1, 12, 0, 3], until=until) == keys


async def test_new_messages_repeat_older_ones_and_hide_none(past: Past) -> None:
    keys = await accept_many(past, 45)
    read = await read_all(past, [1, 12, 0, 3])
    assert [key for key in dict.fromkeys(read) if key in keys] == keys
    assert len(read) == 45 + 1 + 12 + 3


@pytest.mark.parametrize("stride", [1, 2, 7, 1000])
async def test_strides_change_nothing(past: Past, stride: int) -> None:
    await past.account()
    for n in range(12):
        await past.journey.accept(recipient=PHONE if n % 4 else OTHER_PHONE, space_id="b" if n == 5 else SPACE)
        if n % 3 == 0:
            await past.reply(f"reply {n}", PHONE if n % 2 else OTHER_PHONE)
    bounds = Bounds(stride=stride, looked_at=1000 * stride)
    for number in (None, PHONE, OTHER_PHONE, "1"):
        every = past.bounded(BOUNDS, number=number)
        assert every.total == len(every.entries)
        for size in (1, 3, 10, 100):
            indexes = range(1, every.total // size + 3)
            pages = [past.bounded(bounds, number=number, index=index, size=size) for index in indexes]
            assert [entry for page in pages for entry in page.entries] == every.entries
            assert {page.total for page in pages} == {every.total}
            assert all(len(page.entries) in (0, size) for page in pages[: every.total // size])


async def test_work_is_bounded(past: Past) -> None:
    keys = await accept_many(past, 45)
    bounds = Bounds(stride=10, looked_at=30, counted=15)

    def listed(**changes: Any) -> tuple[list[object], int | None]:
        found = past.bounded(bounds, **{"size": 5, **changes})
        return [what(entry) for entry in found.entries], found.total

    assert listed() == (keys[:5], None)
    assert listed(index=6) == (keys[25:30], None)
    for further in ({"index": 7}, {"index": 4, "size": 8}, {"index": 100}, {"number": "1"}):
        with pytest.raises(TooFarBack):
            listed(**further)
    assert listed(since=past.journey.clock.now() + SECOND) == ([], 0)


async def test_all_is_counted_where_it_is_little(past: Past) -> None:
    await accept_many(past, 29)
    assert past.bounded(Bounds(stride=10, looked_at=30, counted=0), size=1).total is None
    assert past.bounded(Bounds(stride=10, looked_at=30, counted=20), size=1).total == 29
