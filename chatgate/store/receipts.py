"""Receipts: stored before they are acknowledged, joined to their message by the provider's token.

Rules:

1. A receipt is stored whatever it says; ``effect`` tells what it did: ``applied``, ``ignored`` (it changed nothing: a
   duplicate, or of lower rank) or ``parked`` (its token is not known, yet).
2. A parked receipt is joined when its token turns up in a reply, or to an attempt of unknown outcome when exactly one
   message and exactly one token match service id and number (DESIGN 5, Correlation).
3. Within one transaction the receipts of a message are applied one after the other, in the order they came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, or_, select, update

from chatgate.clock import Instant
from chatgate.domain import lifecycle
from chatgate.domain.lifecycle import RECEIPT_EVENTS
from chatgate.domain.message import Status
from chatgate.domain.receipt import Receipt, ReceiptStatus
from chatgate.store import rows
from chatgate.store.tables import messages, receipts, tokens

_COLUMNS = (
    "id", "provider", "token", "status", "at", "received_at", "service_id", "recipient", "code", "reason",
    "message_id", "account_id", "effect",
)  # fmt: skip


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """Receipts that one request of a provider carried."""

    receipts: Sequence[Receipt]
    received_at: Instant
    keys: Callable[[], int]


class _Standing:
    """The status of a message while receipts are applied to it in one transaction."""

    __slots__ = ("account_id", "before", "failure", "message_id", "status", "status_at")

    def __init__(self, row: rows.AnyRow) -> None:
        self.message_id: int = row.id
        self.account_id: int = row.account_id
        self.before = self.status = Status(row.status)
        self.status_at = 0
        self.failure: tuple[str | None, str | None] = (None, None)

    def apply(self, status: ReceiptStatus, at: Instant, code: str, reason: str) -> str:
        event = RECEIPT_EVENTS.get(status)
        after = lifecycle.advance(self.status, event) if event is not None else None
        if after is None:
            return "ignored"
        self.status, self.status_at = after, at
        if after in (Status.EXPIRED, Status.FAILED):
            self.failure = (code or ("SRVC_TIMEOUT" if after is Status.EXPIRED else "Undelivered"), reason)
        else:
            self.failure = (None, None)
        return "applied"


def apply_receipts(connection: Connection, items: Sequence[Arrival]) -> list[list[str]]:
    """Store receipts and move their messages; answer the effect of each."""
    wanted = {(receipt.provider, receipt.token) for item in items for receipt in item.receipts if receipt.token}
    by_token = _standings(connection, wanted)
    answers: list[list[str]] = []
    stored: list[rows.Values] = []
    for item in items:
        effects = []
        for receipt in item.receipts:
            key = (receipt.provider, receipt.token)
            standing = by_token.get(key)
            if standing is None and (standing := _orphan(connection, receipt)) is not None:
                by_token[key] = standing
            if standing is None:
                effect = "parked" if receipt.status in RECEIPT_EVENTS else "ignored"
            else:
                effect = standing.apply(receipt.status, receipt.at, receipt.code, receipt.reason)
            stored.append(_row(item, receipt, standing, effect))
            effects.append(effect)
        answers.append(effects)
    rows.insert(connection, receipts, _COLUMNS, stored)
    _save(connection, by_token.values())
    return answers


def _row(item: Arrival, receipt: Receipt, standing: _Standing | None, effect: str) -> rows.Values:
    return (
        item.keys(), receipt.provider, receipt.token, str(receipt.status), receipt.at, item.received_at,
        receipt.service_id, receipt.recipient, receipt.code, receipt.reason,
        standing and standing.message_id, standing and standing.account_id, effect,
    )  # fmt: skip


def _standings(connection: Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], _Standing]:
    """Return the messages behind tokens, locked until the transaction ends; one object a message."""
    if not wanted:
        return {}
    provider = {provider for provider, _ in wanted}
    found = select(tokens.c.provider, tokens.c.token, messages.c.id, messages.c.account_id, messages.c.status)
    found = found.join(messages, messages.c.id == tokens.c.message_id)
    found = found.where(tokens.c.provider.in_(provider), tokens.c.token.in_([token for _, token in wanted]))
    by_message: dict[int, _Standing] = {}
    by_token: dict[tuple[str, str], _Standing] = {}
    for row in connection.execute(found.with_for_update(of=messages)):
        standing = by_message.setdefault(row.id, _Standing(row))
        by_token[row.provider, row.token] = standing
    return by_token


def _save(connection: Connection, standings: Any) -> None:
    """Write the statuses that changed. Resting states need no attention any more."""
    changed = {s.message_id: s for s in standings if s.status is not s.before}
    rows.execute(
        connection,
        "UPDATE messages SET status = ?, status_at = ?, due_at = NULL, failure_code = ?, failure_reason = ? WHERE id = ? AND status = ?",
        [(str(s.status), s.status_at, *s.failure, s.message_id, str(s.before)) for s in changed.values()],
    )


def _orphan(connection: Connection, receipt: Receipt) -> _Standing | None:
    """Return the message of unknown outcome that alone can be meant by a receipt with an unknown token."""
    if receipt.status not in RECEIPT_EVENTS or not receipt.service_id or not receipt.recipient or not receipt.token:
        return None
    standing = _only_unknown(connection, receipt.service_id, receipt.recipient)
    if standing is not None:
        _adopt(connection, receipt.provider, receipt.token, standing)
    return standing


def _only_unknown(connection: Connection, service_id: str, recipient: str) -> _Standing | None:
    """Return the one message to this phone whose outcome is unknown; None if there is none, or if it may be another.

    A message to the same phone that is being sent right now may be the one meant: its reply will tell.
    """
    phone = and_(messages.c.recipient == recipient, messages.c.service_id == service_id)
    unknown = select(messages.c.id, messages.c.account_id, messages.c.status)
    unknown = unknown.where(messages.c.status == "unknown", phone).limit(2).with_for_update()
    found = connection.execute(unknown).all()
    if len(found) != 1:
        return None
    open_now = (
        select(messages.c.id).where(messages.c.due_at.is_not(None), messages.c.status == "sending", phone).limit(1)
    )
    return _Standing(found[0]) if connection.execute(open_now).first() is None else None


def _adopt(connection: Connection, provider: str, token: str, standing: _Standing) -> None:
    row = (provider, token, standing.message_id, standing.account_id)
    rows.insert(connection, tokens, ("provider", "token", "message_id", "account_id"), [row], "ON CONFLICT DO NOTHING")


def join_parked(connection: Connection, *, born: Sequence[rows.Values], lost: Sequence[tuple[str, str]]) -> None:
    """Apply receipts that came before their token (``born``: rows of ``tokens``) or whose reply was lost (``lost``:
    service id and number of attempts that just ended unknown)."""
    clauses: list[Any] = []
    if born:
        clauses.append(receipts.c.token.in_([row[1] for row in born]))
    clauses.extend(and_(receipts.c.service_id == s, receipts.c.recipient == r) for s, r in lost)
    if not clauses:
        return
    parked = select(receipts).where(receipts.c.effect == "parked", or_(*clauses)).order_by(receipts.c.id)
    found = connection.execute(parked).all()
    if not found:
        return
    by_token = _standings(connection, {(row.provider, row.token) for row in found})
    for service_id, recipient in lost:
        phone = (service_id, recipient)
        _adopt_parked(connection, by_token, [row for row in found if (row.service_id, row.recipient) == phone])
    for row in found:
        standing = by_token.get((row.provider, row.token))
        if standing is None:
            continue
        effect = standing.apply(ReceiptStatus(row.status), row.at, row.code, row.reason)
        joined = update(receipts).where(receipts.c.id == row.id)
        connection.execute(joined.values(effect=effect, message_id=standing.message_id, account_id=standing.account_id))
    _save(connection, by_token.values())


def _adopt_parked(
    connection: Connection, by_token: dict[tuple[str, str], _Standing], found: Sequence[rows.AnyRow]
) -> None:
    """Join the parked receipts of one phone when they carry one unknown token and one message can be meant."""
    strangers = {(row.provider, row.token) for row in found} - by_token.keys()
    if len(strangers) != 1:
        return
    standing = _only_unknown(connection, found[0].service_id, found[0].recipient)
    if standing is not None:
        (provider, token) = strangers.pop()
        _adopt(connection, provider, token, standing)
        by_token[provider, token] = standing


def prune_parked(connection: Connection, items: Sequence[Instant]) -> list[int]:
    """Forget parked receipts that came before an instant; answer how many."""
    old = delete(receipts).where(receipts.c.effect == "parked", receipts.c.received_at < items[-1])
    return [connection.execute(old).rowcount] * len(items)
