"""The verbs of a message's life up to its receipts: accept, begin, claim, record.

Every change of status is decided by ``domain.lifecycle`` and applied as compare-and-set on the status and the attempt
number it was decided for, so that whoever comes late changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, or_, select, update

from chatgate.clock import SECOND, Instant
from chatgate.domain import lifecycle, retry
from chatgate.domain.lifecycle import Due, Event, UnknownPolicy
from chatgate.domain.message import (
    Attempt,
    Content,
    Draft,
    Failure,
    Label,
    Message,
    MessageKind,
    MessageType,
    Outcome,
    RetryKey,
    SendResult,
    Status,
)
from chatgate.store import calls, rows
from chatgate.store.receipts import join_parked
from chatgate.store.tables import attempts, messages, notes, retry_keys, tokens

ACCEPT_LEASE = 15 * SECOND
"""How long the node that accepted a message may keep it in its own hands before anybody may claim it."""

UNREADABLE = Draft(
    account_id=0, space_id="", channel="", sender="", service_id="", recipient="", kind=MessageKind.MESSAGE,
    message_type=MessageType.TEXT, label=Label.PROMOTION, content=Content(), ttl=0,
)  # fmt: skip
"""Stands for a stored draft that cannot be read: it is never sent, and where its send is open, never sent again."""

_QUARANTINED = Failure(code="Quarantined", reason="The stored message cannot be read.")
_TIMED_OUT = Failure(code="SRVC_TIMEOUT", reason="The time to live ran out.")
_ONCE_MORE = "The outcome is unknown; the policy prefers twice to never."
_NO_RECEIPT = "The outcome is unknown and no receipt came within its time to live."

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Draft).decode

_MESSAGE_COLUMNS = (
    "id", "account_id", "lane", "status", "attempt", "losses", "due_at", "accepted_at", "expires_at", "status_at",
    "service_id", "recipient", "failure_code", "failure_reason", "request_id", "draft",
)  # fmt: skip
_ATTEMPT_COLUMNS = (
    "message_id", "number", "account_id", "provider", "started_at", "ended_at", "outcome", "token", "code", "reason",
)  # fmt: skip
_NOTE_COLUMNS = ("id", "message_id", "account_id", "at", "event", "detail")


class Acceptance(msgspec.Struct, frozen=True, kw_only=True):
    """One message to be accepted."""

    key: int
    draft: Draft
    nonce: bytes | None
    """None: the message has no call of its own (a fallback)."""
    retry: RetryKey | None
    request_id: str
    now: Instant
    lane: str
    leased: bool
    """Whether this node hands the message to its own dispatcher; else any node may claim it at once."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an acceptance."""

    key: int
    """The message's key; with ``repeated`` that of the message that the retry key stands for."""
    repeated: bool = False
    nonce_used: bool = False
    mismatch: bool = False
    """The retry key came before with another request."""

    @property
    def stored(self) -> bool:
        return not (self.repeated or self.nonce_used or self.mismatch)


def accept(connection: Connection, items: Sequence[Acceptance]) -> list[Accepted]:
    """Store messages with their nonces and retry keys. What is not fresh stores nothing."""
    spent = iter(
        calls.spend_nonces(connection, own) if (own := [i.nonce for i in items if i.nonce is not None]) else ()
    )
    answers: list[Accepted] = []
    fresh: list[rows.Values] = []
    for item in items:
        if item.nonce is not None and not next(spent):
            answers.append(Accepted(key=item.key, nonce_used=True))
            continue
        if item.retry is not None and (earlier := _remember(connection, item, item.retry)) is not None:
            answers.append(earlier)
            continue
        answers.append(Accepted(key=item.key))
        fresh.append(_row(item))
    rows.insert(connection, messages, _MESSAGE_COLUMNS, fresh)
    return answers


