"""Templates in the store: made, changed, deleted, reviewed; each change told, and seen by every node."""

from __future__ import annotations

import asyncio
from secrets import token_bytes
from typing import Any

import msgspec
import pytest

from chatgate.domain.account import Standing, Template
from chatgate.domain.message import Content, MessageType
from chatgate.domain.review import Decision, NotPossible, TemplateRecord, TemplateText, Verdict
from chatgate.errors import NotFound
from chatgate.store import database, templates
from chatgate.store.account_row import touch
from chatgate.store.accounts import Gift, Possessions
from chatgate.store.reviews import Kind
from chatgate.store.store import Store
from chatgate.store.templates import (
    Change,
    Creation,
    Deletion,
    Judgement,
    NameProhibited,
    Naming,
    Release,
    ReviewSweep,
    TemplateApproved,
    TemplateExists,
    TooManyTemplates,
    Wanted,
)
from tests.store.conftest import Open
from tests.store.customer import Customer
from tests.store.journey import ACCOUNT

STRANGER = 2
TEXT = TemplateText(
    category="UTILITY", components=[{"Type": "BODY", "Text": "Hello $(name)"}], example={"name": "Ann"},
    message_send_ttl=60,
)  # fmt: skip
APPROVED, PENDING = Verdict(standing=Standing.APPROVED), Verdict(standing=Standing.PENDING)
REJECTED = Verdict(standing=Standing.REJECTED, reason="No.")
PARTS = Content(link="https://cdn.example.com/a.jpg")


def sendable(name: str = "parcel", language: str = "en", code: str = "c1") -> Template:
    return Template(
        template_code=code, language=language, name=name, body="Hello $(name)", standing=Standing.PENDING,
        message_type=MessageType.TEXT_IMAGE, parts=PARTS,
    )  # fmt: skip


def creation(name: str = "parcel", language: str = "en", code: str = "c1", **changes: Any) -> Creation:
    given = {
        "account_id": ACCOUNT, "template": sendable(name, language, code), "text": TEXT, "verdict": APPROVED,
        "author": "ak-1", "now": 1000, "nonce": token_bytes(16), **changes,
    }  # fmt: skip
    return Creation(**given)


def named(name: str = "parcel", language: str | None = "en", account_id: int = ACCOUNT) -> Naming:
    return Naming(account_id=account_id, name=name, language=language)


async def found(store: Store, name: str = "parcel", language: str = "en") -> TemplateRecord:
    record = await store.find_template(named(name, language))
    assert record is not None
    return record


async def audits(customer: Customer) -> list[dict[str, Any]]:
    """Return what the endpoint was told, as far as it is about templates."""
    claimed = await customer.claim()
    bodies = [row.body for one in claimed for batch in one.batches for row in batch.reports]
    for one in claimed:
        await customer.answer(one)
    return [msgspec.json.decode(body) for body in bodies if body is not None]


async def test_created(store: Store, customer: Customer) -> None:
    assert await store.create_template(creation(now=5000)) == "c1"
    record = await found(store)
    template = msgspec.structs.replace(sendable(), standing=Standing.APPROVED)
    assert record == TemplateRecord(template=template, text=TEXT, reason="", created_at=5000, updated_at=5000)
    view = await store.load_view(ACCOUNT, 0)
    assert view is not None
    assert view.templates["c1", "en"] == template
    assert ACCOUNT in await store.accounts_changed_since(5000)
    (review,) = await store.reviews(ACCOUNT, Kind.TEMPLATE, "c1")
    assert (review.standing, review.at, review.reviewer, review.reason) == ("approved", 5000, "ak-1", "")
    assert await audits(customer) == [
        {"WabaId": "", "Type": "template", "TemplateCode": "c1", "Language": "en", "AuditStatus": "pass", "Reason": ""}
    ]


async def test_languages_of_one_name_share_a_code(store: Store, customer: Customer) -> None:
    assert await store.create_template(creation()) == "c1"
    assert await store.create_template(creation(language="de", code="c2")) == "c1"
    assert await store.create_template(creation(name="other", code="c3")) == "c3"
    for _ in range(2):
        with pytest.raises(TemplateExists):
            await store.create_template(creation(code="c4"))


