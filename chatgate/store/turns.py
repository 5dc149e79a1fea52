"""Turns: how the outbox of callbacks is worked off, one turn at an endpoint at a time.

Rules:

1. An endpoint is in the hands of one node: until its turn is recorded, or its lease is over.
2. A report leaves only when the earlier ones of its message were heard or given up. So a message's reports are heard in
   the order of its changes.
3. Reports that leave in one call form a batch. It keeps its id (``webhook-id``) and its reports over all tries.
4. An endpoint that does not answer rests, longer each time, and holds up nobody but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, exists, select, update

from chatgate.clock import MINUTE, SECOND, Instant
from chatgate.domain import callback
from chatgate.domain.callback import CallbackState
from chatgate.store import rows
from chatgate.store.callbacks import GONE, give_up
from chatgate.store.tables import accounts, callbacks, endpoints

LEASE = 30 * SECOND
"""Ten times what an endpoint has to answer."""

LONGEST_REST = 5 * MINUTE

PARALLEL = 8
"""Calls in one turn; to an endpoint that did not answer in its last turn a single one, to see."""

PATIENCE = sum(callback.RETRIES)
"""How long a report that is due waits for an endpoint that does not answer: as long as its tries would have taken."""

SILENT = "The endpoint has not answered for three days."


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

    What must wait for an earlier report of its message is due with that one, and not looked at before.
    """
    most = PARALLEL if endpoint.failures == 0 else 1
    groups = _due(connection, endpoint.id, claim.now, most * endpoint.batch)
    heads = _heads(connection, endpoint.id, {row.message_id for group in groups for row in group} - {None})
    calls: list[list[rows.AnyRow]] = []
    filling: list[rows.AnyRow] = []
    late: list[rows.Values] = []
    for group in groups:
        earlier = [head for row in group if (head := heads.get(row.message_id)) is not None and head.id < row.id]
        if earlier:
            due_at = max(head.due_at for head in earlier)
            late += [(due_at, row.id) for row in group if row.due_at < due_at]
        elif group[0].batch_id is not None:
            calls.append(group)
        else:
            if not filling or len(filling) == endpoint.batch:
                filling = []
                calls.append(filling)
            filling += group
    rows.execute(connection, "UPDATE callbacks SET due_at = ? WHERE id = ?", late)
    return [_batch(connection, reports, claim) for reports in calls[:most]]


def _due(connection: Connection, endpoint_id: int, now: Instant, limit: int) -> list[list[rows.AnyRow]]:
    """Return what is due, the longest due first: each batch whole, each new report alone."""
    waiting = select(callbacks).where(callbacks.c.endpoint_id == endpoint_id)
    due = waiting.where(callbacks.c.due_at <= now).order_by(callbacks.c.due_at, callbacks.c.id).limit(limit)
    groups: dict[int, list[rows.AnyRow]] = {}
    for row in connection.execute(due):
        groups.setdefault(row.batch_id or -row.id, []).append(row)
    old = {batch_id: group[0].due_at for batch_id, group in groups.items() if batch_id > 0}
    if old:  # the limit may have cut one off; the reports of a batch are due at the same time
        groups.update({batch_id: [] for batch_id in old})
        whole = waiting.where(callbacks.c.due_at.in_(set(old.values())), callbacks.c.batch_id.in_(old))
        for row in connection.execute(whole.order_by(callbacks.c.id)):
            groups[row.batch_id].append(row)
    return list(groups.values())


def _heads(connection: Connection, endpoint_id: int, message_ids: set[int]) -> dict[int, rows.AnyRow]:
    """Return the first waiting report of each message."""
    if not message_ids:
        return {}
    waiting = select(callbacks.c.message_id, callbacks.c.id, callbacks.c.due_at).where(
        callbacks.c.message_id.in_(message_ids),
        callbacks.c.endpoint_id == endpoint_id,
        callbacks.c.state == CallbackState.WAITING,
    )
    return {row.message_id: row for row in connection.execute(waiting.order_by(callbacks.c.id.desc()))}


def _batch(connection: Connection, reports: list[rows.AnyRow], claim: EndpointClaim) -> Batch:
    batch_id = reports[0].batch_id
    if batch_id is None:
        batch_id = claim.keys()
        sql = "UPDATE callbacks SET batch_id = ?, due_at = ? WHERE id = ?"
        rows.execute(connection, sql, [(batch_id, claim.now, row.id) for row in reports])
    return Batch(batch_id=batch_id, reports=reports, tries=reports[0].tries)


class CallEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one call."""

    report_ids: list[int]
    tries: int
    """Tries with this one."""
    heard: bool
    reached: bool | None
    """Whether the endpoint answered; None: there was nothing to call for."""
    answer: str


class TurnEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a turn at an endpoint."""

    endpoint_id: int
    lease: Instant
    failures: int
    calls: list[CallEnd]
    now: Instant
    jitter: Callable[[], float]


def record_turn(connection: Connection, items: Sequence[TurnEnd]) -> list[None]:
    """Store what became of calls, and let the endpoint go, or rest.

    Who comes after his lease ran out still tells what was heard; a failure of his counts no second time, and the
    endpoint is in other hands.
    """
    for item in items:
        for call in item.calls:
            _record_call(connection, call, item)
        reached = [call.reached for call in item.calls if call.reached is not None]
        failures = 0 if any(reached) else item.failures + bool(reached)
        rest = min(SECOND << min(failures, 20), LONGEST_REST) if failures else 0
        ours = update(endpoints).where(endpoints.c.id == item.endpoint_id, endpoints.c.free_at == item.lease)
        connection.execute(ours.values(free_at=item.now + rest, failures=failures))
        if failures:
            overdue = (callbacks.c.endpoint_id == item.endpoint_id) & (callbacks.c.due_at < item.now - PATIENCE)
            give_up(connection, overdue, SILENT)
    return [None] * len(items)


def _record_call(connection: Connection, call: CallEnd, item: TurnEnd) -> None:
    told = update(callbacks).where(callbacks.c.id.in_(call.report_ids))
    state, due_at = CallbackState.HEARD, None
    if not call.heard:
        told = told.where(callbacks.c.state == CallbackState.WAITING, callbacks.c.tries == call.tries - 1)
        wait = callback.next_try(call.tries, item.jitter())
        state, due_at = (
            (CallbackState.UNDELIVERABLE, None) if wait is None else (CallbackState.WAITING, item.now + wait)
        )
    connection.execute(told.values(state=state, due_at=due_at, tries=call.tries, answer=call.answer))
