"""Senders in the store: what accounts apply for, and what is decided, on both databases."""

from __future__ import annotations

from secrets import token_bytes
from typing import Any

import pytest

from chatgate.domain.account import Standing
from chatgate.domain.review import Decision, NotPossible
from chatgate.domain.sender_request import AuditResult, SenderRequest
from chatgate.errors import NotFound
from chatgate.store import senders
from chatgate.store.reviews import Kind
from chatgate.store.senders import (
    Answer,
    Application,
    Filing,
    Revision,
    SenderExists,
    SenderJudgement,
    TooManyRequests,
)
from chatgate.store.store import Store
from tests.store.customer import Customer
from tests.store.journey import ACCOUNT

STRANGER = 2


def request(request_no: str = "r1", now: int = 1000) -> SenderRequest:
    return SenderRequest(
        request_no=request_no, space_id="s", request_type="viberOpen", result=AuditResult.OPEN, reason="",
        record={"Logo": ["x"]}, creator="ak", modifier="ak", created_at=now, changed_at=now,
    )  # fmt: skip


def filing(request_no: str = "r1", now: int = 1000, **changes: Any) -> Filing:
    return Filing(**{"account_id": ACCOUNT, "request": request(request_no, now), "nonce": token_bytes(16), **changes})


def answer(granted: bool = True, account_id: int = ACCOUNT, **more: Any) -> Answer:
    return Answer(
        account_id=account_id, request_no="r1", granted=granted, reviewer="root", reason="Because.", now=3000, **more
    )


async def standings(store: Store, account_id: int = ACCOUNT) -> dict[str, Standing]:
    view = await store.load_view(account_id, 0)
    assert view is not None
    return {sender.sender: sender.standing for sender in view.senders.values()}


async def test_filed_and_revised(store: Store, customer: Customer) -> None:
    assert await store.file_request(filing())
    assert await store.find_request(ACCOUNT, "r1") == request()
    revision = Revision(
        account_id=ACCOUNT, request_no="r1", space_id="s", record={"AgeLimit": "18"}, author="ak-2", now=2000,
        nonce=token_bytes(16),
    )  # fmt: skip
    assert await store.revise_request(revision)
    assert not await store.revise_request(revision)  # its nonce is used
    found = await store.find_request(ACCOUNT, "r1")
    assert found is not None
    assert (found.record, found.creator, found.modifier) == ({"AgeLimit": "18"}, "ak", "ak-2")
    assert (found.created_at, found.changed_at) == (1000, 2000)
    for wrong in ({"account_id": STRANGER}, {"request_no": "r2"}, {"space_id": "other"}):
        given = {name: getattr(revision, name) for name in revision.__struct_fields__} | {"nonce": token_bytes(16)}
        with pytest.raises(NotFound):
            await store.revise_request(Revision(**given | wrong))


async def test_a_used_nonce_files_nothing(store: Store, customer: Customer) -> None:
    nonce = token_bytes(16)
    assert await store.file_request(filing(nonce=nonce))
    assert not await store.file_request(filing("r2", nonce=nonce))
    assert [one.request_no for one in await store.list_requests(ACCOUNT, 10)] == ["r1"]


async def test_no_more_open_ones_than_an_account_can_have(
    store: Store, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "MOST_OPEN", 1)  # a limit, not a part
    await store.file_request(filing())
    with pytest.raises(TooManyRequests):
        await store.file_request(filing("r2"))
    await store.answer_request(answer(False))
    assert await store.file_request(filing("r2"))


async def test_the_last_changed_comes_first(store: Store, customer: Customer) -> None:
    for number, request_no in enumerate(["a", "b", "c"]):
        await store.file_request(filing(request_no, 1000 + number))
    assert [one.request_no for one in await store.list_requests(ACCOUNT, 2)] == ["c", "b"]
    assert await store.list_requests(STRANGER, 2) == []


async def test_granted(store: Store, customer: Customer) -> None:
    await store.file_request(filing())
    closed = await store.answer_request(answer(sender="777", service_id="4100"))
    assert closed == await store.find_request(ACCOUNT, "r1")
    assert (closed.result, closed.reason, closed.audited_at) == (AuditResult.PASS, "Because.", 3000)
    assert (closed.sender, closed.service_id) == ("777", "4100")
    assert await standings(store) == {"27549": Standing.APPROVED, "777": Standing.APPROVED}
    (review,) = await store.reviews(ACCOUNT, Kind.SENDER, "777")
    assert (review.standing, review.reviewer, review.reason) == ("approved", "root", "Because.")
    assert ACCOUNT in await store.accounts_changed_since(3000)
    with pytest.raises(NotPossible):
        await store.answer_request(answer(False))


async def test_a_grant_for_a_sender_that_is_approved_changes_nothing(store: Store, customer: Customer) -> None:
    await store.file_request(filing())
    with pytest.raises(NotPossible):
        await store.answer_request(answer(sender="27549"))
    assert await store.find_request(ACCOUNT, "r1") == request()


async def test_of_a_stranger(store: Store, customer: Customer) -> None:
    await customer.exist(STRANGER, service="9")
    await store.file_request(filing())
    assert await store.find_request(STRANGER, "r1") is None
    with pytest.raises(NotFound):
        await store.answer_request(answer(account_id=STRANGER, sender="777"))
    await store.apply_for_sender(application("555"))
    with pytest.raises(NotFound):
        await store.judge_sender(judgement("555", Decision.APPROVE, account_id=STRANGER))
    assert await standings(store, STRANGER) == {"27549": Standing.APPROVED}
    assert await store.find_request(ACCOUNT, "r1") == request()


def application(sender: str) -> Application:
    return Application(account_id=ACCOUNT, sender=sender, service_id="4100", author="root", now=1)


def judgement(sender: str, decision: Decision, account_id: int = ACCOUNT) -> SenderJudgement:
    return SenderJudgement(
        account_id=account_id, sender=sender, decision=decision, reviewer="root", reason="Because.", now=2
    )


async def test_the_life_of_a_sender(store: Store, customer: Customer) -> None:
    await store.apply_for_sender(application("777"))
    with pytest.raises(SenderExists):
        await store.apply_for_sender(application("777"))
    for decision in (Decision.PAUSE, Decision.PROHIBIT, Decision.RESUME):
        with pytest.raises(NotPossible):
            await store.judge_sender(judgement("777", decision))
    for decision, standing in (
        (Decision.REJECT, Standing.REJECTED), (Decision.APPROVE, Standing.APPROVED), (Decision.PAUSE, Standing.PAUSED),
        (Decision.RESUME, Standing.APPROVED), (Decision.PAUSE, Standing.PAUSED),
        (Decision.PROHIBIT, Standing.PROHIBITED),
    ):  # fmt: skip
        assert await store.judge_sender(judgement("777", decision)) is standing
        assert (await standings(store))["777"] is standing
    assert [one.standing for one in await store.reviews(ACCOUNT, Kind.SENDER, "777")] == [
        "pending", "rejected", "approved", "paused", "approved", "paused", "prohibited",
    ]  # fmt: skip
    assert (await store.sender_pauses(ACCOUNT), await store.sender_pauses(STRANGER)) == (2, 0)
    assert await customer.claim() == []  # accounts are told of templates, not of senders