async def test_two_at_once_share_a_code(store: Store, customer: Customer, open_store: Open) -> None:
    """On two nodes; each name and language once."""
    nodes = [store, await open_store()]
    made = await asyncio.gather(
        *(
            node.create_template(creation(language=language, code=language))
            for node in nodes
            for language in ("de", "fr")
        ),
        return_exceptions=True,
    )
    codes = {code for code in made if isinstance(code, str)}
    assert len(codes) == 1
    assert [type(one) for one in made if not isinstance(one, str)] == [TemplateExists] * 2
    records, total = await store.list_templates(Wanted(which=Naming(account_id=ACCOUNT, name="parcel")))
    assert total == 2
    assert {record.template.template_code for record in records} == codes


async def test_a_used_nonce_changes_nothing(store: Store, customer: Customer) -> None:
    nonce = token_bytes(16)
    assert await store.create_template(creation(nonce=nonce)) == "c1"
    assert await store.create_template(creation(name="other", nonce=nonce)) is None
    change = Change(which=named(), template=sendable(), text=TEXT, verdict=APPROVED, author="ak-1", now=1, nonce=nonce)
    assert await store.change_template(change) is None
    assert not await store.remove_template(Deletion(which=named(), author="ak-1", now=1, nonce=nonce))
    assert await store.find_template(named("other")) is None
    assert (await found(store)).updated_at == 1000


async def test_a_refused_change_spends_no_nonce(store: Store, customer: Customer) -> None:
    """The gateway spends it then, with the refusal."""
    await store.create_template(creation())
    nonce = token_bytes(16)
    with pytest.raises(TemplateExists):
        await store.create_template(creation(nonce=nonce))
    with pytest.raises(NotFound):
        await store.remove_template(Deletion(which=named("none"), author="ak-1", now=1, nonce=nonce))
    assert await store.spend_nonce(nonce)


async def test_no_more_than_an_account_can_have(
    store: Store, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templates, "MOST", 2)  # a limit, not a part; the account has one from its beginning
    await store.create_template(creation())
    with pytest.raises(TooManyTemplates):
        await store.create_template(creation(language="de"))
    await store.remove_template(Deletion(which=named(), author="ak-1", now=1, nonce=token_bytes(16)))
    assert await store.create_template(creation(language="de")) == "c1"


def change(verdict: Verdict = PENDING, which: Naming | None = None) -> Change:
    text = TemplateText(category="text", components=[{"Type": "BODY", "Text": "New"}])
    template = Template(template_code="x", language="x", name="x", body="New", standing=Standing.PENDING)
    return Change(
        which=which or named(), template=template, text=text, verdict=verdict, author="ak-2", now=2000,
        nonce=token_bytes(16),
    )  # fmt: skip


@pytest.mark.parametrize("first", [PENDING, REJECTED])
async def test_changed(store: Store, customer: Customer, first: Verdict) -> None:
    await store.create_template(creation(verdict=first))
    changed = await store.change_template(change(REJECTED))
    assert changed == await found(store)
    template = Template(template_code="c1", language="en", name="parcel", body="New", standing=Standing.REJECTED)
    assert (changed.template, changed.reason) == (template, "No.")
    assert (changed.created_at, changed.updated_at) == (1000, 2000)
    assert (changed.text.category, changed.text.example, changed.text.message_send_ttl) == ("text", None, None)


@pytest.mark.parametrize("decision", [None, Decision.PAUSE, Decision.PROHIBIT])
async def test_what_was_approved_stays(store: Store, customer: Customer, decision: Decision | None) -> None:
    await store.create_template(creation())
    if decision is not None:
        await store.judge_template(judgement(decision))
    before = await found(store)
    with pytest.raises(TemplateApproved):
        await store.change_template(change())
    assert await found(store) == before