def _row(item: Acceptance) -> rows.Values:
    draft, now, failure = item.draft, item.now, item.draft.failure
    due = None if failure is not None else now + ACCEPT_LEASE if item.leased else now
    return (
        item.key, draft.account_id, item.lane, "accepted" if failure is None else "failed", 0, 0, due, now,
        now + draft.ttl * SECOND, now, draft.service_id, draft.recipient,
        failure and failure.code, failure and failure.reason, item.request_id, _encode(draft).decode(),
    )  # fmt: skip


def _remember(connection: Connection, item: Acceptance, key: RetryKey) -> Accepted | None:
    """Store the retry key, or answer what it stands for already."""
    row = (item.draft.account_id, key.key, key.fingerprint, item.key, item.now)
    columns = ("account_id", "key", "fingerprint", "message_id", "created_at")
    same = (retry_keys.c.account_id == item.draft.account_id) & (retry_keys.c.key == key.key)
    for _ in range(2):
        if rows.insert(connection, retry_keys, columns, [row], "ON CONFLICT DO NOTHING"):
            return None
        earlier = connection.execute(select(retry_keys).where(same)).one()
        if earlier.created_at >= item.now - calls.RETRY_WINDOW:
            break
        connection.execute(retry_keys.delete().where(same))
    matches = bytes(earlier.fingerprint) == key.fingerprint
    return Accepted(key=earlier.message_id, repeated=matches, mismatch=not matches)


def spend_nonce(connection: Connection, items: Sequence[bytes]) -> list[bool]:
    """Remember nonces of calls that store nothing else; answer for each whether it was fresh."""
    return calls.spend_nonces(connection, items)


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first attempt of a message that this node holds by its accept lease."""

    message_id: int
    lease: Instant
    """``due_at`` as committed with the acceptance; if it changed, the message is in other hands."""
    now: Instant
    until: Instant


def begin(connection: Connection, items: Sequence[Beginning]) -> list[bool]:
    """Commit first attempts, before a byte leaves; answer for each whether the message is still ours."""
    sql = (
        "UPDATE messages SET status = 'sending', attempt = 1, status_at = ?, due_at = ? "
        "WHERE id = ? AND status = 'accepted' AND attempt = 0 AND due_at = ?"
    )
    own = [(item.now, item.until, item.message_id, item.lease) for item in items]
    if len(own) == 1:
        return [rows.execute(connection, sql, own) == 1]
    savepoint = connection.begin_nested()
    if rows.execute(connection, sql, own) == len(own):
        savepoint.commit()
        return [True] * len(own)
    savepoint.rollback()  # rare: some are in other hands. One by one it is plain which
    return [rows.execute(connection, sql, [one]) == 1 for one in own]


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A message that this node holds by accept lease and will not send: it is stopping."""

    message_id: int
    lease: Instant
    now: Instant


