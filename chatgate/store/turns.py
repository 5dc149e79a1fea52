"""Turns: how the outbox of callbacks is worked off, one turn at an endpoint at a time.

Rules:

1. An endpoint is in the hands of one node: until its turn is recorded, or its lease is over.
2. A report leaves only when the earlier ones of its message were heard or given up. So a message's reports are heard in
   the order of its changes.
3. Reports that leave in one call form a batch. It keeps its id (``webhook-id``) and its reports over all tries.
4. An endpoint that does not answer rests, longer each time, and holds up nobody but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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

REPORTS_AT_ONCE = 1000
"""Reports that one transaction claims, about: some 20 ms, in which nobody else commits."""

PATIENCE = sum(callback.RETRIES)
"""How long a report that is due waits for an endpoint that does not answer: as long as its tries would have taken."""

SILENT = "The endpoint has not answered for three days."


class EndpointClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for endpoints that have something to be told."""

    now: Instant
    limit: int
    """Endpoints, at most."""
    reports: int = REPORTS_AT_ONCE
    """With so many reports or more it is enough: what is left stays free."""
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


Group = list[rows.AnyRow]
"""Reports that leave together or not at all: those of a batch, or a single one that is in none yet."""

Heads = Mapping[tuple[int, int | None], rows.AnyRow]
"""The first waiting report of a message at an endpoint, by both."""


def claim_endpoints(connection: Connection, items: Sequence[EndpointClaim]) -> list[list[ClaimedEndpoint]]:
    """Take endpoints that have something to be told, those first whose last turn is the longest ago."""
    return [_claim(connection, item) for item in items]


def _claim(connection: Connection, claim: EndpointClaim) -> list[ClaimedEndpoint]:
    """One statement for all endpoints where that can be: others wait for this transaction."""
    found = _free(connection, claim)
    for gone in (row.id for row in found if row.url is None):
        give_up(connection, callbacks.c.endpoint_id == gone, GONE)
    free = [row for row in found if row.url is not None]
    due = _enough(connection, free, claim)
    free = free[: len(due)]
    heads = _heads(connection, {row.message_id for groups in due for group in groups for row in group} - {None})
    late = [step for groups in due for group in groups for step in _wait(group, heads)]
    lease = claim.now + LEASE
    claimed = [_claimed(row, lease, _batches(row, groups, heads, claim)) for row, groups in zip(free, due, strict=True)]
    batches = [batch for endpoint in claimed for batch in endpoint.batches]
    fresh = [(b.batch_id, claim.now, row.id) for b in batches for row in b.reports if row.batch_id is None]
    rows.execute(connection, "UPDATE endpoints SET free_at = ? WHERE id = ?", [(lease, row.id) for row in free])
    rows.execute(connection, "UPDATE callbacks SET due_at = ? WHERE id = ?", late)
    rows.execute(connection, "UPDATE callbacks SET batch_id = ?, due_at = ? WHERE id = ?", fresh)
    return claimed


def _free(connection: Connection, claim: EndpointClaim) -> Sequence[rows.AnyRow]:
    something = exists().where(callbacks.c.endpoint_id == endpoints.c.id, callbacks.c.due_at <= claim.now)
    free = select(endpoints, accounts.c.callback_secret).join(accounts, accounts.c.id == endpoints.c.account_id)
    free = free.where(endpoints.c.free_at <= claim.now, something).order_by(endpoints.c.free_at).limit(claim.limit)
    return connection.execute(free.with_for_update(skip_locked=True, of=endpoints)).all()


def _enough(connection: Connection, free: Sequence[rows.AnyRow], claim: EndpointClaim) -> list[list[Group]]:
    """Return what is due at the first endpoints, until it is enough for one transaction."""
    due: list[list[Group]] = []
    reports = 0
    for endpoint in free:
        if reports >= claim.reports:
            break
        due.append(_due(connection, endpoint, claim.now))
        reports += sum(len(group) for group in due[-1])
    return due