async def test_of_a_stranger(store: Store, customer: Customer) -> None:
    """An account that names what is another's is told that there is nothing; the owner keeps it."""
    await customer.exist(STRANGER, service="9")
    await store.create_template(creation(verdict=PENDING))
    before = await found(store)
    theirs = (named(account_id=STRANGER), Naming(account_id=STRANGER, code="c1", language="en"))
    for which in theirs:
        assert await store.find_template(which) is None
        assert await store.list_templates(Wanted(which=which)) == ([], 0)
        with pytest.raises(NotFound):
            await store.change_template(change(which=which))
        with pytest.raises(NotFound):
            await store.remove_template(Deletion(which=which, author="x", now=1, nonce=token_bytes(16)))
        with pytest.raises(NotFound):
            await store.judge_template(msgspec.structs.replace(judgement(Decision.APPROVE), which=which))
    assert await store.reviews(STRANGER, Kind.TEMPLATE, "c1") == []
    assert await found(store) == before


async def test_deleted(store: Store, customer: Customer) -> None:
    for language in ("en", "de", "fr"):
        await store.create_template(creation(language=language))
    assert await store.remove_template(Deletion(which=named(), author="ak-1", now=3000, nonce=token_bytes(16)))
    assert await store.find_template(named()) is None
    assert await found(store, language="de")
    everything = Naming(account_id=ACCOUNT, code="c1")
    assert await store.remove_template(Deletion(which=everything, author="ak-1", now=3000, nonce=token_bytes(16)))
    view = await store.load_view(ACCOUNT, 0)
    assert view is not None
    assert set(view.templates) == {("t1", "en")}
    deleted = [one.language for one in await store.reviews(ACCOUNT, Kind.TEMPLATE, "c1") if one.standing == "deleted"]
    assert deleted == ["en", "de", "fr"]


# --- review ----------------------------------------------------------------------------------------------------------


def deletion(which: Naming) -> Deletion:
    return Deletion(which=which, author="ak-1", now=2500, nonce=token_bytes(16))


def judgement(decision: Decision, reason: str = "", partner_ids: dict[str, str] | None = None) -> Judgement:
    return Judgement(
        which=named(), decision=decision, reviewer="root", reason=reason, now=3000, partner_ids=partner_ids
    )


async def test_the_life_of_a_template(store: Store, customer: Customer) -> None:
    await store.create_template(creation(verdict=PENDING))
    steps = [
        (Decision.REJECT, Standing.REJECTED), (Decision.APPROVE, Standing.APPROVED), (Decision.PAUSE, Standing.PAUSED),
        (Decision.RESUME, Standing.APPROVED), (Decision.PROHIBIT, Standing.PROHIBITED),
        (Decision.RESUME, Standing.APPROVED), (Decision.PAUSE, Standing.PAUSED),
        (Decision.PROHIBIT, Standing.PROHIBITED),
    ]  # fmt: skip
    for decision, standing in steps:
        record = await store.judge_template(judgement(decision, f"{decision}, because."))
        assert (record.template.standing, record.reason, record.updated_at) == (standing, f"{decision}, because.", 3000)
        assert record == await found(store)
    told = [(one["AuditStatus"], one["Reason"]) for one in await audits(customer)]
    assert told == [
        ("auditing", ""), ("fail", "reject, because."), ("pass", "approve, because."), ("paused", "pause, because."),
        ("pass", "resume, because."), ("disabled", "prohibit, because."), ("pass", "resume, because."),
        ("paused", "pause, because."), ("disabled", "prohibit, because."),
    ]  # fmt: skip
    history = [(one.standing, one.reviewer) for one in await store.reviews(ACCOUNT, Kind.TEMPLATE, "c1")]
    assert history == [("pending", "ak-1"), *((str(standing), "root") for _, standing in steps)]


@pytest.mark.parametrize(
    ("verdict", "decision"),
    [
        (PENDING, Decision.PAUSE), (PENDING, Decision.PROHIBIT), (PENDING, Decision.RESUME),
        (APPROVED, Decision.APPROVE), (APPROVED, Decision.REJECT), (APPROVED, Decision.RESUME),
        (REJECTED, Decision.REJECT), (REJECTED, Decision.PAUSE),
    ],
)  # fmt: skip
async def test_not_every_decision_fits(store: Store, customer: Customer, verdict: Verdict, decision: Decision) -> None:
    await store.create_template(creation(verdict=verdict))
    before = await found(store)
    with pytest.raises(NotPossible):
        await store.judge_template(judgement(decision))
    assert await found(store) == before
    assert len(await store.reviews(ACCOUNT, Kind.TEMPLATE, "c1")) == 1


