"""What is written down about a run, and by whom.

The caller (``Ledger``), the simulated partner and SMS centre (``Taken``, ``Acknowledged``), the customer (``Heard``),
the harness (``Pause``, ``Seen``) and chatgate itself (``Stored``, ``Receipt``, ``Told``: its database). They are
processes of their own, and what they write outlives every kill. They are joined by the *mark*, a text that is unique to
each call; the SMS of a call has a mark of its own (``sms_mark``). ``checker`` holds them against each other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chatgate.errors import OUTCOME_UNKNOWN


class Book:
    """A file of JSON lines that is only added to; a line is in it, whole, before ``write`` returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, **line: object) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def close(self) -> None:
        os.close(self._file)


def read(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a book, none where it was not begun. A torn last line did not happen."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]] if path.exists() else []


# --- the caller -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fallback:
    """An SMS that was ordered."""

    duration: int | None = None
    rule: str = "undelivered"


@dataclass(frozen=True, slots=True)
class Offer:
    """One call."""

    mark: str
    number: str
    label: str = "transaction"
    arrives: bool = True
    """Whether the phone gets it, as far as it is up to the phone and to the time to live."""
    account: str = ""
    ttl: int | None = 300
    fallback: Fallback | None = None
    key: str | None = None
    """Idempotency-Key: where the call is not answered it is made again."""


def sms_mark(mark: str) -> str:
    return f"SMS of {mark}"


@dataclass(slots=True)
class Ledger:
    """What the caller saw. An offer with neither answer nor refusal was not answered, or was told that nobody knows."""

    offers: dict[str, Offer] = field(default_factory=dict)
    ok: dict[str, str] = field(default_factory=dict)
    """MessageId by mark, of the first answer OK."""
    refused: dict[str, str] = field(default_factory=dict)
    """Code by mark."""
    again: list[tuple[str, str]] = field(default_factory=list)
    """Mark and MessageId of every further answer OK to the same call."""
    book: Book | None = None
    """Where all of it is written too."""

    def offer(self, offer: Offer) -> None:
        self.offers[offer.mark] = offer
        if self.book is not None:
            self.book.write(offer=asdict(offer))

    def answer(self, mark: str, code: str, message_id: str | None) -> None:
        """Note an answer."""
        if message_id is None:
            if code != OUTCOME_UNKNOWN.code:
                self.refused[mark] = code
        elif mark in self.ok:
            self.again.append((mark, message_id))
        else:
            self.ok[mark] = message_id
        if self.book is not None:
            self.book.write(mark=mark, code=code, message_id=message_id)

    def unanswered(self) -> set[str]:
        return self.offers.keys() - self.ok.keys() - self.refused.keys()


def read_ledger(path: Path) -> Ledger:
    """Return what a caller's book says."""
    ledger = Ledger()
    for line in read(path):
        if "offer" in line:
            told = line["offer"]
            ledger.offer(Offer(**{**told, "fallback": told["fallback"] and Fallback(**told["fallback"])}))
        else:
            ledger.answer(**line)
    return ledger


# --- chatgate's database ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """One message in the database."""

    message_id: str
    mark: str
    status: str
    due_at: int | None
    expires_at: int
    attempt: int
    outcomes: tuple[tuple[int, str], ...] = ()
    """Number and outcome of each recorded attempt."""
    label: str = "transaction"
    losses: int = 0
    """Outcomes that stayed unknown."""
    repeats: int = 0
    """How often it was sent once more by the policy: each is noted."""
    account: str = ""
    parent: str | None = None
    """MessageId of the message that it is the SMS of."""
    fallback: str | None = None
    """State of its fallback; None: none was ordered."""
    ended: Mapping[int, int] = field(default_factory=dict)
    """When each attempt ended."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One stored receipt."""

    provider: str
    token: str
    status: str
    at: int
    effect: str
    message_id: str | None
    """Of the message that it was joined to."""


ReportKey = tuple[str, bool, str, int, str | None]
"""What a report says: MessageId, whether of the SMS, status, time, error code."""


@dataclass(frozen=True, slots=True)
class Told:
    """One report in the outbox, in the order in which they were written."""

    key: ReportKey
    state: str


# --- the others -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """One send that the partner or the SMS centre accepted."""

    mark: str
    at: int
    sender: str = ""
    """Service id, or sender of the SMS."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One receipt that the partner or the SMS centre sent, and that was acknowledged."""

    provider: str
    token: str
    status: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One call of a customer's endpoint."""

    account: str
    """Whose endpoint it was."""
    signed_by: str
    """Whose secret signed it; empty: nobody's."""
    webhook_id: str
    reports: tuple[ReportKey, ...]
    good: bool
    """Whether it was answered as heard (perhaps too late)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a look at the database, in the middle of the run, showed it."""

    message_id: str
    status: str
    status_at: int
    attempt: int
    has_sms: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """A process stood still from then to then."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class History:
    """Everything that is known about a run."""

    ledger: Ledger
    stored: Sequence[Stored] = ()
    taken: Sequence[Taken] = ()
    acknowledged: Sequence[Acknowledged] = ()
    receipts: Sequence[Receipt] = ()
    tokens: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """MessageId by provider and token."""
    outbox: Sequence[Told] = ()
    heard: Sequence[Heard] = ()
    seen: Sequence[Seen] = ()
    pauses: Sequence[Pause] = ()
    senders: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Service id and SMS sender of each account; an account that is not here is not asked about them."""
    listening: frozenset[str] = frozenset()
    """Accounts that have an endpoint."""
    ended_at: int = 0
    at_rest: bool = True
    """Whether the run has settled; else what needs time is not asked."""