def release(connection: Connection, items: Sequence[Release]) -> list[None]:
    """Give accept leases back, so that the next claim finds the messages at once."""
    sql = "UPDATE messages SET due_at = ? WHERE id = ? AND status = 'accepted' AND due_at = ?"
    rows.execute(connection, sql, [(item.now, item.message_id, item.lease) for item in items])
    return [None] * len(items)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatcher's wish for due messages of its lane."""

    lane: str
    now: Instant
    limit: int
    """Free slots: at most so many messages are taken."""
    settle_only: bool = False
    """Take only what needs no send (its time is over, or its claimer died): a full lane still expires."""
    until: Instant
    """When the attempt's lease runs out: well beyond the longest time-out of a provider."""
    keys: Callable[[], int]
    unknown_wait: int
    unknown_policy: dict[Label, UnknownPolicy]


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim found."""

    to_send: list[Message]
    """Committed as ``sending`` under a new attempt number."""
    settled: int
    """How many others it brought to where they belong: ran out, lost, at rest, quarantined."""
    more: bool
    """Whether more are due right now."""


def claim(connection: Connection, items: Sequence[Claim]) -> list[Claimed]:
    """Take due messages, the longest due first, and commit what each needs (``lifecycle.on_due``).

    The only statement that crosses accounts.
    """
    return [_claim(connection, item) for item in items]


def _claim(connection: Connection, claim: Claim) -> Claimed:
    due = select(messages).where(messages.c.due_at.is_not(None), messages.c.due_at <= claim.now)
    due = due.where(messages.c.lane == claim.lane)
    if claim.settle_only:
        due = due.where(or_(messages.c.expires_at <= claim.now, messages.c.status == Status.SENDING))
    due = due.order_by(messages.c.due_at).limit(claim.limit).with_for_update(skip_locked=True)
    found = connection.execute(due).all()
    to_send: list[Message] = []
    for row in found:
        message = of_row(row)
        match lifecycle.on_due(message, claim.now):
            case Due.SEND if message.draft is UNREADABLE:
                _settle(connection, claim, row, Event.HELD, _QUARANTINED)
            case Due.SEND:
                to_send.append(_take(message, claim))
            case Due.SEND_AGAIN if message.draft is not UNREADABLE:
                to_send.append(_take(message, claim))
                _note(connection, claim, row, "sent once more", _ONCE_MORE)
            case Due.RUN_OUT:
                _settle(connection, claim, row, Event.RAN_OUT, _TIMED_OUT)
            case Due.LOST:
                _lost(connection, claim, row, message)
            case Due.SEND_AGAIN | Due.REST:
                _rest(connection, claim, row)
    taken = [(message.attempt, claim.now, message.due_at, message.id) for message in to_send]
    sql = "UPDATE messages SET status = 'sending', attempt = ?, status_at = ?, due_at = ? WHERE id = ?"
    rows.execute(connection, sql, taken)
    return Claimed(to_send=to_send, settled=len(found) - len(to_send), more=len(found) == claim.limit)


def _take(message: Message, claim: Claim) -> Message:
    return msgspec.structs.replace(message, status=Status.SENDING, attempt=message.attempt + 1, due_at=claim.until)


def _settle(connection: Connection, claim: Claim, row: rows.AnyRow, event: Event, failure: Failure) -> None:
    status = lifecycle.advance(Status(row.status), event)
    if status is None:
        raise AssertionError(f"{event} of a message that is {row.status}")
    values = {"status": status, "status_at": claim.now, "failure_code": failure.code, "failure_reason": failure.reason}
    connection.execute(update(messages).where(messages.c.id == row.id).values(due_at=None, **values))
    _note(connection, claim, row, event, failure.reason)


def _lost(connection: Connection, claim: Claim, row: rows.AnyRow, message: Message) -> None:
    reason = "The process died, or hung beyond its lease, while the attempt was open."
    lost = Attempt(
        message_id=message.id, number=message.attempt, provider="", started_at=row.status_at, ended_at=claim.now,
        result=SendResult(outcome=Outcome.UNKNOWN, code="LeaseRanOut", reason=reason),
    )  # fmt: skip
    outcome = AttemptEnd(
        attempt=lost, account_id=message.account_id, expires_at=message.expires_at, recipient=row.recipient,
        service_id=row.service_id, losses=row.losses, label=message.draft.label, jitter=0.0,
        unknown_wait=claim.unknown_wait, unknown_policy=claim.unknown_policy,
    )  # fmt: skip
    record(connection, [outcome])


def _rest(connection: Connection, claim: Claim, row: rows.AnyRow) -> None:
    connection.execute(update(messages).where(messages.c.id == row.id).values(due_at=None))
    _note(connection, claim, row, Event.RAN_OUT, _NO_RECEIPT)


def _note(connection: Connection, claim: Claim, row: rows.AnyRow, event: str, detail: str) -> None:
    rows.insert(connection, notes, _NOTE_COLUMNS, [(claim.keys(), row.id, row.account_id, claim.now, event, detail)])


class AttemptEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one attempt, with what is needed to decide what follows."""

    attempt: Attempt
    account_id: int
    expires_at: Instant
    service_id: str
    recipient: str
    label: Label
    losses: int
    """Attempts of unknown outcome before this one."""
    jitter: float
    unknown_wait: int
    """Milliseconds that a receipt has to resolve an unknown outcome before the policy acts."""
    unknown_policy: dict[Label, UnknownPolicy]