async def test_every_change_is_seen_by_every_node(store: Store, customer: Customer) -> None:
    async def seen(since: int) -> bool:
        return ACCOUNT in await store.accounts_changed_since(since)

    await store.create_template(creation(verdict=PENDING, now=1500))
    assert (await seen(1500), await seen(1501)) == (True, False)
    await store.change_template(change())
    assert (await seen(2000), await seen(2001)) == (True, False)
    await store.judge_template(judgement(Decision.APPROVE))
    assert (await seen(3000), await seen(3001)) == (True, False)
    await store.remove_template(Deletion(which=named(), author="ak-1", now=4000, nonce=token_bytes(16)))
    assert await seen(4000)


async def test_ids_of_the_partner(store: Store, customer: Customer) -> None:
    await store.create_template(creation(verdict=PENDING))
    ids = {"": "p-all", "3100": "p-3100"}
    sent = (await store.judge_template(judgement(Decision.APPROVE, partner_ids=ids))).template
    assert (sent.partner_id, sent.partner_ids) == ("p-all", {"3100": "p-3100"})
    sent = (await store.judge_template(judgement(Decision.PAUSE))).template
    assert (sent.partner_id, sent.partner_ids) == ("p-all", {"3100": "p-3100"})
    view = await store.load_view(ACCOUNT, 0)
    assert view is not None
    assert view.templates["c1", "en"] == sent


async def test_a_delayed_review(store: Store, customer: Customer, open_store: Open) -> None:
    """Approved once, when its time is over, by any node; not where an operator was faster."""
    delayed = Verdict(standing=Standing.PENDING, review_at=2000)
    await store.create_template(creation(verdict=delayed))
    await store.create_template(creation(name="judged", code="c2", verdict=delayed))
    await store.judge_template(
        msgspec.structs.replace(judgement(Decision.REJECT, "No."), which=named("judged"), now=1500)
    )
    assert await store.approve_due(ReviewSweep(now=1999, limit=10)) == 0
    assert (await found(store)).template.standing is Standing.PENDING
    other = await open_store()
    approved = await asyncio.gather(*(node.approve_due(ReviewSweep(now=2000, limit=10)) for node in (store, other)))
    assert sum(approved) == 1
    record = await found(store)
    assert (record.template.standing, record.updated_at, record.review_at) == (Standing.APPROVED, 2000, None)
    assert (await found(store, "judged")).template.standing is Standing.REJECTED
    assert [one["AuditStatus"] for one in await audits(customer)] == ["auditing", "auditing", "fail", "pass"]
    assert [one.reviewer for one in await store.reviews(ACCOUNT, Kind.TEMPLATE, "c1")] == ["ak-1", "chatgate"]
    assert ACCOUNT in await store.accounts_changed_since(2000)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_a_delayed_review_waits_for_nobody(store: Store, customer: Customer, url: str) -> None:
    """Another node holds the account, and is about to change the template: it is left alone, and approved later."""
    await store.create_template(creation(verdict=Verdict(standing=Standing.PENDING, review_at=2000)))
    engine = database.open_writer(url)
    with engine.begin() as connection:
        touch(connection, ACCOUNT, 1500)
        assert await store.approve_due(ReviewSweep(now=2000, limit=10)) == 0
        connection.exec_driver_sql("UPDATE templates SET reason = 'looked at'")
    engine.dispose()
    assert (await found(store)).template.standing is Standing.PENDING
    assert await store.approve_due(ReviewSweep(now=2000, limit=10)) == 1


