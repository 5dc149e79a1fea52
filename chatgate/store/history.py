"""The past of a sender in pages: its messages (not the SMS of a fallback) and the replies to it, newest first.

A page is found by counting keys from the newest down, stride by stride, each ending at a key. So it follows from the
question alone: every node answers the same, after any restart, whichever page is asked for first. (To remember where
pages began would make page 500 cheaper after page 499. But where new messages arrive, whoever asks for pages out of
turn, or shares a question with another reader, would miss what moved over an edge meanwhile.) Without ``until``, new
messages move older ones to later pages: one may be seen twice, none is missed. With a past one, pages stand still.

Counting is cheap: ``ix_messages_history`` holds all that the usual question looks at, so no row is read; only a
template or a status has to be read from its row. And it is bounded: see ``Bounds``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, Select, func, select, union_all

from chatgate.domain.history import Entry, Page, Question
from chatgate.domain.message import Message
from chatgate.domain.receipt import Reply
from chatgate.errors import ChatgateError
from chatgate.ids import instant_of, key_at
from chatgate.store import rows, search
from chatgate.store.tables import messages, replies

Keys = Select[int]
"""A question for keys of one kind."""

_NEWEST = (1 << 63) - 1
_decode = msgspec.json.Decoder(Reply).decode


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much work one question may be."""

    stride: int = 10_000
    """Keys of one kind (messages, replies) that one statement looks at."""
    looked_at: int = 500_000
    """Keys of one kind that are looked at in all. Half a second of work on either database."""
    counted: int = 10_000
    """Entries that are counted once the page is full, to tell how many there are."""


BOUNDS = Bounds()


class TooFarBack(ChatgateError):
    """The page lies below more keys than are looked at; a narrower range of time has it."""


def page(
    connection: Connection, account_id: int, asked: Question, public_id: Callable[[int], str],
    bounds: Bounds = BOUNDS, group: int | None = None,
) -> Page:  # fmt: skip
    """Return a page of an account's past; ``public_id`` makes MessageIds of keys. Raises TooFarBack.

    ``group``: only of this mass sending."""
    if not (asked.outbound or asked.inbound):
        return Page(entries=[], total=0)
    keys, total = _find(connection, account_id, asked, group, bounds)
    return Page(entries=_load(connection, keys, public_id), total=total)


def _find(
    connection: Connection, account_id: int, asked: Question, group: int | None, bounds: Bounds
) -> tuple[list[int], int | None]:
    """Return the keys of the page, and how many fit in all (None: not counted to the end)."""
    keys: list[int] = []
    first, passed = (asked.index - 1) * asked.size, 0
    low, below = key_at(asked.since), _NEWEST if asked.until is None else key_at(asked.until + 1)
    if group is not None:  # its messages lie together: the search is narrowed to where they are
        members = (messages.c.group_id == group) & (messages.c.account_id == account_id)
        last = connection.execute(select(func.max(messages.c.id)).where(members)).scalar()
        low, below = max(low, group), min(below, (last or group) + 1)
    for _ in range(bounds.looked_at // bounds.stride):
        floor = _floor(connection, _keys(account_id, asked, low, below), bounds.stride)
        fitting = union_all(*_keys(account_id, asked, floor or low, below, fitting=True, group=group)).subquery()
        found = connection.execute(select(func.count()).select_from(fitting)).scalar_one()
        skipped, lacking = max(first - passed, 0), asked.size - len(keys)
        if found > skipped and lacking:
            own = select(fitting.c.id).order_by(fitting.c.id.desc()).limit(lacking).offset(skipped)
            keys += connection.execute(own).scalars()
        passed += found
        if floor is None:
            return keys, passed
        if len(keys) == asked.size and passed > bounds.counted:
            return keys, None
        below = floor
    if len(keys) < asked.size:
        raise TooFarBack(f"The page begins or ends below {bounds.looked_at} messages.")
    return keys, None


def _floor(connection: Connection, keys: Sequence[Keys], stride: int) -> int | None:
    """Return the lowest key of a stride, in which no kind has more than ``stride`` keys; None: all of them are in it.

    Kind by kind, because PostgreSQL would sort the whole union.
    """
    ends = [kind.order_by(kind.selected_columns[0].desc()).limit(1).offset(stride - 1) for kind in keys]
    return max((key for end in ends for key in connection.execute(end).scalars()), default=None)


def _keys(
    account_id: int, asked: Question, low: int, below: int, *, fitting: bool = False, group: int | None = None
) -> list[Keys]:
    """Return the keys from ``low`` up to ``below``, of messages and of replies: all of the sender, or what fits."""
    sent = select(messages.c.id).where(
        messages.c.account_id == account_id, messages.c.sender == asked.sender, messages.c.space_id == asked.space_id,
        messages.c.parent_id.is_(None), messages.c.id >= low, messages.c.id < below,
    )  # fmt: skip
    came = select(replies.c.id).where(
        replies.c.account_id == account_id, replies.c.sender == asked.sender, replies.c.id >= low, replies.c.id < below
    )
    if fitting and group is not None:
        sent = sent.where(messages.c.group_id == group)
    if fitting and asked.number is not None:
        sent = sent.where(messages.c.recipient == asked.number)
        came = came.where(replies.c.recipient == asked.number)
    if fitting and asked.template_code is not None:
        sent = sent.where(messages.c.template_code == asked.template_code)
    if fitting and asked.statuses is not None:
        sent = sent.where(messages.c.status.in_(sorted(asked.statuses)))
    return ([sent] if asked.outbound else []) + ([came] if asked.inbound else [])


def _load(connection: Connection, keys: Sequence[int], public_id: Callable[[int], str]) -> list[Entry]:
    """Return the entries of keys, in the order of the keys."""
    if not keys:
        return []
    found: dict[int, tuple[Message | Reply, str | None]] = {**search.reported(connection, keys)}
    for row in connection.execute(select(replies).where(replies.c.id.in_(keys))):
        found[row.id] = (_reply(row), None)
    return [
        Entry(public_id=public_id(key), at=instant_of(key), what=found[key][0], template_name=found[key][1])
        for key in keys
        if key in found  # pruned meanwhile
    ]


def _reply(row: rows.AnyRow) -> Reply:
    """Return a reply; an empty one where the stored one cannot be read, so that it hides no other."""
    try:
        return _decode(row.reply)
    except msgspec.DecodeError:
        return Reply(provider="", service_id="", recipient=row.recipient, at=row.at)
