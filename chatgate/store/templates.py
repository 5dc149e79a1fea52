"""The verbs of templates: made, changed, deleted, reviewed, listed.

Rules:

1. Whatever changes a template holds its account's row first: changes of one account come one after the other, on all
   nodes, and every node reads the account again.
2. A call's change spends its nonce; a refused one raises, and has done nothing.
3. Who changed what, when and why is written with the change (``reviews``), and told from the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, update

from chatgate.clock import Instant
from chatgate.domain import review
from chatgate.domain.account import Standing, Template
from chatgate.domain.review import Decision, TemplateRecord, TemplateText, Verdict
from chatgate.errors import ChatgateError, NotFound
from chatgate.store import calls, reviews, rows, template_rows
from chatgate.store.account_row import touch
from chatgate.store.reviews import Kind, Review
from chatgate.store.tables import accounts, templates

MOST = 2000
"""Templates of an account, counting languages. All of them are in memory while the account calls; Viber takes as many
of a sender."""

ITSELF = "chatgate"
"""The reviewer, where no person decides."""


class TemplateExists(ChatgateError):
    """The account has a template of that name in that language."""


class TooManyTemplates(ChatgateError):
    """The account has ``MOST`` templates."""


class NameProhibited(ChatgateError):
    """A template of that name was deleted while it was prohibited."""


class TemplateApproved(ChatgateError):
    """The template was approved: it can no longer be changed."""


class Creation(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    template: Template
    """``template_code`` is taken if the name is new: languages of one name have one code."""
    text: TemplateText
    verdict: Verdict
    author: str
    now: Instant
    nonce: bytes


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """Which templates of an account: by code or by name, in one language or in all."""

    account_id: int
    code: str | None = None
    name: str | None = None
    language: str | None = None

    @property
    def where(self) -> ColumnElement[bool]:
        asked = {"template_code": self.code, "name": self.name, "language": self.language}
        given = [templates.c[column] == value for column, value in asked.items() if value is not None]
        return and_(templates.c.account_id == self.account_id, *given)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """New contents of a template."""

    which: Naming
    template: Template
    """As it is to be sent; code, name and language are those of the stored one."""
    text: TemplateText
    verdict: Verdict
    author: str
    now: Instant
    nonce: bytes


class Deletion(msgspec.Struct, frozen=True, kw_only=True):
    which: Naming
    author: str
    now: Instant
    nonce: bytes


def create(connection: Connection, items: Sequence[Creation]) -> list[str | None]:
    """Make templates; answer the code of each, None where its nonce was used.

    Raises TemplateExists, NameProhibited, TooManyTemplates, NotFound (the account).
    """
    return [_create(connection, item) for item in items]


def _create(connection: Connection, item: Creation) -> str | None:
    if not calls.spend_nonces(connection, [item.nonce])[0]:
        return None
    touch(connection, item.account_id, item.now)
    new = item.template
    named = Naming(account_id=item.account_id, name=new.name).where
    codes = {row.language: row.template_code for row in connection.execute(select(templates).where(named))}
    if new.language in codes:
        raise TemplateExists(f"There is a template {new.name!r} in {new.language} already.")
    if reviews.newest(connection, item.account_id, Kind.NAME, new.name, new.language) == Standing.PROHIBITED:
        raise NameProhibited(f"A template {new.name!r} in {new.language} was deleted while it was prohibited.")
    own = select(func.count()).select_from(templates).where(templates.c.account_id == item.account_id)
    if connection.execute(own).scalar_one() >= MOST:
        raise TooManyTemplates(f"The account has {MOST} templates already.")
    code = next(iter(codes.values()), new.template_code)
    new = msgspec.structs.replace(new, template_code=code, standing=item.verdict.standing)
    record = TemplateRecord(
        template=new, text=item.text, reason=item.verdict.reason, created_at=item.now, updated_at=item.now,
        review_at=item.verdict.review_at,
    )  # fmt: skip
    rows.insert(connection, templates, template_rows.COLUMNS, [template_rows.values(item.account_id, record)])
    _follow(connection, item.account_id, record, item.author, item.now)
    return code


def change(connection: Connection, items: Sequence[Change]) -> list[TemplateRecord | None]:
    """Give templates new contents, which are reviewed anew; answer each, None where its nonce was used.

    Raises TemplateApproved, NotFound.
    """
    return [_change(connection, item) for item in items]


def _change(connection: Connection, item: Change) -> TemplateRecord | None:
    if not calls.spend_nonces(connection, [item.nonce])[0]:
        return None
    touch(connection, item.which.account_id, item.now)
    old = find(connection, item.which)
    if old is None:
        raise NotFound("There is no such template.")
    if old.template.standing.was_approved:
        raise TemplateApproved("The template was approved.")
    sent = msgspec.structs.replace(
        item.template, template_code=old.template.template_code, language=old.template.language,
        name=old.template.name, standing=item.verdict.standing,
    )  # fmt: skip
    new = TemplateRecord(
        template=sent, text=item.text, reason=item.verdict.reason, created_at=old.created_at, updated_at=item.now,
        review_at=item.verdict.review_at,
    )  # fmt: skip
    _put(connection, item.which.account_id, new)
    _follow(connection, item.which.account_id, new, item.author, item.now)
    return new


def remove(connection: Connection, items: Sequence[Deletion]) -> list[bool]:
    """Delete templates; answer for each whether its nonce was fresh. Raises NotFound where nothing is deleted."""
    answers = []
    for item in items:
        fresh = calls.spend_nonces(connection, [item.nonce])[0]
        if fresh:
            _remove(connection, item)
        answers.append(fresh)
    return answers


def _remove(connection: Connection, item: Deletion) -> None:
    account_id = item.which.account_id
    touch(connection, account_id, item.now)
    gone = connection.execute(select(templates).where(item.which.where)).all()
    if not gone:
        raise NotFound("There is no such template.")
    connection.execute(delete(templates).where(item.which.where))
    for row in gone:
        reviews.write(
            connection,
            Review(
                account_id=account_id, kind=Kind.TEMPLATE, name=row.template_code, language=row.language,
                standing=reviews.DELETED, at=item.now, reviewer=item.author, reason="",
            ),
        )  # fmt: skip
        if row.standing == Standing.PROHIBITED:  # else it could be made again, and review might approve it
            reviews.write(
                connection,
                Review(
                    account_id=account_id, kind=Kind.NAME, name=row.name, language=row.language,
                    standing=str(Standing.PROHIBITED), at=item.now, reviewer=item.author, reason=row.reason or "",
                ),
            )  # fmt: skip


# --- review ----------------------------------------------------------------------------------------------------------


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says of a template."""

    which: Naming
    decision: Decision
    reviewer: str
    reason: str
    now: Instant
    partner_ids: dict[str, str] | None = None
    """The partner's id of it by service id; the empty one is for all other senders. None: as it is."""