async def test_a_prohibited_name_stays_prohibited(store: Store, customer: Customer) -> None:
    """Its language only; until an operator lets it be used again."""
    for language in ("en", "de"):
        await store.create_template(creation(language=language))
    await store.judge_template(judgement(Decision.PROHIBIT, "Fraud."))
    await store.remove_template(deletion(named(language=None)))
    with pytest.raises(NameProhibited):
        await store.create_template(creation(code="c2"))
    assert await store.find_template(named()) is None
    assert await store.create_template(creation(language="de", code="c2")) == "c2"
    [review] = await store.reviews(ACCOUNT, Kind.NAME, "parcel")
    assert (review.standing, review.language, review.reason) == ("prohibited", "en", "Fraud.")
    wish = Release(account_id=ACCOUNT, name="parcel", language="en", reviewer="op", reason="Sorry.", now=3000)
    await store.release_name(wish)
    assert await store.create_template(creation(code="c3")) == "c2"
    for other in (wish, msgspec.structs.replace(wish, language="de"), msgspec.structs.replace(wish, account_id=2)):
        with pytest.raises(NotFound):
            await store.release_name(other)


@pytest.mark.parametrize("decision", [Decision.PAUSE, Decision.RESUME])
async def test_a_name_is_free_that_was_not_prohibited(store: Store, customer: Customer, decision: Decision) -> None:
    await store.create_template(creation())
    if decision is Decision.RESUME:
        await store.judge_template(judgement(Decision.PROHIBIT))
    await store.judge_template(judgement(decision))
    await store.remove_template(deletion(named()))
    assert await store.create_template(creation(code="c2")) == "c2"


async def test_an_account_that_does_not_listen(store: Store, customer: Customer) -> None:
    await customer.listen(None)
    await store.create_template(creation())
    assert await audits(customer) == []


# --- reading ---------------------------------------------------------------------------------------------------------


async def test_pages(store: Store, customer: Customer) -> None:
    for number, name in enumerate(["a", "b", "c"]):
        text = msgspec.structs.replace(TEXT, category="MARKETING" if name == "b" else "UTILITY")
        verdict = PENDING if name == "c" else APPROVED
        await store.create_template(creation(name, code=name, now=1000 + number, text=text, verdict=verdict))

    async def names(
        offset: int = 0, limit: int = 10, which: Naming | None = None, **more: Any
    ) -> tuple[list[str], int]:
        wanted = Wanted(which=which or Naming(account_id=ACCOUNT), offset=offset, limit=limit, **more)
        records, total = await store.list_templates(wanted)
        return [record.template.name for record in records], total

    everything = ["c", "b", "a", "order"]  # the last was given with the account
    assert await names() == (everything, 4)
    assert await names(offset=1, limit=2) == (["b", "a"], 4)
    assert await names(offset=4) == ([], 4)
    assert await names(category="MARKETING") == (["b"], 1)
    assert await names(category="UTILITY") == (["c", "a", "order"], 3)
    assert await names(standing=Standing.PENDING) == (["c"], 1)
    assert await names(which=Naming(account_id=ACCOUNT, code="a")) == (["a"], 1)
    assert await names(which=Naming(account_id=ACCOUNT, language="de")) == ([], 0)


async def test_a_template_that_was_given(store: Store, customer: Customer) -> None:
    """Of which only that is known that sending needs: its body is its one component."""
    given = Template(template_code="g", language="en", name="given", body="Hi", standing=Standing.APPROVED)
    await store.give(Gift(account_id=ACCOUNT, now=7, possessions=Possessions(templates=[given])))
    record = await found(store, "given")
    assert record.template == given
    assert record.text == TemplateText(category="UTILITY", components=[{"Type": "BODY", "Text": "Hi"}])
    assert (record.created_at, record.updated_at) == (7, 7)


async def test_a_row_from_before(store: Store, customer: Customer, tamper: Any) -> None:
    """Written by the first version of the schema."""
    tamper(
        "INSERT INTO templates (account_id, template_code, language, name, body, standing) VALUES (?, ?, ?, ?, ?, ?)",
        ACCOUNT, "old", "en", "old", "Hello $(name)", "approved",
    )  # fmt: skip
    record = await found(store, "old")
    assert record.template == Template(
        template_code="old", language="en", name="old", body="Hello $(name)", standing=Standing.APPROVED
    )
    assert record.text.components == [{"Type": "BODY", "Text": "Hello $(name)"}]
    _, total = await store.list_templates(Wanted(which=Naming(account_id=ACCOUNT), category="UTILITY"))
    assert total == 2
