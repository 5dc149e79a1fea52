"""The verb that ends an attempt: what the provider said, what follows from it, and the token its receipts will carry.

Every change is compare-and-set on the status and the attempt number it was decided for: whoever comes late changes
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection

from chatgate.clock import Instant
from chatgate.domain import lifecycle, retry
from chatgate.domain.lifecycle import Event, UnknownPolicy
from chatgate.domain.message import Attempt, Failure, Label, Message, Outcome, Status
from chatgate.store import rows
from chatgate.store.changes import Change
from chatgate.store.consequences import follow
from chatgate.store.receipts import join_parked
from chatgate.store.tables import attempts, tokens

_COLUMNS = (
    "message_id", "number", "account_id", "provider", "started_at", "ended_at", "outcome", "token", "code", "reason",
)  # fmt: skip
_OF_OLD_ATTEMPT = (
    "ON CONFLICT (message_id, number) DO UPDATE SET provider = excluded.provider, ended_at = excluded.ended_at, "
    "outcome = excluded.outcome, token = excluded.token, code = excluded.code, reason = excluded.reason"
)


class AttemptEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one attempt, with what is needed to decide what follows."""

    attempt: Attempt
    message: Message
    jitter: float
    keys: Callable[[], int]
    unknown_wait: int
    """Milliseconds that a receipt has to resolve an unknown outcome before the policy acts."""
    unknown_policy: dict[Label, UnknownPolicy]


def record(connection: Connection, items: Sequence[AttemptEnd]) -> list[Status | None]:
    """Store the ends of attempts with the tokens that receipts will carry; answer each message's new status.

    None: the message was not waiting for this attempt any more (a receipt overtook it, or its lease ran out and another
    attempt is open); the attempt and its token are stored all the same. Receipts that came before their token are
    joined here.
    """
    answers = _move(connection, items)
    moved = [_change(item, status) for item, status in zip(items, answers, strict=True) if status is not None]
    now, keys = items[-1].attempt.ended_at, items[-1].keys
    follow(connection, [change for change in moved if change is not None], now, keys)
    rows.insert(connection, attempts, _COLUMNS, [_row(item) for item in items], _OF_OLD_ATTEMPT)
    born = [
        (item.attempt.provider, item.attempt.result.token, item.message.id, item.message.account_id)
        for item in items
        if item.attempt.result.token is not None
    ]
    columns = ("provider", "token", "message_id", "account_id")
    rows.insert(connection, tokens, columns, born, "ON CONFLICT DO NOTHING")
    lost = [
        (item.message.draft.service_id, item.message.draft.recipient)
        for item in items
        if item.attempt.result.outcome is Outcome.UNKNOWN
    ]
    join_parked(connection, born=born, lost=lost, now=now, keys=keys)
    return answers


def _move(connection: Connection, items: Sequence[AttemptEnd]) -> list[Status | None]:
    """Move messages as the outcomes of their attempts say, where they still wait for these attempts."""
    events = [lifecycle.OUTCOME_EVENTS[item.attempt.result.outcome] for item in items]
    answers: list[Status | None] = [None] * len(items)
    for event in dict.fromkeys(events):
        places = [place for place, own in enumerate(events) if own is event]
        status, sql = lifecycle.TRANSITIONS[Status.SENDING][event], _MOVES[event]
        values = [(str(status), *_values(items[place], event)) for place in places]
        every = partial(rows.execute, connection, sql, values)
        if len(values) > 1 and rows.all_or_none(connection, every, len(values)):
            moved = [True] * len(values)
        else:  # one, or some that were overtaken: one by one it is plain which
            moved = [rows.execute(connection, sql, [one]) == 1 for one in values]
        for place, done in zip(places, moved, strict=True):
            answers[place] = status if done else None
    return answers


def _sql(event: Event) -> str:
    sources = [s for s in (Status.SENDING, Status.UNKNOWN) if lifecycle.advance(s, event) is not None]
    listed = ", ".join(f"'{source}'" for source in sources)
    return (
        "UPDATE messages SET status = ?, status_at = ?, due_at = ?, losses = ?, failure_code = ?, failure_reason = ? "
        f"WHERE id = ? AND attempt = ? AND status IN ({listed})"
    )


_MOVES = {event: _sql(event) for event in dict.fromkeys(lifecycle.OUTCOME_EVENTS.values())}


def _values(item: AttemptEnd, event: Event) -> rows.Values:
    attempt, result = item.attempt, item.attempt.result
    failure = (result.code, result.reason) if event is Event.REFUSED else (None, None)
    losses = item.message.losses + (event is Event.LOST)
    return (attempt.ended_at, _due_at(item, event), losses, *failure, attempt.message_id, attempt.number)


def _due_at(item: AttemptEnd, event: Event) -> Instant | None:
    """Return when the message next needs attention."""
    message, now = item.message, item.attempt.ended_at
    if event is Event.SENT:
        return message.expires_at + lifecycle.REST_MARGIN
    if event is Event.DEFERRED:
        # No time for another try: it waits for the end, so that it is told as what it is.
        wait = retry.backoff(item.attempt.number, item.jitter, item.attempt.result.retry_after)
        return min(now + wait, message.expires_at)
    if event is Event.LOST:
        again = item.unknown_policy[message.draft.label] is UnknownPolicy.SEND_AGAIN and message.losses == 0
        return min(now + item.unknown_wait, message.expires_at) if again else message.expires_at
    return None


def _change(item: AttemptEnd, status: Status) -> Change | None:
    """Return what others are to know of it; None for what is nobody's business (deferred, unknown)."""
    if status not in (Status.SENT, Status.FAILED):
        return None
    message, result = item.message, item.attempt.result
    failure = Failure(code=result.code, reason=result.reason) if status is Status.FAILED else None
    return Change(
        message_id=message.id, account_id=message.account_id, sender=message.sender, status=status,
        at=item.attempt.ended_at, failure=failure, has_fallback=message.fallback_state is not None,
        is_fallback=message.parent_id is not None,
    )  # fmt: skip


def _row(item: AttemptEnd) -> rows.Values:
    attempt, result = item.attempt, item.attempt.result
    return (
        attempt.message_id, attempt.number, item.message.account_id, attempt.provider, attempt.started_at,
        attempt.ended_at, str(result.outcome), result.token, result.code, result.reason,
    )  # fmt: skip