def record(connection: Connection, items: Sequence[AttemptEnd]) -> list[Status | None]:
    """Store the ends of attempts with the tokens that receipts will carry; answer the status that each end led to.

    None: the message was not waiting for this attempt any more (a receipt overtook it, or its lease ran out and another
    attempt is open); the attempt and its token are stored all the same. Receipts that came before their token are
    joined here.
    """
    answers = [_end(connection, item) for item in items]
    rows.insert(
        connection, attempts, _ATTEMPT_COLUMNS, [_attempt_row(item) for item in items],
        "ON CONFLICT (message_id, number) DO UPDATE SET provider = excluded.provider, ended_at = excluded.ended_at, "
        "outcome = excluded.outcome, token = excluded.token, code = excluded.code, reason = excluded.reason",
    )  # fmt: skip
    born = [item for item in items if item.attempt.result.token is not None]
    token_rows = [(i.attempt.provider, i.attempt.result.token, i.attempt.message_id, i.account_id) for i in born]
    columns = ("provider", "token", "message_id", "account_id")
    rows.insert(connection, tokens, columns, token_rows, "ON CONFLICT DO NOTHING")
    lost = [(i.service_id, i.recipient) for i in items if i.attempt.result.outcome is Outcome.UNKNOWN]
    join_parked(connection, born=token_rows, lost=lost)
    return answers


def _end(connection: Connection, item: AttemptEnd) -> Status | None:
    """Move the message as the outcome says, if it still waits for this attempt."""
    attempt, result = item.attempt, item.attempt.result
    event = lifecycle.OUTCOME_EVENTS[result.outcome]
    now = attempt.ended_at
    due: Instant | None = None
    failure: tuple[str | None, str | None] = (None, None)
    losses = item.losses + (event is Event.LOST)
    if event is Event.SENT:
        due = item.expires_at + lifecycle.REST_MARGIN
    elif event is Event.DEFERRED:
        due = now + retry.backoff(attempt.number, item.jitter, result.retry_after)
        if due >= item.expires_at:  # no time for another try: wait for the end, so that it is told as what it is
            due = item.expires_at
    elif event is Event.LOST:
        again = item.unknown_policy[item.label] is UnknownPolicy.SEND_AGAIN and item.losses == 0
        due = min(now + item.unknown_wait, item.expires_at) if again else item.expires_at
    elif event is Event.REFUSED:
        failure = (result.code, result.reason)
    sources = [
        s for s in lifecycle.TRANSITIONS if s in (Status.SENDING, Status.UNKNOWN) and lifecycle.advance(s, event)
    ]
    status = lifecycle.TRANSITIONS[Status.SENDING][event]
    marks = ", ".join("?" * len(sources))
    changed = rows.execute(
        connection,
        "UPDATE messages SET status = ?, status_at = ?, due_at = ?, losses = ?, failure_code = ?, failure_reason = ? "
        f"WHERE id = ? AND attempt = ? AND status IN ({marks})",
        [(str(status), now, due, losses, *failure, attempt.message_id, attempt.number, *map(str, sources))],
    )
    return status if changed else None


def _attempt_row(item: AttemptEnd) -> rows.Values:
    attempt, result = item.attempt, item.attempt.result
    return (
        attempt.message_id, attempt.number, item.account_id, attempt.provider, attempt.started_at, attempt.ended_at,
        str(result.outcome), result.token, result.code, result.reason,
    )  # fmt: skip


def of_row(row: rows.AnyRow) -> Message:
    """Return the message of a row; its draft is ``UNREADABLE`` where the stored one cannot be read."""
    try:
        draft = _decode(row.draft)
    except msgspec.DecodeError:
        draft = UNREADABLE
    failure = Failure(code=row.failure_code, reason=row.failure_reason or "") if row.failure_code else None
    return Message(
        id=row.id, account_id=row.account_id, draft=draft, accepted_at=row.accepted_at,
        expires_at=row.expires_at, status=Status(row.status), attempt=row.attempt, due_at=row.due_at, failure=failure,
        losses=row.losses,
    )  # fmt: skip
