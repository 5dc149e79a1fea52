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


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One decision."""

    account_id: int
    kind: Kind
    name: str
    """TemplateCode, or the sender."""
    language: str = ""
    standing: str
    at: Instant
    reviewer: str
    reason: str


_COLUMNS = ("account_id", "kind", "name", "language", "standing", "at", "reviewer", "reason")


def write(connection: Connection, review: Review) -> None:
    """Write a decision down; on a template, tell the account's status endpoint (``ChatappAudit``)."""
    values = msgspec.structs.astuple(review)
    rows.insert(connection, reviews, _COLUMNS, [(values[0], str(review.kind), *values[2:])])
    if review.kind is Kind.TEMPLATE and review.standing != DELETED:
        standing = Standing(review.standing)
        body = audit_report(review.name, review.language, standing, review.reason)
        told = str(AUDIT_STATUSES[standing])
        callbacks.enqueue_body(connection, review.account_id, "", callbacks.STATUS, told, body, review.at)


def read(connection: Connection, account_id: int, kind: Kind, name: str, limit: int = 1000) -> Sequence[Review]:
    """Return the decisions on a template (all its languages) or a sender, oldest first."""
    own = select(reviews).where(reviews.c.account_id == account_id, reviews.c.kind == kind, reviews.c.name == name)
    return [
        Review(
            account_id=row.account_id, kind=Kind(row.kind), name=row.name, language=row.language,
            standing=row.standing, at=row.at, reviewer=row.reviewer, reason=row.reason,
        )
        for row in connection.execute(own.order_by(reviews.c.id).limit(limit))
    ]  # fmt: skip
