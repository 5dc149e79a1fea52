"""Where customers want to be told: one endpoint an account, and one a sender that has its own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, func, select, update

from chatgate.store import calls, rows
from chatgate.store.tables import accounts, callbacks, endpoints


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

    What waits for an endpoint that is taken away becomes undeliverable.
    """
    answers = []
    for order in items:
        fresh = order.nonce is None or calls.spend_nonces(connection, [order.nonce])[0]
        if fresh:
            _set(connection, order.changes)
        answers.append(fresh)
    return answers


def _set(connection: Connection, changes: Sequence[EndpointChange]) -> None:
    for item in changes:
        same = (endpoints.c.account_id == item.account_id) & (endpoints.c.sender == item.sender)
        same &= endpoints.c.kind == item.kind
        if item.url is None:
            gone = select(endpoints.c.id).where(same)
            waiting = update(callbacks).where(callbacks.c.endpoint_id.in_(gone), callbacks.c.state == "waiting")
            connection.execute(
                waiting.values(state="undeliverable", due_at=None, answer="The endpoint was taken away.")
            )
            connection.execute(endpoints.delete().where(same))
            continue
        columns = ("id", "account_id", "sender", "kind", "url", "batch", "failures", "due_at")
        row = (item.key, item.account_id, item.sender, item.kind, item.url, item.batch, 0, None)
        then = "ON CONFLICT (account_id, sender, kind) DO UPDATE SET url = excluded.url, batch = excluded.batch, failures = 0"
        rows.insert(connection, endpoints, columns, [row], then)
        secret = func.coalesce(accounts.c.callback_secret, item.sealed_secret)
        connection.execute(update(accounts).where(accounts.c.id == item.account_id).values(callback_secret=secret))


def sealed_secret(connection: Connection, account_id: int) -> bytes | None:
    """Return an account's signing secret as it is stored."""
    found = connection.execute(select(accounts.c.callback_secret).where(accounts.c.id == account_id)).scalar()
    return None if found is None else bytes(found)


def list_endpoints(connection: Connection, account_id: int) -> list[rows.AnyRow]:
    mine = select(endpoints).where(endpoints.c.account_id == account_id).order_by(endpoints.c.sender, endpoints.c.kind)
    return list(connection.execute(mine))


def undeliverable(connection: Connection, account_id: int, limit: int) -> list[rows.AnyRow]:
    """Return reports that were given up, newest first."""
    dead = select(callbacks).where(callbacks.c.account_id == account_id, callbacks.c.state == "undeliverable")
    return list(connection.execute(dead.order_by(callbacks.c.id.desc()).limit(limit)))
