"""Where customers want to be told: one endpoint an account, and one a sender that has its own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, func, select, update

from chatgate.store import callbacks, calls, rows
from chatgate.store.tables import accounts, endpoints
from chatgate.store.tables import callbacks as reports


class EndpointChange(msgspec.Struct, frozen=True, kw_only=True):
    """``UpdateAccountWebhook`` and ``UpdatePhoneWebhook``."""

    key: int
    """Id of the endpoint if it is new."""
    account_id: int
    sender: str
    """Empty: the account's."""
    kind: str
    """``status`` or ``inbound``."""
    url: str | None
    """None: it is taken away."""
    batch: int
    sealed_secret: bytes
    """The account's signing secret, if it has none yet."""


class EndpointOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of one call."""

    changes: Sequence[EndpointChange]
    nonce: bytes | None = None


def set_endpoints(connection: Connection, items: Sequence[EndpointOrder]) -> list[bool]:
    """Put, change or take away endpoints; answer for each order whether its nonce was fresh (if not, nothing was done).

    What waits for an endpoint that is taken away becomes undeliverable. Its row stays: whoever is just writing a report
    for it, or replays one, has it listed with the next look, and told once the endpoint is put again.
    """
    answers = []
    for order in items:
        fresh = order.nonce is None or calls.spend_nonces(connection, [order.nonce])[0]
        if fresh:
            for change in order.changes:
                _set(connection, change)
        answers.append(fresh)
    return answers


def _set(connection: Connection, item: EndpointChange) -> None:
    if item.url is None:
        same = (endpoints.c.account_id == item.account_id) & (endpoints.c.sender == item.sender)
        gone = select(endpoints.c.id).where(same, endpoints.c.kind == item.kind)
        connection.execute(update(endpoints).where(endpoints.c.id.in_(gone)).values(url=None))
        callbacks.give_up(connection, reports.c.endpoint_id.in_(gone), callbacks.GONE)
        return
    columns = ("id", "account_id", "sender", "kind", "url", "batch", "failures", "free_at")
    row = (item.key, item.account_id, item.sender, item.kind, item.url, item.batch, 0, 0)
    # A new address does not take over the rest of the old one, nor the turn that is open there.
    then = (
        "ON CONFLICT (account_id, sender, kind) DO UPDATE SET url = excluded.url, batch = excluded.batch, "
        "failures = 0, free_at = CASE WHEN endpoints.url = excluded.url THEN endpoints.free_at ELSE 0 END"
    )
    rows.insert(connection, endpoints, columns, [row], then)
    secret = func.coalesce(accounts.c.callback_secret, item.sealed_secret)
    connection.execute(update(accounts).where(accounts.c.id == item.account_id).values(callback_secret=secret))


def sealed_secret(connection: Connection, account_id: int) -> bytes | None:
    """Return an account's signing secret as it is stored."""
    found = connection.execute(select(accounts.c.callback_secret).where(accounts.c.id == account_id)).scalar()
    return None if found is None else bytes(found)


def list_endpoints(connection: Connection, account_id: int) -> list[rows.AnyRow]:
    """Return where an account is told, by sender and kind."""
    mine = select(endpoints).where(endpoints.c.account_id == account_id, endpoints.c.url.is_not(None))
    return list(connection.execute(mine.order_by(endpoints.c.sender, endpoints.c.kind)))