def judge(connection: Connection, items: Sequence[Judgement]) -> list[TemplateRecord]:
    """Decide on templates. Raises NotFound, review.NotPossible."""
    return [_judge(connection, item) for item in items]


def _judge(connection: Connection, item: Judgement) -> TemplateRecord:
    account_id = item.which.account_id
    touch(connection, account_id, item.now)
    old = find(connection, item.which)
    if old is None:
        raise NotFound("There is no such template.")
    sent = msgspec.structs.replace(old.template, standing=review.decide(item.decision, old.template.standing))
    if item.partner_ids is not None:
        ids = {service: own for service, own in item.partner_ids.items() if service}
        sent = msgspec.structs.replace(sent, partner_id=item.partner_ids.get("", sent.partner_id), partner_ids=ids)
    new = msgspec.structs.replace(old, template=sent, reason=item.reason, updated_at=item.now, review_at=None)
    _put(connection, account_id, new)
    _follow(connection, account_id, new, item.reviewer, item.now)
    return new


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """An operator lets a name be used again."""

    account_id: int
    name: str
    language: str
    reviewer: str
    reason: str
    now: Instant


def release(connection: Connection, items: Sequence[Release]) -> list[None]:
    """Let names be used again whose templates were deleted while they were prohibited. Raises NotFound."""
    for item in items:
        touch(connection, item.account_id, item.now)
        if reviews.newest(connection, item.account_id, Kind.NAME, item.name, item.language) != Standing.PROHIBITED:
            raise NotFound(f"The name {item.name!r} is not prohibited in {item.language}.")
        reviews.write(
            connection,
            Review(
                account_id=item.account_id, kind=Kind.NAME, name=item.name, language=item.language,
                standing=str(Standing.APPROVED), at=item.now, reviewer=item.reviewer, reason=item.reason,
            ),
        )  # fmt: skip
    return [None] * len(items)


