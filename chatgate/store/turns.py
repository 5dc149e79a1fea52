"""Turns: how the outbox of callbacks is worked off, one turn at an endpoint at a time.

Rules:

1. An endpoint is in the hands of one node: until its turn is recorded, or its lease is over.
2. A report leaves only when the earlier ones of its message were heard or given up. So a message's reports are heard in
   the order of its changes.
3. Reports that leave in one call form a batch. It keeps its id (``webhook-id``) and its reports over all tries.
4. An endpoint that does not answer rests, longer each time, and holds up nobody but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, exists, select, update

from chatgate.clock import MINUTE, SECOND, Instant
from chatgate.domain import callback
from chatgate.domain.callback import CallbackState
from chatgate.store import rows
from chatgate.store.callbacks import give_up
from chatgate.store.tables import accounts, callbacks, endpoints

LEASE = 30 * SECOND
"""Ten times what an endpoint has to answer."""

LONGEST_REST = 5 * MINUTE

PARALLEL = 8
"""Calls in one turn; to an endpoint that did not answer in its last turn a single one, to see."""

PATIENCE = sum(callback.RETRIES)
"""How long reports wait for an endpoint that does not answer, even untried."""


class EndpointClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for endpoints that have something to be told."""

    now: Instant
    limit: int
    keys: Callable[[], int]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Reports that leave in one call."""

    batch_id: int
    reports: list[rows.AnyRow]
    tries: int
    """Tries before this one."""


class ClaimedEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint in the hands of this node until its lease runs out."""

    endpoint_id: int
    account_id: int
    url: str
    failures: int
    sealed_secret: bytes | None
    lease: Instant
    batches: list[Batch]


def claim_endpoints(connection: Connection, items: Sequence[EndpointClaim]) -> list[list[ClaimedEndpoint]]:
    """Take endpoints that have something to be told, those first whose last turn is the longest ago."""
    return [[taken for row in _free(connection, item) if (taken := _take(connection, row, item))] for item in items]


def _free(connection: Connection, claim: EndpointClaim) -> Sequence[rows.AnyRow]:
    something = exists().where(callbacks.c.endpoint_id == endpoints.c.id, callbacks.c.due_at <= claim.now)
    free = select(endpoints, accounts.c.callback_secret).join(accounts, accounts.c.id == endpoints.c.account_id)
    free = free.where(endpoints.c.free_at <= claim.now, something).order_by(endpoints.c.free_at).limit(claim.limit)
    return connection.execute(free.with_for_update(skip_locked=True, of=endpoints)).all()


def _take(connection: Connection, endpoint: rows.AnyRow, claim: EndpointClaim) -> ClaimedEndpoint | None:
    if endpoint.url is None:
        give_up(connection, callbacks.c.endpoint_id == endpoint.id, GONE)
        return None
    lease = claim.now + LEASE
    connection.execute(update(endpoints).where(endpoints.c.id == endpoint.id).values(free_at=lease))
    return ClaimedEndpoint(
        endpoint_id=endpoint.id, account_id=endpoint.account_id, url=endpoint.url, failures=endpoint.failures,
        lease=lease, batches=_batches(connection, endpoint, claim),
        sealed_secret=None if endpoint.callback_secret is None else bytes(endpoint.callback_secret),
    )  # fmt: skip


def _batches(connection: Connection, endpoint: rows.AnyRow, claim: EndpointClaim) -> list[Batch]:
    """Make calls of what is due: batches of earlier tries as they were, new ones of up to the endpoint's size.

    What has to wait for an earlier report of its message becomes due right after that one.
    """
    most = PARALLEL if endpoint.failures == 0 else 1
    groups = _groups(connection, endpoint.id, claim.now, most * endpoint.batch)
    first = _first_waiting(connection, endpoint.id, (row.message_id for group in groups for row in group))
    calls: list[list[rows.AnyRow]] = []
    new: list[rows.AnyRow] | None = None
    late: list[rows.Values] = []
    for group in groups:
        before = [first[row.message_id] for row in group if row.message_id is not None]
        after = ...