def _due(connection: Connection, endpoint: rows.AnyRow, now: Instant) -> list[Group]:
    """Return what is due at an endpoint, the longest due first, no more than a turn can take."""
    sql = "SELECT * FROM callbacks WHERE endpoint_id = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?"
    window = (endpoint.id, now, _most(endpoint) * endpoint.batch)
    groups: dict[int, Group] = {}
    for row in connection.exec_driver_sql(rows.statement(connection, sql), window):
        groups.setdefault(row.batch_id or -row.id, []).append(row)
    old = {batch_id: group[0].due_at for batch_id, group in groups.items() if batch_id > 0}
    if old:  # the limit may have cut one off; the reports of a batch are due at the same time
        groups.update({batch_id: [] for batch_id in old})
        whole = select(callbacks).where(callbacks.c.endpoint_id == endpoint.id, callbacks.c.batch_id.in_(old))
        whole = whole.where(callbacks.c.due_at.in_(set(old.values()))).order_by(callbacks.c.id)
        for row in connection.execute(whole):
            groups[row.batch_id].append(row)
    return list(groups.values())


def _most(endpoint: rows.AnyRow) -> int:
    return PARALLEL if endpoint.failures == 0 else 1


def _heads(connection: Connection, message_ids: set[int]) -> Heads:
    if not message_ids:
        return {}
    waiting = select(callbacks.c.endpoint_id, callbacks.c.message_id, callbacks.c.id, callbacks.c.due_at).where(
        callbacks.c.message_id.in_(message_ids), callbacks.c.state == CallbackState.WAITING
    )
    found = connection.execute(waiting.order_by(callbacks.c.id.desc()))
    return {(row.endpoint_id, row.message_id): row for row in found}


def _earlier(group: Group, heads: Heads) -> list[rows.AnyRow]:
    """Return what a group must wait for: earlier reports of its messages."""
    first = [(row, heads.get((row.endpoint_id, row.message_id))) for row in group]
    return [head for row, head in first if head is not None and head.id < row.id]


def _wait(group: Group, heads: Heads) -> list[rows.Values]:
    """Return when a group that must wait is due: with what it waits for, so that it is not looked at in vain."""
    due_at = max((head.due_at for head in _earlier(group, heads)), default=0)
    return [(due_at, row.id) for row in group if row.due_at < due_at]


def _batches(endpoint: rows.AnyRow, groups: list[Group], heads: Heads, claim: EndpointClaim) -> list[Batch]:
    """Make calls of what may leave: batches of earlier tries as they were, new ones of up to the endpoint's size.

    The reports of a call stand in the order in which they were written, whatever was due first: in all its tries.
    """
    calls: list[Group] = []
    filling: Group = []
    for group in groups:
        if _earlier(group, heads):
            continue
        if group[0].batch_id is not None:
            calls.append(group)
            continue
        if not filling or len(filling) == endpoint.batch:
            filling = []
            calls.append(filling)
        filling += group
    return [
        Batch(
            batch_id=reports[0].batch_id or claim.keys(),
            reports=sorted(reports, key=lambda row: row.id),
            tries=reports[0].tries,
        )
        for reports in calls[: _most(endpoint)]
    ]


def _claimed(endpoint: rows.AnyRow, lease: Instant, batches: list[Batch]) -> ClaimedEndpoint:
    return ClaimedEndpoint(
        endpoint_id=endpoint.id, account_id=endpoint.account_id, url=endpoint.url, failures=endpoint.failures,
        lease=lease, batches=batches,
        sealed_secret=None if endpoint.callback_secret is None else bytes(endpoint.callback_secret),
    )  # fmt: skip


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
        sql = "UPDATE endpoints SET free_at = ?, failures = ? WHERE id = ? AND free_at = ?"
        rows.execute(connection, sql, [(item.now + rest, failures, item.endpoint_id, item.lease)])
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