class ReviewSweep(msgspec.Struct, frozen=True, kw_only=True):
    """A wish to approve what has waited long enough."""

    now: Instant
    limit: int


def approve_due(connection: Connection, items: Sequence[ReviewSweep]) -> list[int]:
    """Approve the templates whose delayed review is over; answer how many. Each once, however many nodes ask."""
    return [_approve_due(connection, item) for item in items]


def _approve_due(connection: Connection, sweep: ReviewSweep) -> int:
    due = select(templates).where(templates.c.review_at <= sweep.now).order_by(templates.c.review_at).limit(sweep.limit)
    owners = {row.account_id for row in connection.execute(due)}
    # First their accounts, as everybody does, and in one order. One that somebody holds is left for the next sweep.
    free = select(accounts.c.id).where(accounts.c.id.in_(owners)).order_by(accounts.c.id)
    held = connection.execute(free.with_for_update(skip_locked=True)).scalars().all()
    found = connection.execute(due.where(templates.c.account_id.in_(held))).all()
    for row in found:
        old = template_rows.record(row)
        sent = msgspec.structs.replace(old.template, standing=Standing.APPROVED)
        new = msgspec.structs.replace(old, template=sent, reason="", updated_at=sweep.now, review_at=None)
        touch(connection, row.account_id, sweep.now)
        _put(connection, row.account_id, new)
        _follow(connection, row.account_id, new, ITSELF, sweep.now)
    return len(found)


def _put(connection: Connection, account_id: int, record: TemplateRecord) -> None:
    key = Naming(
        account_id=account_id, code=record.template.template_code, language=record.template.language
    ).where  # fmt: skip
    values = dict(zip(template_rows.COLUMNS, template_rows.values(account_id, record), strict=True))
    connection.execute(update(templates).where(key).values(**values))


def _follow(connection: Connection, account_id: int, record: TemplateRecord, reviewer: str, now: Instant) -> None:
    sent = record.template
    reviews.write(
        connection,
        Review(
            account_id=account_id, kind=Kind.TEMPLATE, name=sent.template_code, language=sent.language,
            standing=str(sent.standing), at=now, reviewer=reviewer, reason=record.reason,
        ),
    )  # fmt: skip


# --- reading ---------------------------------------------------------------------------------------------------------


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which templates of an account; every condition given must hold."""

    which: Naming
    standing: Standing | None = None
    category: str | None = None
    limit: int = 100
    offset: int = 0


def find(connection: Connection, which: Naming) -> TemplateRecord | None:
    """Return one template."""
    row = connection.execute(select(templates).where(which.where).order_by(*templates.primary_key)).first()
    return None if row is None else template_rows.record(row)


def list_templates(connection: Connection, wanted: Wanted) -> tuple[list[TemplateRecord], int]:
    """Return one page of templates, the last changed first, and how many fit on all pages."""
    fits = wanted.which.where
    if wanted.standing is not None:
        fits &= templates.c.standing == wanted.standing
    if wanted.category is not None:
        fits &= func.coalesce(templates.c.category, template_rows.DEFAULT_CATEGORY) == wanted.category
    total = connection.execute(select(func.count()).select_from(templates).where(fits)).scalar_one()
    order = (func.coalesce(templates.c.updated_at, 0).desc(), templates.c.template_code, templates.c.language)
    page = select(templates).where(fits).order_by(*order).limit(wanted.limit).offset(wanted.offset)
    return [template_rows.record(row) for row in connection.execute(page)], total
