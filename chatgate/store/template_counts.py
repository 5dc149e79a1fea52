"""How many messages of a template came how far, span by span.

No index leads from a template to its messages: it would cost every accept. So the messages of the time are looked at
one by one, by their keys, and no more of them than ``MOST``.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec
from sqlalchemy import Connection, select

from chatgate.clock import Instant
from chatgate.domain.message import Status
from chatgate.errors import ChatgateError
from chatgate.ids import key_at
from chatgate.store.tables import messages

MOST = 500_000
"""Messages of the account that one question looks at."""

_SENT = frozenset({Status.SENT, Status.DELIVERED, Status.READ})
_DELIVERED = frozenset({Status.DELIVERED, Status.READ})


class TooMany(ChatgateError):
    """More messages lie in the range than are looked at."""


class _Draft(msgspec.Struct):
    language: str | None = None


_decode = msgspec.json.Decoder(_Draft).decode


class Span(msgspec.Struct):
    """What was accepted in one span, in one language."""

    sent: int = 0
    delivered: int = 0
    read: int = 0


def count(
    connection: Connection, account_id: int, template_code: str, since: Instant, until: Instant, step: int,
    most: int = MOST,
) -> dict[tuple[Instant, str], Span]:  # fmt: skip
    """Return the counts by the beginning of the span and language. Raises TooMany."""
    within = (messages.c.account_id == account_id) & (messages.c.id >= key_at(since))
    within &= messages.c.id < key_at(until + 1)
    beyond = select(messages.c.id).where(within).order_by(messages.c.id).offset(most).limit(1)
    if connection.execute(beyond).first() is not None:
        raise TooMany(f"More than {most} messages lie in the range.")
    own = select(messages.c.accepted_at, messages.c.status, messages.c.draft).where(
        within, messages.c.template_code == template_code, messages.c.parent_id.is_(None)
    )
    spans: dict[tuple[Instant, str], Span] = defaultdict(Span)
    for row in connection.execution_options(yield_per=1000).execute(own):
        span = spans[row.accepted_at // step * step, _language(row.draft)]
        span.sent += row.status in _SENT
        span.delivered += row.status in _DELIVERED
        span.read += row.status == Status.READ
    return dict(sorted(spans.items()))


def _language(draft: str) -> str:
    """Return the language of a message; none where what is stored cannot be read."""
    try:
        return _decode(draft).language or ""
    except msgspec.DecodeError:
        return ""
