"""Mass sendings: all messages or none, one nonce, and what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from secrets import token_bytes

import msgspec
import pytest

from chatgate.domain.history import Question
from chatgate.domain.message import Draft, Failure, FallbackState, RetryKey, Status
from chatgate.store.acceptance import Accepted
from chatgate.store.groups import GroupAcceptance, Member
from chatgate.store.search import Filter
from chatgate.store.store import Store
from tests.store.conftest import Open
from tests.store.customer import Customer
from tests.store.journey import ACCOUNT, LANE, Journey, draft, order, retry_key

FAILURE = Failure(code="InvalidParameter.TemplateParams", reason="A variable has no value.")


def receivers(count: int, **changes: object) -> list[Draft]:
    return [draft(recipient=f"6391700{n:05}", **changes) for n in range(count)]


def acceptance(
    journey: Journey, drafts: Sequence[Draft], *, nonce: bytes | None = None, retry: RetryKey | None = None
) -> GroupAcceptance:
    next_key = journey.store.keys.next
    return GroupAcceptance(
        key=next_key(), account_id=ACCOUNT, nonce=nonce or token_bytes(16), retry=retry, request_id="REQUEST",
        members=[Member(key=next_key(), draft=one, lane=LANE) for one in drafts], now=journey.clock.now(),
        keys=next_key,
    )  # fmt: skip


async def accept(journey: Journey, drafts: Sequence[Draft], **more: object) -> Accepted:
    return await journey.store.accept_group(acceptance(journey, drafts, **more))  # type: ignore[arg-type]


async def stored(journey: Journey) -> int:
    return len(await journey.store.list_messages(Filter(account_id=ACCOUNT, limit=1000)))


async def test_each_message_tells_why_the_call_was_allowed(journey: Journey) -> None:
    asked = msgspec.structs.replace(acceptance(journey, receivers(2)), allowed_by="alice may call.")
    await journey.store.accept_group(asked)
    for member in asked.members:
        story = await journey.store.story(ACCOUNT, member.key)
        assert story is not None
        assert [(note.event, note.detail) for note in story.notes] == [("allowed", "alice may call.")]


async def test_every_message_is_stored_and_due(journey: Journey) -> None:
    accepted = await accept(journey, receivers(1000))
    assert accepted.stored
    found = await journey.store.list_messages(Filter(account_id=ACCOUNT, limit=1000))
    assert [message.draft for message in reversed(found)] == receivers(1000)
    assert {(message.group_id, message.request_id, message.status) for message in found} == {
        (accepted.key, "REQUEST", Status.ACCEPTED)
    }
    assert await journey.store.group_progress(ACCOUNT, accepted.key) == {Status.ACCEPTED: 1000}
    assert (await journey.store.backlog(journey.clock.now())).due == 1000
    assert len((await journey.claim()).to_send) == 100


async def test_a_used_nonce_stores_nothing(journey: Journey) -> None:
    nonce = token_bytes(16)
    assert (await accept(journey, receivers(2), nonce=nonce)).stored
    assert (await accept(journey, receivers(3), nonce=nonce)).nonce_used
    assert (await journey.try_accept(nonce=nonce)).nonce_used
    assert await stored(journey) == 2


async def test_all_or_none(journey: Journey) -> None:
    """One message that cannot be stored takes the others, the nonce and the retry key back; its neighbours go on."""
    taken = await journey.accept()
    good = acceptance(journey, receivers(3), retry=retry_key("a"))
    bad = msgspec.structs.replace(good, members=[*good.members, msgspec.structs.replace(good.members[0], key=taken)])
    answers = await asyncio.gather(journey.store.accept_group(bad), journey.try_accept(), return_exceptions=True)
    assert isinstance(answers[0], Exception)
    assert isinstance(answers[1], Accepted)
    assert await stored(journey) == 2
    assert (await journey.store.accept_group(good)).stored


async def test_a_repeated_call_has_the_same_group(journey: Journey, open_store: Open) -> None:
    first = await accept(journey, receivers(2), retry=retry_key("a"))
    other = Journey(await open_store(), journey.clock)
    again = await accept(other, receivers(2), retry=retry_key("a"))
    assert (again.repeated, again.key) == (True, first.key)
    assert (await accept(journey, receivers(2), retry=retry_key("a", "another request"))).mismatch
    assert await stored(journey) == 2


async def test_several_in_one_transaction(journey: Journey) -> None:
    answers = await asyncio.gather(*(accept(journey, receivers(20)) for _ in range(5)), journey.try_accept())
    assert all(answer.stored for answer in answers)
    assert await stored(journey) == 101


async def test_who_fails_at_once_falls_back_at_once(customer: Customer) -> None:
    """The SMS belongs to the group, and is not counted; the report of the failure is told."""
    journey = customer.journey
    good, bad = receivers(2, fallback=order(rule="sentFailed"))
    accepted = await accept(journey, [good, msgspec.structs.replace(bad, failure=FAILURE)])
    progress = await journey.store.group_progress(None, accepted.key)
    assert progress == {Status.ACCEPTED: 1, Status.FAILED: 1}
    found = await journey.store.list_messages(Filter(account_id=ACCOUNT))
    (failed,) = [message for message in found if message.status is Status.FAILED]
    (sms,) = [message for message in found if message.parent_id is not None]
    assert (failed.failure, failed.due_at, failed.fallback_state) == (FAILURE, None, FallbackState.FIRED)
    assert (sms.parent_id, sms.group_id) == (failed.id, accepted.key)
    assert await customer.hear() == [("Failed", failed.id)]


async def test_progress_follows(journey: Journey) -> None:
    accepted = await accept(journey, receivers(4))
    one, two, *_ = (await journey.claim()).to_send
    await journey.record(one, "sent", token="1")
    await journey.record(two, "refused", code="SRVC_NOT_VIBER_USER")
    progress = await journey.store.group_progress(ACCOUNT, accepted.key)
    assert progress == {Status.SENDING: 2, Status.SENT: 1, Status.FAILED: 1}
    assert list(progress) == [Status.SENDING, Status.SENT, Status.FAILED]  # in the order of a life


async def test_groups_of_others_are_not_there(journey: Journey) -> None:
    accepted = await accept(journey, receivers(2))
    assert await journey.store.group_progress(ACCOUNT + 1, accepted.key) == {}
    assert await journey.store.group_progress(ACCOUNT, accepted.key + 1) == {}


# --- the past of a group ---------------------------------------------------------------------------------------------


def question(group: str, **changes: object) -> Question:
    asked = Question(
        channel="viber", sender="27549", space_id="282514865123580001", outbound=True, inbound=False, group=group,
        index=1, size=10,
    )  # fmt: skip
    return msgspec.structs.replace(asked, **changes)


async def test_history_of_a_group(journey: Journey) -> None:
    await journey.accept()
    group = await accept(journey, receivers(3))
    await accept(journey, receivers(2))
    await journey.accept()
    store = journey.store
    public = store.message_ids.public(group.key)
    page = await store.history(ACCOUNT, question(public))
    assert page.total == 3
    assert {one.what.group_id for one in page.entries if hasattr(one.what, "group_id")} == {group.key}
    assert len((await store.history(ACCOUNT, question(public, size=2, index=2))).entries) == 1
    assert (await store.history(ACCOUNT, question(public, number="639170000001"))).total == 1
    assert (await store.history(ACCOUNT, question(public, statuses=frozenset({Status.READ})))).total == 0
    assert (await store.history(ACCOUNT, question(public, sender="1"))).total == 0
    assert (await store.history(ACCOUNT, question(public, space_id="another"))).total == 0
    assert (await store.history(ACCOUNT + 1, question(public))).total == 0


@pytest.mark.parametrize("group", ["1", "", "é" * 24, "0" * 24])
async def test_history_of_no_group(store: Store, group: str) -> None:
    assert (await store.history(ACCOUNT, question(group))).total == 0


async def test_history_of_a_message_that_is_no_group(journey: Journey) -> None:
    key = await journey.accept()
    assert (await journey.store.history(ACCOUNT, question(journey.store.message_ids.public(key)))).total == 0


async def test_reports_know_the_group(journey: Journey) -> None:
    accepted = await accept(journey, receivers(1))
    (message,) = await journey.store.list_messages(Filter(account_id=ACCOUNT))
    reported = await journey.store.reported([message.id])
    assert reported[message.id][0].group_id == accepted.key
