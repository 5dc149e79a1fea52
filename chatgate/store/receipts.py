"""Receipts: stored before they are acknowledged, joined to their message by the provider's token.

Rules:

1. A receipt is stored whatever it says; ``effect`` tells what it did: ``applied``, ``ignored`` (it changed nothing: a
   duplicate, or of lower rank) or ``parked`` (its token is not known, yet).
2. A parked receipt is joined when its token turns up in a reply, or to an attempt of unknown outcome when exactly one
   message and exactly one token match service id and number; or with a later receipt of its token.
3. Within one transaction the receipts of a message are applied one after the other, in the order they came.
4. Of two nodes, one parking a receipt and one recording its token, the later sees what the earlier did (``_turn``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from chatgate.clock import Instant
from chatgate.domain import lifecycle
from chatgate.domain.lifecycle import RECEIPT_EVENTS
from chatgate.domain.message import Failure, Status
from chatgate.domain.receipt import Receipt, ReceiptStatus
from chatgate.store import rows
from chatgate.store.changes import Change
from chatgate.store.consequences import follow
from chatgate.store.replies import note_subscriptions
from chatgate.store.tables import messages, receipts, tokens

_COLUMNS = (
    "id", "provider", "token", "status", "at", "received_at", "service_id", "recipient", "code", "reason",
    "message_id", "account_id", "effect",
)  # fmt: skip

_NEEDED = (
    messages.c.id, messages.c.account_id, messages.c.status, messages.c.sender, messages.c.fallback_state,
    messages.c.parent_id,
)  # fmt: skip
_COLUMNS_OF_STANDING = ", ".join(f"messages.{column.name}" for column in _NEEDED)

_Name = tuple[str, str]
"""Provider and token: what a provider's receipts call a message."""

