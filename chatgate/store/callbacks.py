"""The outbox of what customers are told: written with the change that it tells, worked off endpoint by endpoint.

Rules:

1. An endpoint is claimed as a whole, by one node at a time; so a message's reports leave in the order of its changes
   (unless one has to be tried again while a later one of another message goes on).
2. Reports that leave together form a batch, whose id (``webhook-id``) stays the same over all tries.
3. A report is told, or undeliverable and listed; nothing is dropped in silence. Replaying makes it wait again.
4. An endpoint that does not answer rests, longer each time, and holds up nobody but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, func, or_, select, update

from chatgate.clock import MINUTE, SECOND, Instant
from chatgate.domain import callback
from chatgate.domain.callback import REPORTED, ReportStatus
from chatgate.domain.message import Status
from chatgate.store import rows
from chatgate.store.changes import Change
from chatgate.store.tables import accounts, callbacks, endpoints

STATUS, INBOUND = "status", "inbound"
"""Kinds of endpoints: ``StatusCallbackUrl`` and ``UpCallbackUrl``."""

LEASE = 30 * SECOND
"""Ten times what an endpoint has to answer."""

LONGEST_REST = 5 * MINUTE

PARALLEL = 8
"""Batches of one endpoint that are out at one time."""

_COLUMNS = (
    "endpoint_id", "account_id", "message_id", "status", "at", "code", "reason", "body", "state", "tries", "due_at",
)  # fmt: skip


def enqueue(connection: Connection, changes: Sequence[Change], now: Instant) -> None:
    """Write down what the endpoints of the changed messages' accounts are to be told."""
    told = [(change, status) for change in changes if (status := _reported(change)) is not None]
    if not told:
        return
    listening = endpoints_of(connection, {change.account_id for change, _ in told}, STATUS)
    if not listening:
        return
    new = []
    for change, status in told:
        endpoint = listening.get((change.account_id, change.sender)) or listening.get((change.account_id, ""))
        if endpoint is not None:
            failure = change.failure
            code, reason = (failure.code, failure.reason) if failure is not None else (None, None)
            new.append(
                (endpoint.id, change.account_id, change.message_id, str(status), change.at, code, reason, None,
                 "waiting", 0, now)
            )  # fmt: skip
    _insert(connection, new, now)


def enqueue_body(
    connection: Connection, account_id: int, sender: str, kind: str, status: str, body: bytes, now: Instant
) -> None:
    """Write down something that is about no message: a reply, a subscription."""
    listening = endpoints_of(connection, {account_id}, kind)
    endpoint = listening.get((account_id, sender)) or listening.get((account_id, ""))
    if endpoint is not None:
        row = (endpoint.id, account_id, None, status, now, None, None, body.decode(), "waiting", 0, now)
        _insert(connection, [row], now)


def _reported(change: Change) -> ReportStatus | None:
    if change.status is Status.UNKNOWN:  # at rest: its time to live is over
        return ReportStatus.FAILED
    return REPORTED.get(change.status)


def _insert(connection: Connection, new: Sequence[rows.Values], now: Instant) -> None:
    rows.insert(connection, callbacks, _COLUMNS, new)
    due = {row[0] for row in new}
    # Always takes the row's lock, though it changes only an idle one: a turn that is just ending then sees these reports.
    sql = "UPDATE endpoints SET due_at = COALESCE(due_at, ?) WHERE id = ?"
    rows.execute(connection, sql, [(now, endpoint_id) for endpoint_id in sorted(due)])


def endpoints_of(connection: Connection, account_ids: set[int], kind: str) -> dict[tuple[int, str], rows.AnyRow]:
    """Return the endpoints of accounts by account and sender."""
    own = select(endpoints).where(endpoints.c.account_id.in_(account_ids), endpoints.c.kind == kind)
    return {(row.account_id, row.sender): row for row in connection.execute(own)}


# --- working it off ---------------------------------------------------------------------------------------------------


class CallbackClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A wish for endpoints that have something to be told."""

    now: Instant
    limit: int


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
    kind: str
    failures: int
    sealed_secret: bytes | None
    lease: Instant
    batches: list[Batch]


def claim_endpoints(connection: Connection, items: Sequence[CallbackClaim]) -> list[list[ClaimedEndpoint]]:
    """Take endpoints that are due, with what they are to be told."""
    return [[_take(connection, row, item.now) for row in _due(connection, item)] for item in items]


def _due(connection: Connection, claim: CallbackClaim) -> Sequence[rows.AnyRow]:
    due = select(endpoints, accounts.c.callback_secret).join(accounts, accounts.c.id == endpoints.c.account_id)
    due = due.where(endpoints.c.due_at.is_not(None), endpoints.c.due_at <= claim.now).order_by(endpoints.c.due_at)
    due = due.limit(claim.limit).with_for_update(skip_locked=True, of=endpoints)
    return connection.execute(due).all()


def _take(connection: Connection, endpoint: rows.AnyRow, now: Instant) -> ClaimedEndpoint:
    lease = now + LEASE
    connection.execute(update(endpoints).where(endpoints.c.id == endpoint.id).values(due_at=lease))
    batches = _batches(connection, endpoint, now)
    fresh = [(b.batch_id, r.id) for b in batches for r in b.reports if r.batch_id is None]
    rows.execute(connection, "UPDATE callbacks SET batch_id = ? WHERE id = ?", fresh)
    return ClaimedEndpoint(
        endpoint_id=endpoint.id, account_id=endpoint.account_id, url=endpoint.url, kind=endpoint.kind,
        failures=endpoint.failures, lease=lease, batches=batches,
        sealed_secret=None if endpoint.callback_secret is None else bytes(endpoint.callback_secret),
    )  # fmt: skip


def _batches(connection: Connection, endpoint: rows.AnyRow, now: Instant) -> list[Batch]:
    """Group what is due into calls: old batches as they were, new ones up to the endpoint's size.

    A message is in one call only, and none of its reports goes before an earlier one that still waits.
    """
    earlier = callbacks.alias()
    blocked = select(earlier.c.id).where(
        earlier.c.message_id == callbacks.c.message_id, earlier.c.id < callbacks.c.id,
        earlier.c.endpoint_id == endpoint.id, earlier.c.state == "waiting", earlier.c.due_at > now,
    )  # fmt: skip
    due = select(callbacks).where(callbacks.c.endpoint_id == endpoint.id, callbacks.c.due_at <= now)
    due = due.where(or_(callbacks.c.message_id.is_(None), ~blocked.exists()))
    due = due.order_by(callbacks.c.id).limit(PARALLEL * endpoint.batch)
    old: dict[int, list[rows.AnyRow]] = {}
    calls: list[list[rows.AnyRow]] = []
    call_of: dict[int, int] = {}
    for row in connection.execute(due):
        if row.batch_id is not None:
            old.setdefault(row.batch_id, []).append(row)
            call_of[row.message_id or -row.id] = -1
            continue
        place = call_of.get(row.message_id or -row.id)
        if place is None and (not calls or len(calls[-1]) >= endpoint.batch):
            calls.append([])
        place = len(calls) - 1 if place is None else place
        if place < 0 or len(calls[place]) >= endpoint.batch:
            continue  # an earlier report of the same message is in a call that is full: the next claim takes it
        calls[place].append(row)
        call_of[row.message_id or -row.id] = place
    again = [Batch(batch_id=key, reports=found, tries=found[0].tries) for key, found in old.items()]
    return (again + [Batch(batch_id=found[0].id, reports=found, tries=0) for found in calls])[:PARALLEL]


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one call."""

    batch_id: int
    report_ids: list[int]
    tries: int
    """Tries with this one."""
    heard: bool
    reached: bool
    answer: str


class EndpointEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a turn at an endpoint."""

    endpoint_id: int
    lease: Instant
    failures: int
    calls: list[Heard]
    now: Instant
    jitter: Callable[[], float]


def record_turn(connection: Connection, items: Sequence[EndpointEnd]) -> list[None]:
    """Store what became of calls, and when the endpoint is due again."""
    for item in items:
        connection.execute(select(endpoints.c.id).where(endpoints.c.id == item.endpoint_id).with_for_update())
        for call in item.calls:
            _record_call(connection, call, item)
        silent = any(not call.reached for call in item.calls)
        answered = any(call.reached for call in item.calls)
        failures = item.failures + 1 if silent and not answered else 0
        rest = item.now + min(SECOND << min(failures, 20), LONGEST_REST) if failures else item.now
        waiting = select(func.min(callbacks.c.due_at)).where(callbacks.c.endpoint_id == item.endpoint_id)
        next_due = connection.execute(waiting.where(callbacks.c.due_at.is_not(None))).scalar()
        due = None if next_due is None else max(next_due, rest)
        ours = update(endpoints).where(endpoints.c.id == item.endpoint_id, endpoints.c.due_at == item.lease)
        connection.execute(ours.values(due_at=due, failures=failures))
    return [None] * len(items)


def _record_call(connection: Connection, call: Heard, item: EndpointEnd) -> None:
    wait = None if call.heard else callback.next_try(call.tries, item.jitter())
    state = "heard" if call.heard else "undeliverable" if wait is None else "waiting"
    due = None if wait is None else item.now + wait
    told = update(callbacks).where(callbacks.c.id.in_(call.report_ids), callbacks.c.state == "waiting")
    connection.execute(told.values(state=state, tries=call.tries, due_at=due, answer=call.answer))


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Which undeliverable reports are told again: those of an account, narrowed by what is given."""

    account_id: int
    now: Instant
    ids: Sequence[int] | None = None
    since: Instant | None = None
    until: Instant | None = None
    """Range of the change's time, both ends included."""


def replay(connection: Connection, items: Sequence[Replay]) -> list[int]:
    """Make undeliverable reports wait again, from the first try; answer how many."""
    answers = []
    for item in items:
        dead = (callbacks.c.account_id == item.account_id) & (callbacks.c.state == "undeliverable")
        if item.ids is not None:
            dead &= callbacks.c.id.in_(item.ids)
        if item.since is not None:
            dead &= callbacks.c.at >= item.since
        if item.until is not None:
            dead &= callbacks.c.at <= item.until
        hit = {row.endpoint_id for row in connection.execute(select(callbacks.c.endpoint_id).where(dead).distinct())}
        again = update(callbacks).where(dead).values(state="waiting", tries=0, due_at=item.now)
        answers.append(connection.execute(again).rowcount)
        wake = update(endpoints).where(endpoints.c.id.in_(hit))
        connection.execute(wake.values(due_at=item.now, failures=0))
    return answers
