"""Counting what went out. Bounded like the history: a question that would look at too many messages is refused."""

from __future__ import annotations

from sqlalchemy import Connection, and_, exists, func, or_, select

from chatgate.domain.message import Outcome, Status
from chatgate.domain.traffic import Period, Traffic
from chatgate.ids import key_at
from chatgate.store.history import BOUNDS, TooFarBack
from chatgate.store.tables import attempts, messages

_SENT = (Status.SENT, Status.DELIVERED, Status.READ)
_DELIVERED = (Status.DELIVERED, Status.READ)
_ENDED = (Status.FAILED, Status.EXPIRED)
"""Perhaps after the provider took the message: its attempts know."""


def count(connection: Connection, account_id: int, asked: Period, looked_at: int = BOUNDS.looked_at) -> list[Traffic]:
    """Return what went out, by sender and time; spans in which nothing did are left out. Raises TooFarBack."""
    all_of_it = select(messages.c.id, messages.c.sender, messages.c.status, messages.c.accepted_at).where(
        messages.c.account_id == account_id, messages.c.parent_id.is_(None),
        messages.c.id >= key_at(asked.start), messages.c.id < key_at(asked.end),
    )  # fmt: skip
    if asked.sender is not None:
        all_of_it = all_of_it.where(messages.c.sender == asked.sender)
    found = all_of_it.limit(looked_at + 1).subquery()
    if connection.execute(select(func.count()).select_from(found)).scalar_one() > looked_at:
        raise TooFarBack(f"More than {looked_at} messages are in the period.")
    span = (found.c.accepted_at // asked.span).label("span")
    taken = exists().where(attempts.c.message_id == found.c.id, attempts.c.outcome == Outcome.SENT)
    sent = func.count().filter(or_(found.c.status.in_(_SENT), and_(found.c.status.in_(_ENDED), taken)))
    delivered = func.count().filter(found.c.status.in_(_DELIVERED))
    counted = select(found.c.sender, span, sent, delivered).group_by(found.c.sender, span).having(sent > 0)
    return [
        Traffic(sender=sender, start=int(number) * asked.span, sent=went, delivered=arrived)
        for sender, number, went, arrived in connection.execute(counted.order_by(found.c.sender, span))
    ]