_Phone = tuple[str, str]
"""Service id and number."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """Receipts that one request of a provider carried."""

    receipts: Sequence[Receipt]
    received_at: Instant
    keys: Callable[[], int]


def apply_receipts(connection: Connection, items: Sequence[Arrival]) -> list[list[str]]:
    """Store receipts and move their messages; answer the effect of each."""
    standings = _Standings(connection, items[-1].received_at, items[-1].keys)
    news = [
        receipt for item in items for receipt in item.receipts if receipt.token and receipt.status in RECEIPT_EVENTS
    ]
    standings.load({(receipt.provider, receipt.token) for receipt in news})
    strangers = [receipt for receipt in news if standings.of(receipt.provider, receipt.token) is None]
    if strangers:
        names = {(receipt.provider, receipt.token) for receipt in strangers}
        phones = {(receipt.service_id, receipt.recipient) for receipt in strangers}
        _turn(connection, names, {phone for phone in phones if all(phone)})
        standings.load(names)
    answers: list[list[str]] = []
    stored: list[rows.Values] = []
    for item in items:
        effects = []
        for receipt in item.receipts:
            standing = standings.of(receipt.provider, receipt.token) or _orphan(connection, standings, receipt)
            if standing is not None:
                effect = standing.apply(receipt.status, receipt.at, receipt.code, receipt.reason)
            else:
                effect = "parked" if receipt.status in RECEIPT_EVENTS else "ignored"
            stored.append(_row(item, receipt, standing, effect))
            effects.append(effect)
        answers.append(effects)
    rows.insert(connection, receipts, _COLUMNS, stored)
    standings.save()
    for item in items:
        note_subscriptions(connection, item.receipts, item.received_at)
    return answers


def _orphan(connection: Connection, standings: _Standings, receipt: Receipt) -> _Standing | None:
    """Return the message of unknown outcome that alone can be meant by a receipt with an unknown token.

    Earlier receipts of this token, which had to wait because another one could be meant, come first.
    """
    if receipt.status not in RECEIPT_EVENTS or not receipt.service_id or not receipt.recipient or not receipt.token:
        return None
    standing = standings.adopt((receipt.provider, receipt.token), (receipt.service_id, receipt.recipient))
    if standing is not None:
        called = (receipts.c.provider == receipt.provider) & (receipts.c.token == receipt.token)
        parked = select(receipts).where(receipts.c.effect == "parked", called).order_by(receipts.c.id)
        _join(connection, standings, connection.execute(parked).all())
    return standing


def _row(item: Arrival, receipt: Receipt, standing: _Standing | None, effect: str) -> rows.Values:
    return (
        item.keys(), receipt.provider, receipt.token, str(receipt.status), receipt.at, item.received_at,
        receipt.service_id, receipt.recipient, receipt.code, receipt.reason,
        standing and standing.message_id, standing and standing.account_id, effect,
    )  # fmt: skip


def join_parked(
    connection: Connection, *, born: Sequence[rows.Values], lost: Sequence[_Phone], now: Instant,
    keys: Callable[[], int],
) -> None:  # fmt: skip
    """Apply receipts that came before their token (``born``: rows of ``tokens``) or whose reply was lost (``lost``:
    service id and number of attempts that just ended unknown)."""
    if not born and not lost:
        return
    _turn(connection, [(row[0], row[1]) for row in born], lost)
    if not lost and not _any_parked(connection, [row[1] for row in born]):
        return
    clauses: list[ColumnElement[bool]] = [receipts.c.token.in_([row[1] for row in born])] if born else []
    clauses += [and_(receipts.c.service_id == s, receipts.c.recipient == r) for s, r in lost]
    parked = select(receipts).where(receipts.c.effect == "parked", or_(*clauses)).order_by(receipts.c.id)
    found = connection.execute(parked).all()
    if not found:
        return
    standings = _Standings(connection, now, keys)
    standings.load({(row.provider, row.token) for row in found})
    for phone in lost:
        _adopt_parked(standings, phone, [row for row in found if (row.service_id, row.recipient) == phone])
    _join(connection, standings, found)
    standings.save()


def _join(connection: Connection, standings: _Standings, parked: Sequence[rows.AnyRow]) -> None:
    """Apply parked receipts whose message is known now."""
    for row in parked:
        standing = standings.of(row.provider, row.token)
        if standing is None:
            continue
        effect = standing.apply(ReceiptStatus(row.status), row.at, row.code, row.reason)
        joined = update(receipts).where(receipts.c.id == row.id)
        connection.execute(joined.values(effect=effect, message_id=standing.message_id, account_id=standing.account_id))


def _any_parked(connection: Connection, called: Sequence[str]) -> bool:
    """Whether receipts with these tokens wait; nearly always none does, so the question is kept cheap."""
    sql = f"SELECT 1 FROM receipts WHERE effect = 'parked' AND token IN ({rows.marks(len(called))}) LIMIT 1"
    return connection.exec_driver_sql(rows.statement(connection, sql), tuple(called)).first() is not None


def _lock(connection: Connection) -> str:
    """SQLite has one writer; PostgreSQL locks the messages until the commit."""
    return "FOR UPDATE OF messages" if connection.dialect.name == "postgresql" else ""


def _adopt_parked(standings: _Standings, phone: _Phone, found: Sequence[rows.AnyRow]) -> None:
    """Join the parked receipts of one phone when they carry one unknown token and one message can be meant."""
    strangers = {(row.provider, row.token) for row in found if standings.of(row.provider, row.token) is None}
    if len(strangers) == 1:
        standings.adopt(strangers.pop(), phone)


def _turn(connection: Connection, names: Iterable[_Name], phones: Iterable[_Phone]) -> None:
    """Wait until no other transaction is about to decide on these tokens and phones; keep them until the commit.

    Without it a receipt that arrives while another node commits its token could be parked for ever: neither of the two
    transactions sees the other. SQLite has one writer and needs no turn.
    """
    if connection.dialect.name != "postgresql":
        return
    texts = ["\0".join(("token", *name)) for name in names] + ["\0".join(("phone", *phone)) for phone in phones]
    locks = {int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True) for text in texts}
    sql = rows.statement(connection, "SELECT pg_advisory_xact_lock(name) FROM unnest(?::bigint[]) AS name")
    connection.exec_driver_sql(sql, (sorted(locks),))


def prune_parked(connection: Connection, items: Sequence[Instant]) -> list[int]:
    """Forget parked receipts that came before an instant; answer how many."""
    old = delete(receipts).where(receipts.c.effect == "parked", receipts.c.received_at < items[-1])
    return [connection.execute(old).rowcount] * len(items)


class _Standing:
    """The status of a message while receipts are applied to it in one transaction."""

    __slots__ = ("account_id", "before", "failure", "message_id", "row", "status", "status_at", "steps")

    def __init__(self, row: rows.AnyRow) -> None:
        self.row = row
        self.message_id: int = row.id
        self.account_id: int = row.account_id
        self.steps: list[Change] = []
        """What others are to know: every status on the way."""
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
        self.steps.append(self._change())
        return "applied"

    def _change(self) -> Change:
        code, reason = self.failure
        return Change(
            message_id=self.message_id, account_id=self.account_id, sender=self.row.sender, status=self.status,
            at=self.status_at, failure=None if code is None else Failure(code=code, reason=reason or ""),
            has_fallback=self.row.fallback_state is not None, is_fallback=self.row.parent_id is not None,
        )  # fmt: skip


class _Standings:
    """The messages that the receipts of one transaction are about: one object a message, locked until the commit."""

    def __init__(self, connection: Connection, now: Instant, keys: Callable[[], int]) -> None:
        self._connection = connection
        self._now = now
        self._keys = keys
        self._by_message: dict[int, _Standing] = {}
        self._by_name: dict[_Name, _Standing] = {}

    def of(self, provider: str, token: str) -> _Standing | None:
        return self._by_name.get((provider, token))

    def load(self, names: set[_Name]) -> None:
        """Read the messages behind tokens."""
        if not names:
            return
        providers, called = {provider for provider, _ in names}, {token for _, token in names}
        sql = (
            f"SELECT tokens.provider, tokens.token, {_COLUMNS_OF_STANDING} FROM tokens "
            "JOIN messages ON messages.id = tokens.message_id "
            f"WHERE tokens.provider IN ({rows.marks(len(providers))}) AND tokens.token IN ({rows.marks(len(called))}) "
            f"ORDER BY messages.id {_lock(self._connection)}"
        )
        sql = rows.statement(self._connection, sql)
        for row in self._connection.exec_driver_sql(sql, (*providers, *called)):
            self._by_name[row.provider, row.token] = self._by_message.setdefault(row.id, _Standing(row))

    def adopt(self, name: _Name, phone: _Phone) -> _Standing | None:
        """Give an unknown token to the one message to a phone that it can mean; None when there is none, or several."""
        standing = self._only_unknown(*phone)
        if standing is None:
            return None
        row = (*name, standing.message_id, standing.account_id)
        columns = ("provider", "token", "message_id", "account_id")
        if not rows.insert(self._connection, tokens, columns, [row], "ON CONFLICT DO NOTHING"):
            return None  # another node has just recorded the token; it joins the receipt
        self._by_name[name] = standing
        return standing

    def _only_unknown(self, service_id: str, recipient: str) -> _Standing | None:
        """Return the one message to this phone whose outcome is unknown; None if none is, or if it may be another.

        A message to the same phone that is being sent right now may be the one meant: its reply will tell.
        """
        self.save()  # a message that this transaction has moved on is unknown no more
        phone = and_(messages.c.recipient == recipient, messages.c.service_id == service_id)
        unknown = select(*_NEEDED)
        unknown = unknown.where(messages.c.status == "unknown", phone).limit(2).with_for_update()
        found = self._connection.execute(unknown).all()
        if len(found) != 1:
            return None
        in_the_air = select(messages.c.id).where(messages.c.due_at.is_not(None), messages.c.status == "sending", phone)
        if self._connection.execute(in_the_air.limit(1)).first() is not None:
            return None
        return self._by_message.setdefault(found[0].id, _Standing(found[0]))

    def save(self) -> None:
        """Write the statuses that changed, and what follows. Resting states need no attention any more."""
        changed = [s for s in self._by_message.values() if s.status is not s.before]
        rows.execute(
            self._connection,
            "UPDATE messages SET status = ?, status_at = ?, due_at = NULL, failure_code = ?, failure_reason = ? "
            "WHERE id = ? AND status = ?",
            [(str(s.status), s.status_at, *s.failure, s.message_id, str(s.before)) for s in changed],
        )
        steps = [step for standing in changed for step in standing.steps]
        for standing in changed:
            standing.before, standing.steps = standing.status, []
        follow(self._connection, steps, self._now, self._keys)
