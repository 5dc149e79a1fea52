"""What phones say without being asked about a message: replies, and who subscribes or unsubscribes.

Both are stored with the callback that tells them, in the transaction after which the provider is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, select

from chatgate.clock import Instant
from chatgate.domain.callback import ReportStatus, inbound, subscription
from chatgate.domain.receipt import Receipt, ReceiptStatus, Reply
from chatgate.store import callbacks, rows
from chatgate.store.tables import SPACE_ORDER, replies, senders, spaces

_REMEMBER = (
    "INSERT INTO blocks (account_id, service_id, recipient, at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (account_id, service_id, recipient) DO UPDATE SET at = excluded.at WHERE excluded.at > blocks.at"
)
_FORGET = "DELETE FROM blocks WHERE account_id = ? AND service_id = ? AND recipient = ? AND at <= ?"

_SUBSCRIPTIONS = {
    ReceiptStatus.SUBSCRIBED: (ReportStatus.SUBSCRIBE, _FORGET),
    ReceiptStatus.UNSUBSCRIBED: (ReportStatus.UNSUBSCRIBE, _REMEMBER),
}
"""What is told, and what is done. An older word does not undo a newer one."""


class ReplyArrival(msgspec.Struct, frozen=True, kw_only=True):
    """Replies that one request of a provider carried."""

    replies: Sequence[Reply]
    received_at: Instant
    keys: Callable[[], int]
    public_id: Callable[[int], str]


def take_replies(connection: Connection, items: Sequence[ReplyArrival]) -> list[int]:
    """Store replies and what is to be told; answer how many found their account."""
    answers = []
    for item in items:
        found = 0
        for reply in item.replies:
            for owner in _owners(connection, reply.service_id):
                _take(connection, item, reply, owner)
                found += 1
        answers.append(found)
    return answers


def _take(connection: Connection, item: ReplyArrival, reply: Reply, owner: rows.AnyRow) -> None:
    key = item.keys()
    columns = ("id", "account_id", "sender", "recipient", "at", "received_at", "reply")
    text = msgspec.json.encode(reply).decode()
    row = (key, owner.account_id, owner.sender, reply.recipient, reply.at, item.received_at, text)
    rows.insert(connection, replies, columns, [row])
    own = select(spaces.c.space_id).where(spaces.c.account_id == owner.account_id).order_by(*SPACE_ORDER)
    body = inbound(reply, item.public_id(key), owner.sender, connection.execute(own.limit(1)).scalar() or "")
    callbacks.enqueue_body(
        connection, owner.account_id, owner.sender, callbacks.INBOUND, "inbound", body, item.received_at
    )


def note_subscriptions(connection: Connection, news: Sequence[Receipt], now: Instant) -> None:
    """Remember who unsubscribed, forget who subscribed later, and tell it."""
    for receipt in news:
        if receipt.status not in _SUBSCRIPTIONS:
            continue
        for owner in _owners(connection, receipt.service_id):
            status, sql = _SUBSCRIPTIONS[receipt.status]
            rows.execute(connection, sql, [(owner.account_id, receipt.service_id, receipt.recipient, receipt.at)])
            body = subscription(status, owner.sender, receipt.recipient, receipt.at)
            callbacks.enqueue_body(connection, owner.account_id, owner.sender, callbacks.STATUS, str(status), body, now)


def _owners(connection: Connection, service_id: str) -> Sequence[rows.AnyRow]:
    """Return account and sender behind a service id; a partner gives one to one account."""
    if not service_id:
        return []
    owned = select(senders.c.account_id, senders.c.sender).where(senders.c.service_id == service_id)
    return connection.execute(owned.order_by(senders.c.account_id)).all()
