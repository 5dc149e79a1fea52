from __future__ import annotations

from typing import Any

from chatgate.clock import HandClock
from chatgate.domain.message import Content, Status
from chatgate.store.search import LONGEST_LIST, Backlog, Filter
from tests.store.conftest import Tamper
from tests.store.journey import ACCOUNT, LANE, PHONE, Journey, receipt


async def found(journey: Journey, **conditions: Any) -> list[int]:
    wanted = Filter(**{"account_id": ACCOUNT, **conditions})
    return [message.id for message in await journey.store.list_messages(wanted)]


async def test_newest_first(journey: Journey, clock: HandClock) -> None:
    keys = []
    for _ in range(5):
        keys.append(await journey.accept())
        clock.advance(1)
    assert await found(journey) == keys[::-1]
    assert await found(journey, limit=2) == [keys[4], keys[3]]
    assert await found(journey, limit=2, before_key=keys[3]) == [keys[2], keys[1]]
    assert await found(journey, limit=10 * LONGEST_LIST) == keys[::-1]


async def test_filters(journey: Journey, clock: HandClock) -> None:
    early = await journey.accept()
    clock.advance(1000)
    noon = clock.now()
    other = await journey.accept(recipient="639170000002")
    viber = await journey.sent("t")
    sms = await journey.accept(channel="sms", content=Content(text="A receipt"))
    assert await found(journey, to="639170000002") == [other]
    assert await found(journey, to="63917000000") == []
    assert await found(journey, status=Status.SENT) == [viber]
    assert await found(journey, channel="sms") == [sms]
    assert await found(journey, since=noon) == [sms, viber, other]
    assert await found(journey, since=noon + 1) == []
    assert await found(journey, text="code is 12") == [viber, other, early]
    assert await found(journey, text="A rec", channel="sms", to=PHONE, status=Status.ACCEPTED) == [sms]
    assert await found(journey, text="A rec", channel="viber") == []


async def test_any_time(journey: Journey) -> None:
    key = await journey.accept()
    for since in (-1, 0, journey.clock.now()):
        assert await found(journey, since=since) == [key]
    for since in (10**13, 10**18, 10**40):
        assert await found(journey, since=since) == []


TEXTS = [
    "100%", "a_b", "c:\\temp", "'; DROP TABLE messages; --", 'say "hi"', "/slash", "line\nbreak", "\N{SNOWMAN}", "ünï",
    "?", "%s", "$1", "\0", "</script>", "tab\there",
]  # fmt: skip


async def test_text_is_taken_literally(journey: Journey) -> None:
    for decoy in ("100 per cent", "aXb", "c:temp", "before x after", "BEFORE"):
        await journey.accept(content=Content(text=decoy))
    keys = [await journey.accept(content=Content(text=f"before {text} after")) for text in TEXTS]
    for key, text in zip(keys, TEXTS, strict=True):
        assert await found(journey, text=text) == [key]
        assert await found(journey, text=f"before {text} after") == [key]
        assert await found(journey, text=f"before {text}X") == []


async def test_text_is_case_sensitive_and_not_of_other_fields(journey: Journey) -> None:
    await journey.accept(content=Content(text="hello"), tag="viber-tag")
    assert await found(journey, text="HELLO") == []
    assert await found(journey, text="viber-tag") == []
    assert len(await found(journey, text="")) == 1


async def test_message_without_text(journey: Journey) -> None:
    key = await journey.accept(content=Content(link="https://example.com/a.png"))
    assert await found(journey, text="example") == []
    assert await found(journey) == [key]


async def test_accounts_are_apart(journey: Journey) -> None:
    """Another account's message is as one that does not exist: in lists, alone, by any filter."""
    ours, theirs = await journey.accept(), await journey.accept(account_id=8)
    assert await found(journey) == [ours]
    assert await found(journey, account_id=8) == [theirs]
    assert await found(journey, to=PHONE, text="code", status=Status.ACCEPTED, since=0) == [ours]
    assert await journey.store.story(ACCOUNT, theirs) is None
    assert await journey.store.story(8, ours) is None
    assert await journey.store.story(ACCOUNT, 12345) is None
    assert await journey.store.story(None, theirs) is not None


async def test_story(journey: Journey, clock: HandClock) -> None:
    key = await journey.accept()
    message = await journey.claim_one()
    await journey.record(message, "deferred")
    clock.advance(1000)
    message = await journey.claim_one()
    await journey.record(message, "sent", token="t")
    await journey.receive(receipt("t", "read"), receipt("t", "delivered"))
    story = await journey.store.story(ACCOUNT, key)
    assert story is not None
    assert [(attempt.number, attempt.outcome) for attempt in story.attempts] == [(1, "deferred"), (2, "sent")]
    assert [(one.status, one.effect) for one in story.receipts] == [("read", "applied"), ("delivered", "ignored")]
    assert await journey.store.find_token(LANE, "t") == key
    assert await journey.store.find_token("another", "t") is None


async def test_unreadable_message_hides_no_other(journey: Journey, tamper: Tamper) -> None:
    first, broken, last = [await journey.accept() for _ in range(3)]
    tamper("UPDATE messages SET draft = ? WHERE id = ?", "{", broken)
    assert await found(journey) == [last, broken, first]
    assert await found(journey, text="code") == [last, first]
    assert (await journey.message(broken)).draft.content == Content()


async def test_backlog(journey: Journey, clock: HandClock) -> None:
    assert await journey.store.backlog(clock.now()) == Backlog(due=0, oldest_due_at=None, parked_receipts=0)
    oldest = clock.now()
    await journey.accept()
    clock.advance(50)
    await journey.accept()
    await journey.accept(leased=True)
    await journey.receive(receipt("unknown", "read"))
    assert await journey.store.backlog(clock.now()) == Backlog(due=2, oldest_due_at=oldest, parked_receipts=1)
    await journey.claim()
    assert await journey.store.backlog(clock.now()) == Backlog(due=0, oldest_due_at=None, parked_receipts=1)
