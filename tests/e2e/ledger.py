"""What was asked, what is stored and what the partner took, held against each other: the invariants of a run.

The three sides are written down by three processes: the caller (``Ledger``), chatgate (``Stored``, its database) and
the simulated partner (``Taken``, its journal). They are joined by the *mark*, a text that is unique to each call. The
checker is pure, so that it can be shown bad histories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

LATE_BY = 1000
"""Milliseconds between the last look at the clock before a send and its acceptance by the partner."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One call."""

    mark: str
    number: str
    label: str = "transaction"
    arrives: bool = True
    """Whether the phone gets it, as far as it is up to the phone and to the time to live."""


@dataclass(slots=True)
class Ledger:
    """What the caller saw. An offer with neither answer nor refusal was not answered."""

    offers: dict[str, Offer] = field(default_factory=dict)
    ok: dict[str, str] = field(default_factory=dict)
    """MessageId by mark, for every answer OK."""
    refused: dict[str, str] = field(default_factory=dict)
    """Code by mark."""

    def unanswered(self) -> set[str]:
        return self.offers.keys() - self.ok.keys() - self.refused.keys()


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

    @property
    def losses(self) -> int:
        return sum(outcome == "unknown" for _, outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Taken:
    """One send that the partner accepted."""

    mark: str
    at: int


INVARIANTS = (
    "lost: a call answered OK is stored, under its MessageId",
    "ghost: a call that was refused is not stored",
    "double: a call is stored once",
    "stranger: what the partner took is stored, and was offered",
    "repeat: the partner took a message at most 1 + its unknown outcomes times",
    "unfounded: what counts as sent, delivered or read was taken",
    "late: nothing was taken after its time to live",
    "gap: every attempt but an open one is recorded, numbered from 1",
    "restless: in the end every message is at rest, or is a promotion that waits for its receipt",
    "undelivered: what can arrive did arrive; a promotion may rest as unknown",
)


def violations(ledger: Ledger, stored: Sequence[Stored], taken: Iterable[Taken], *, at_rest: bool = True) -> list[str]:
    """Return each breach of an invariant as a line that begins with the invariant's word.

    ``at_rest`` False leaves out the last two: the run has not settled.
    """
    takings: dict[str, list[int]] = {}
    for take in taken:
        takings.setdefault(take.mark, []).append(take.at)
    found = [*_of_calls(ledger, stored), *_of_strangers(ledger, stored, takings)]
    for message in stored:
        found += _of_sends(message, takings.get(message.mark, []))
        if at_rest and message.mark in ledger.offers:
            found += _of_rest(message, ledger.offers[message.mark])
    return found


def is_held(status: str, label: str) -> bool:
    """Whether a message waits for nothing but its receipt: the policy holds it until its time is over."""
    return status == "unknown" and label == "promotion"


def _of_calls(ledger: Ledger, stored: Sequence[Stored]) -> list[str]:
    marks = {message.message_id: message.mark for message in stored}
    found = [
        f"lost: {mark} was answered OK as {message_id}, which is {marks.get(message_id, 'not stored')}"
        for mark, message_id in ledger.ok.items()
        if marks.get(message_id) != mark
    ]
    times = Counter(message.mark for message in stored)
    found += [f"ghost: {mark} was refused ({code}) and stored" for mark, code in ledger.refused.items() if times[mark]]
    found += [f"double: {mark} is stored {count} times" for mark, count in times.items() if count > 1]
    return found


def _of_strangers(ledger: Ledger, stored: Sequence[Stored], takings: dict[str, list[int]]) -> list[str]:
    known = {message.mark for message in stored}
    found = [f"stranger: the partner took {mark}, which is not stored" for mark in takings if mark not in known]
    return found + [f"stranger: {mark} is stored, but was not offered" for mark in known if mark not in ledger.offers]


def _of_sends(message: Stored, times: Sequence[int]) -> list[str]:
    mark, status = message.mark, message.status
    found = []
    if len(times) > 1 + message.losses:
        found.append(f"repeat: {mark} was taken {len(times)} times, with {message.losses} unknown outcomes")
    if status in ("sent", "delivered", "read") and not times:
        found.append(f"unfounded: {mark} is {status}, but the partner never took it")
    if times and max(times) > message.expires_at + LATE_BY:
        found.append(f"late: {mark} was taken {max(times) - message.expires_at} ms after its time")
    numbers = [number for number, _ in message.outcomes]
    whole = list(range(1, message.attempt + 1))
    if numbers != whole and not (status == "sending" and numbers == whole[:-1]):
        found.append(f"gap: {mark} is {status} after {message.attempt} attempts, recorded are {numbers}")
    return found


def _of_rest(message: Stored, offer: Offer) -> list[str]:
    mark, status = message.mark, message.status
    if message.due_at is not None and not is_held(status, offer.label):
        return [f"restless: {mark} is still {status}"]
    good = {"delivered", "read"} | ({"unknown"} if offer.label == "promotion" else set())
    if offer.arrives and status not in good:
        return [f"undelivered: {mark} ({offer.label}) rests as {status}"]
    return []
