"""What the template desk makes of the setting, and of a store's word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_bytes
from typing import Any

import msgspec
import pytest

from chatgate.clock import HandClock
from chatgate.domain.account import Standing, Template
from chatgate.domain.review import AuditStatus, Decision, ReviewMode, TemplateText
from chatgate.errors import ApiError
from chatgate.gateway.template_desk import TemplateDesk
from chatgate.operations.base import Call, TemplateName, WantedCounts, WantedTemplates
from chatgate.store import template_counts, templates
from chatgate.store.accounts import NewAccount, Possessions
from chatgate.store.store import Store
from chatgate.store.templates import Judgement, Naming
from tests.fresh_store import fresh_store
from tests.operations.send_chatapp_message.example import ACCOUNT, MESSAGE, call

TEXT = TemplateText(category="text", components=[{"Type": "BODY", "Text": "Hi"}])
ORDER = TemplateName(name="order")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with fresh_store(tmp_path, HandClock()) as store:
        given = Template(template_code="t", language="en", name="given", body="Hi", standing=Standing.APPROVED)
        await store.create_account(
            NewAccount(account_id=ACCOUNT.account_id, name="shop", now=1, possessions=Possessions(templates=[given]))
        )
        yield store


def desk(store: Store, review: ReviewMode = ReviewMode.AUTO) -> TemplateDesk:
    return TemplateDesk(store, lambda _account: None, review=review, review_delay=5000)


def asked(now: int = 1000) -> Call:
    return msgspec.structs.replace(call(MESSAGE), nonce=token_bytes(16), now=now)


@pytest.mark.parametrize(
    ("review", "standing", "reason", "review_at"),
    [
        (ReviewMode.AUTO, Standing.APPROVED, "", None),
        (ReviewMode.MANUAL, Standing.PENDING, "", None),
        (ReviewMode.DELAYED, Standing.PENDING, "", 6000),
        (ReviewMode.REJECT, Standing.REJECTED, "This installation rejects every template.", None),
    ],
)
async def test_review(store: Store, review: ReviewMode, standing: Standing, reason: str, review_at: int | None) -> None:
    await desk(store, review).create(asked(), "order", "en", TEXT)
    found = await desk(store).find(asked(), ORDER, "en")
    assert found is not None
    assert (found.template.standing, found.reason, found.review_at) == (standing, reason, review_at)
    if standing is not Standing.APPROVED:
        changed = await desk(store, ReviewMode.AUTO).change(asked(), ORDER, "en", TEXT)
        assert (changed.template.standing, changed.review_at) == (Standing.APPROVED, None)


async def test_the_account_is_read_again(store: Store) -> None:
    """With every change: this process forgets what it knew."""
    forgotten: list[int] = []
    one = TemplateDesk(store, forgotten.append, review=ReviewMode.MANUAL, review_delay=0)
    await one.create(asked(), "order", "en", TEXT)
    await one.change(asked(), ORDER, "en", TEXT)
    await one.remove(asked(), ORDER, None)
    assert forgotten == [ACCOUNT.account_id] * 3


async def _again(one: TemplateDesk) -> None:
    """Delete a prohibited template, and make it again."""
    await one.remove(asked(), ORDER, None)
    await one.create(asked(), "order", "en", TEXT)


async def test_refusals(store: Store) -> None:
    one = desk(store)
    used = asked()
    await one.create(used, "order", "en", TEXT)
    none = TemplateName(code="none")
    refusals: list[tuple[Any, str]] = [
        (one.create(used, "b", "en", TEXT), "SignatureNonceUsed"),
        (one.change(used, ORDER, "en", TEXT), "SignatureNonceUsed"),
        (one.remove(used, ORDER, None), "SignatureNonceUsed"),
        (one.create(asked(), "order", "en", TEXT), "InvalidParameter.TemplateNameExist"),
        (one.change(asked(), ORDER, "en", TEXT), "InvalidParameter.TemplateCode"),
        (one.change(asked(), none, "en", TEXT), "InvalidParameter.TemplateCode"),
        (one.remove(asked(), none, None), "DelError.TemplateNotExist"),
        (one.remove(asked(), ORDER, "de"), "DelError.TemplateNotExist"),
        (_again(one), "InvalidParameter.CreateError"),
    ]
    which = Naming(account_id=ACCOUNT.account_id, name="order")
    await store.judge_template(
        Judgement(which=which, decision=Decision.PROHIBIT, reviewer="op", reason="Fraud.", now=1)
    )
    for awaited, code in refusals:
        with pytest.raises(ApiError) as refused:
            await awaited
        assert refused.value.code == code


async def test_limits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "MOST", 1)  # limits, not parts
    with pytest.raises(ApiError) as refused:
        await desk(store).create(asked(), "order", "en", TEXT)
    assert refused.value.code == "InvalidParameter.CreateError"

    async def too_many(*_: object) -> object:
        raise template_counts.TooMany("too many")

    store.count_templates = too_many  # type: ignore[method-assign,assignment]
    wanted = WantedCounts(template_code="t", since=0, until=1, step=1)
    with pytest.raises(ApiError, match="Start and End") as refused:
        await desk(store).counts(asked(), wanted)
    assert refused.value.code == "InvalidParameter.TimeRange"


@pytest.mark.parametrize(
    ("status", "total"), [(None, 1), (AuditStatus.PASS, 1), (AuditStatus.FAIL, 0), (AuditStatus.UNAUDIT, 0)]
)
async def test_pages(store: Store, status: AuditStatus | None, total: int) -> None:
    found, count = await desk(store).page(asked(), WantedTemplates(which=TemplateName(), status=status))
    assert (len(found), count) == (total, total)
    assert await desk(store).page(asked(), WantedTemplates(which=TemplateName(), status=status, index=2)) == ([], total)
