"""What was decided on templates and senders: written down with the change itself, and told to the account."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, select

from chatgate.clock import Instant
from chatgate.domain.account import Standing
from chatgate.domain.review import AUDIT_STATUSES, audit_report
from chatgate.store import callbacks, rows
from chatgate.store.tables import reviews

DELETED = "deleted"
"""What stands instead of a standing when a template is deleted."""


class Kind(StrEnum):
    TEMPLATE = "template"
    SENDER = "sender"
    NAME = "template name"
    """A name of templates: prohibited, when one was deleted that was; approved, when it may be used again."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One decision."""

    account_id: int
    kind: Kind
    name: str
    """TemplateCode, the sender, or the name of a template."""
    language: str = ""
    standing: str
    at: Instant
    reviewer: str
    reason: str


_COLUMNS = ("account_id", "kind", "name", "language", "standing", "at", "reviewer", "reason")


def write(connection: Connection, review: Review) -> None:
    """Write a decision down; on a template, tell the account's status endpoint (``ChatappAudit``)."""
    put(connection, [review])
    if review.kind is Kind.TEMPLATE and review.standing != DELETED:
        standing = Standing(review.standing)
        body = audit_report(review.name, review.language, standing, review.reason)
        told = str(AUDIT_STATUSES[standing])
        callbacks.enqueue_body(connection, review.account_id, "", callbacks.STATUS, told, body, review.at)


def put(connection: Connection, decided: Sequence[Review]) -> None:
    """Store decisions, in their order, and tell nobody."""
    values = [msgspec.structs.astuple(review) for review in decided]
    rows.insert(connection, reviews, _COLUMNS, [(first, str(kind), *rest) for first, kind, *rest in values])


def read(connection: Connection, account_id: int, kind: Kind, name: str, limit: int = 1000) -> Sequence[Review]:
    """Return the decisions on a template (all its languages) or a sender, oldest first."""
    own = select(reviews).where(reviews.c.account_id == account_id, reviews.c.kind == kind, reviews.c.name == name)
    return [_review(row) for row in connection.execute(own.order_by(reviews.c.id).limit(limit))]


def newest(connection: Connection, account_id: int, kind: Kind, name: str, language: str) -> str | None:
    """Return the standing that the newest decision gave; None: there is none."""
    own = (reviews.c.account_id == account_id) & (reviews.c.kind == kind) & (reviews.c.name == name)
    found = select(reviews.c.standing).where(own, reviews.c.language == language)
    return connection.execute(found.order_by(reviews.c.id.desc()).limit(1)).scalar()


def of_account(connection: Connection, account_id: int) -> list[Review]:
    """Return all decisions on what an account has, oldest first."""
    own = select(reviews).where(reviews.c.account_id == account_id)
    return [_review(row) for row in connection.execute(own.order_by(reviews.c.id))]


def _review(row: rows.AnyRow) -> Review:
    return Review(
        account_id=row.account_id, kind=Kind(row.kind), name=row.name, language=row.language, standing=row.standing,
        at=row.at, reviewer=row.reviewer, reason=row.reason,
    )  # fmt: skip
