"""The verbs of senders and of what accounts apply for: filed, revised, granted or refused; paused, forbidden, resumed.

Rules as for templates: a change holds the account's row first, a call's change spends its nonce, and who decided what,
when and why is written with the decision (``reviews``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update

from chatgate.clock import Instant
from chatgate.domain.account import Sender, Standing
from chatgate.domain.review import Decision, NotPossible, decide
from chatgate.domain.sender_request import AuditResult, SenderRequest
from chatgate.errors import ChatgateError, NotFound
from chatgate.store import calls, reviews, rows
from chatgate.store.account_row import touch
from chatgate.store.reviews import Kind, Review
from chatgate.store.tables import reviews as reviews_table
from chatgate.store.tables import sender_requests, senders

CHANNEL = "viber"

MOST_OPEN = 100
"""Open requests of an account."""

REQUEST_COLUMNS = (
    "account_id", "request_no", "space_id", "request_type", "result", "reason", "record", "sender", "service_id",
    "creator", "modifier", "created_at", "changed_at", "audited_at",
)  # fmt: skip

_record = msgspec.json.Decoder(dict[str, Any])


class TooManyRequests(ChatgateError):
    """The account has ``MOST_OPEN`` open requests."""


class SenderExists(ChatgateError):
    """The account has that sender already."""


class Filing(msgspec.Struct, frozen=True, kw_only=True):
    """A new request."""

    account_id: int
    request: SenderRequest
    nonce: bytes


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """Another record for an open request."""

    account_id: int
    request_no: str
    space_id: str
    record: dict[str, Any]
    author: str
    now: Instant
    nonce: bytes


def file(connection: Connection, items: Sequence[Filing]) -> list[bool]:
    """Store requests; answer for each whether its nonce was fresh. Raises TooManyRequests, NotFound (the account)."""
    answers = []
    for item in items:
        fresh = calls.spend_nonces(connection, [item.nonce])[0]
        if fresh:
            touch(connection, item.account_id, item.request.created_at)
            open_ones = select(func.count()).select_from(sender_requests).where(
                sender_requests.c.account_id == item.account_id, sender_requests.c.result == AuditResult.OPEN
            )  # fmt: skip
            if connection.execute(open_ones).scalar_one() >= MOST_OPEN:
                raise TooManyRequests(f"The account has {MOST_OPEN} open requests.")
            rows.insert(connection, sender_requests, REQUEST_COLUMNS, [request_values(item.account_id, item.request)])
        answers.append(fresh)
    return answers


def revise(connection: Connection, items: Sequence[Revision]) -> list[bool]:
    """Change open requests; answer for each whether its nonce was fresh. Raises NotFound, NotPossible (closed)."""
    answers = []
    for item in items:
        fresh = calls.spend_nonces(connection, [item.nonce])[0]
        if fresh:
            touch(connection, item.account_id, item.now)
            old = _open(connection, item.account_id, item.request_no)
            if old.space_id != item.space_id:
                raise NotFound("There is no such request.")
            new = msgspec.structs.replace(old, record=item.record, modifier=item.author, changed_at=item.now)
            _put(connection, item.account_id, new)
        answers.append(fresh)
    return answers


# --- decisions -------------------------------------------------------------------------------------------------------


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """A sender that the operator applies for."""

    account_id: int
    sender: str
    service_id: str
    author: str
    now: Instant


def apply(connection: Connection, items: Sequence[Application]) -> list[None]:
    """Add senders that nobody has approved yet. Raises SenderExists, NotFound (the account)."""
    for item in items:
        touch(connection, item.account_id, item.now)
        if _sender(connection, item.account_id, item.sender) is not None:
            raise SenderExists(f"{item.sender} is a sender of the account already.")
        new = Sender(sender=item.sender, channel=CHANNEL, service_id=item.service_id, standing=Standing.PENDING)
        _put_sender(connection, item.account_id, new, item.author, "", item.now)
    return [None] * len(items)


class SenderJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says of a sender."""

    account_id: int
    sender: str
    decision: Decision
    reviewer: str
    reason: str
    now: Instant


def judge(connection: Connection, items: Sequence[SenderJudgement]) -> list[Standing]:
    """Decide on senders; answer the standing of each. Raises NotFound, NotPossible."""
    answers = []
    for item in items:
        touch(connection, item.account_id, item.now)
        old = _sender(connection, item.account_id, item.sender)
        if old is None:
            raise NotFound(f"The account has no sender {item.sender!r}.")
        new = msgspec.structs.replace(old, standing=decide(item.decision, old.standing))
        _put_sender(connection, item.account_id, new, item.reviewer, item.reason, item.now)
        answers.append(new.standing)
    return answers


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator says of a request."""

    account_id: int
    request_no: str
    granted: bool
    reviewer: str
    reason: str
    now: Instant
    sender: str | None = None
    """The sender that is granted with it; one that is new, or waits."""
    service_id: str | None = None


def answer(connection: Connection, items: Sequence[Answer]) -> list[SenderRequest]:
    """Close requests. Raises NotFound, NotPossible (it is closed, or the sender is not one that waits)."""
    return [_answer(connection, item) for item in items]


def _answer(connection: Connection, item: Answer) -> SenderRequest:
    touch(connection, item.account_id, item.now)
    request = _open(connection, item.account_id, item.request_no)
    service_id = item.service_id or item.sender
    if item.granted and item.sender is not None and service_id is not None:
        waiting = _sender(connection, item.account_id, item.sender)
        standing = Standing.PENDING if waiting is None else waiting.standing
        approved = Sender(
            sender=item.sender, channel=CHANNEL, service_id=service_id, standing=decide(Decision.APPROVE, standing)
        )
        _put_sender(connection, item.account_id, approved, item.reviewer, item.reason, item.now)
    closed = msgspec.structs.replace(
        request, result=AuditResult.PASS if item.granted else AuditResult.FAIL, reason=item.reason,
        modifier=item.reviewer, changed_at=item.now, audited_at=item.now, sender=item.sender, service_id=service_id,
    )  # fmt: skip
    _put(connection, item.account_id, closed)
    return closed


# --- reading ---------------------------------------------------------------------------------------------------------


def requests(connection: Connection, account_id: int, limit: int) -> list[SenderRequest]:
    """Return an account's requests, the last changed first."""
    own = select(sender_requests).where(sender_requests.c.account_id == account_id)
    newest = own.order_by(sender_requests.c.changed_at.desc(), sender_requests.c.request_no).limit(limit)
    return [as_request(row) for row in connection.execute(newest)]


def find_request(connection: Connection, account_id: int, request_no: str) -> SenderRequest | None:
    named = (sender_requests.c.account_id == account_id) & (sender_requests.c.request_no == request_no)
    row = connection.execute(select(sender_requests).where(named)).first()
    return None if row is None else as_request(row)


def pauses(connection: Connection, account_id: int) -> int:
    """Return how often senders of an account were paused."""
    paused = select(func.count()).select_from(reviews_table).where(
        reviews_table.c.account_id == account_id, reviews_table.c.kind == Kind.SENDER,
        reviews_table.c.standing == Standing.PAUSED,
    )  # fmt: skip
    return connection.execute(paused).scalar_one()


def _open(connection: Connection, account_id: int, request_no: str) -> SenderRequest:
    found = find_request(connection, account_id, request_no)
    if found is None:
        raise NotFound("There is no such request.")
    if found.result is not AuditResult.OPEN:
        raise NotPossible(f"The request is closed: {found.result}.")
    return found


def _sender(connection: Connection, account_id: int, sender: str) -> Sender | None:
    own = (senders.c.account_id == account_id) & (senders.c.channel == CHANNEL) & (senders.c.sender == sender)
    row = connection.execute(select(senders).where(own)).first()
    if row is None:
        return None
    return Sender(sender=row.sender, channel=row.channel, service_id=row.service_id, standing=Standing(row.standing))


def _put_sender(
    connection: Connection, account_id: int, sender: Sender, reviewer: str, reason: str, now: Instant
) -> None:
    columns = ("account_id", "channel", "sender", "service_id", "standing")
    row = (account_id, sender.channel, sender.sender, sender.service_id, str(sender.standing))
    then = "ON CONFLICT (account_id, channel, sender) DO UPDATE SET service_id = excluded.service_id, "
    rows.insert(connection, senders, columns, [row], then + "standing = excluded.standing")
    reviews.write(
        connection,
        Review(
            account_id=account_id, kind=Kind.SENDER, name=sender.sender, standing=str(sender.standing), at=now,
            reviewer=reviewer, reason=reason,
        ),
    )  # fmt: skip


def _put(connection: Connection, account_id: int, request: SenderRequest) -> None:
    named = (sender_requests.c.account_id == account_id) & (sender_requests.c.request_no == request.request_no)
    values = dict(zip(REQUEST_COLUMNS, request_values(account_id, request), strict=True))
    connection.execute(update(sender_requests).where(named).values(**values))


def request_values(account_id: int, request: SenderRequest) -> rows.Values:
    """Return a request's values, in the order of ``REQUEST_COLUMNS``."""
    return (
        account_id, request.request_no, request.space_id, request.request_type, str(request.result), request.reason,
        msgspec.json.encode(request.record).decode(), request.sender, request.service_id, request.creator,
        request.modifier, request.created_at, request.changed_at, request.audited_at,
    )  # fmt: skip


def as_request(row: rows.AnyRow) -> SenderRequest:
    return SenderRequest(
        request_no=row.request_no, space_id=row.space_id, request_type=row.request_type,
        result=AuditResult(row.result), reason=row.reason, record=_record.decode(row.record), sender=row.sender,
        service_id=row.service_id, creator=row.creator, modifier=row.modifier, created_at=row.created_at,
        changed_at=row.changed_at, audited_at=row.audited_at,
    )  # fmt: skip
