"""The invariants of a run, I1 to I12: each one pure function over a ``History``, with a sentence and a word of its own.

The checker shares no code with chatgate: what it holds against each other was written down by different processes, and
its own few tables (``RANK``, ``REPORTS``) are written out again. ``test_checker`` shows it bad histories.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.soak.ledger import History, Offer, Pause, ReportKey, Stored, sms_mark

LATE_BY = 3000
"""Milliseconds, on a busy machine, between the last look at the clock before a send and its acceptance."""
REST_BY = 60_000
"""Milliseconds after its time to live by which a message is at rest (promise P5)."""
MOST_REPEATS = 1
"""How often the policy sends a transaction message once more; a promotion never."""

RANK = {"expired": 1, "failed": 2, "delivered": 3, "read": 4}
"""All other statuses are open: 0."""
RECEIVED = {"delivered": "delivered", "read": "read", "expired": "expired", "undelivered": "failed"}
"""What a receipt makes of a message at least."""
REPORTS = {"sent": "Sent", "delivered": "Delivered", "read": "Read", "failed": "Failed", "expired": "Failed"}
"""What a customer is told of a status. Of unknown: Failed, once it rests."""
REPORT_RANK = {"Sent": 0, "Failed": 1, "Delivered": 2, "Read": 3}
ARRIVED = ("delivered", "read")
UNKNOWN_OUTCOME = "UnknownOutcome"
"""Error code of what rests as unknown."""


class Invariant(NamedTuple):
    """One of them."""

    sentence: str
    breaches: Callable[[History], Iterator[str]]


def breaches(history: History) -> list[str]:
    """Return each breach of an invariant as a line that begins with the invariant's name."""
    return [f"{name} {line}" for name, invariant in INVARIANTS.items() for line in invariant.breaches(history)]


def waits(status: str, label: str, losses: int) -> bool:
    """Whether a message waits for nothing but its receipt, or the end of its time: the policy is used up."""
    return status == "unknown" and (label == "promotion" or losses > MOST_REPEATS)


# --- calls ------------------------------------------------------------------------------------------------------------


def accepted_is_stored(history: History) -> Iterator[str]:
    ledger = history.ledger
    marks = {message.message_id: message.mark for message in history.stored}
    for mark, message_id in ledger.ok.items():
        if marks.get(message_id) != mark:
            yield f"lost: {mark} was answered OK as {message_id}, which is {marks.get(message_id, 'not stored')}"
    known = set(marks.values())
    for mark, code in ledger.refused.items():
        if mark in known:
            yield f"ghost: {mark} was refused ({code}) and stored"
    yield from (f"stranger: {m} was taken, but is not stored" for m in {t.mark for t in history.taken} - known)
    own = ledger.offers.keys() | {sms_mark(mark) for mark in ledger.offers}
    yield from (f"stranger: {mark} is stored, but was not offered" for mark in known - own)


def one_id_per_key(history: History) -> Iterator[str]:
    ledger = history.ledger
    for mark, message_id in ledger.again:
        if ledger.ok[mark] != message_id:
            yield f"other: {mark} was answered OK as {ledger.ok[mark]}, then as {message_id}"
    times = Counter(message.mark for message in history.stored if message.parent is None)
    yield from (f"double: {mark} is stored {count} times" for mark, count in times.items() if count > 1)


# --- sends ------------------------------------------------------------------------------------------------------------


def sent_was_taken(history: History) -> Iterator[str]:
    taken = {take.mark for take in history.taken}
    for message in history.stored:
        if message.status in ("sent", *ARRIVED) and message.mark not in taken:
            yield f"unfounded: {message.mark} is {message.status}, but nobody ever took it"


def repeats_have_reasons(history: History) -> Iterator[str]:
    times = Counter(take.mark for take in history.taken)
    for message in history.stored:
        most = 0 if message.label == "promotion" else MOST_REPEATS
        count = times[message.mark]
        if count > 1 + message.repeats:
            yield f"repeat: {message.mark} was taken {count} times, with a reason for {message.repeats} repeats"
        if message.repeats > most:
            yield f"repeat: {message.mark} ({message.label}) was sent once more {message.repeats} times"


def nothing_late(history: History) -> Iterator[str]:
    ends = {message.mark: message.expires_at for message in history.stored}
    for take in history.taken:
        end = ends.get(take.mark, take.at)
        if take.at > _latest(end, history) + LATE_BY:
            yield f"late: {take.mark} was taken {take.at - end} ms after its time"


def _latest(end: int, history: History) -> int:
    """Return when a look at the clock just before ``end`` may have led to a send: who stands still cannot help it."""
    own = [pause.end for pause in history.pauses if _covers(pause, end)]
    return max([end, *own])


def _covers(pause: Pause, end: int) -> bool:
    return pause.begin - LATE_BY <= end <= pause.end


def all_rest(history: History) -> Iterator[str]:
    if not history.at_rest:
        return
    for message in history.stored:
        over = history.ended_at > message.expires_at + REST_BY
        if message.due_at is not None and (over or not _waits(message)):
            yield f"restless: {message.mark} is still {message.status}"
        elif message.due_at is None and message.fallback == "armed":
            yield f"armed: {message.mark} rests as {message.status}, its fallback does not"
        else:
            offer = history.ledger.offers.get(message.mark)
            if offer is not None and offer.arrives and not _may_rest(message, offer):
                yield f"undelivered: {message.mark} ({offer.label}) rests as {message.status}"


def _waits(message: Stored) -> bool:
    return waits(message.status, message.label, message.losses)


def _may_rest(message: Stored, offer: Offer) -> bool:
    return message.status in ARRIVED or _waits(message) or (message.status, offer.label) == ("unknown", "promotion")


# --- receipts and callbacks -------------------------------------------------------------------------------------------


def acknowledged_is_reflected(history: History) -> Iterator[str]:
    by_id = {message.message_id: message for message in history.stored}
    stored = {(receipt.provider, receipt.token, receipt.status): receipt for receipt in history.receipts}
    for one in history.acknowledged:
        receipt = stored.get((one.provider, one.token, one.status))
        what = f"the receipt {one.status} of {one.provider} {one.token}"
        if receipt is None:
            yield f"forgotten: {what} was acknowledged, but is not stored"
        elif receipt.message_id is None:
            if (one.provider, one.token) in history.tokens:
                yield f"unjoined: {what} still waits for its message, which is known"
        elif _rank(by_id[receipt.message_id].status) < _rank(RECEIVED[one.status]):
            yield f"ignored: {what} left {by_id[receipt.message_id].mark} {by_id[receipt.message_id].status}"


def every_change_is_told(history: History) -> Iterator[str]:
    told = {key for heard in history.heard for key in heard.reports}
    good = {key for heard in history.heard if heard.good for key in heard.reports}
    listed = {report.key for report in history.outbox if report.state == "undeliverable"}
    for what, message_id, is_sms, status, at in _changes(history):
        same = [key for key in told | listed if key[:3] == (message_id, is_sms, status) and at in (None, key[3])]
        if not same and history.at_rest:
            yield f"untold: {what} ({message_id}), nobody heard of it"
    for report in history.outbox:
        if report.state == "waiting" and history.at_rest:
            yield f"untold: {report.key} still waits"
        if report.state == "heard" and report.key not in good:
            yield f"unheard: {report.key} counts as heard, but was not"
    yield from _unsteady(history)


def _changes(history: History) -> Iterator[tuple[str, str, bool, str, int | None]]:
    """Return the changes that are provable without the outbox: of every receipt that was applied, and the last one."""
    by_id = {message.message_id: message for message in history.stored}
    for receipt in history.receipts:
        message = by_id.get(receipt.message_id or "")
        if message is not None and receipt.effect == "applied" and message.account in history.listening:
            status = REPORTS[RECEIVED[receipt.status]]
            yield f"{message.mark} was {receipt.status}", *_name(message), status, receipt.at
    for message in history.stored:
        rests_unknown = message.status == "unknown" and message.due_at is None
        status_told = "Failed" if rests_unknown else REPORTS.get(message.status)
        if status_told is not None and message.account in history.listening:
            yield f"{message.mark} is {message.status}", *_name(message), status_told, None


def _name(message: Stored) -> tuple[str, bool]:
    return message.parent or message.message_id, message.parent is not None


def _unsteady(history: History) -> Iterator[str]:
    ids, contents = defaultdict(set), defaultdict(set)
    for heard in history.heard:
        contents[heard.webhook_id].add(heard.reports)
        for key in heard.reports:
            ids[key].add(heard.webhook_id)
    yield from (f"renamed: {key} came under {sorted(found)}" for key, found in ids.items() if len(found) > 1)
    yield from (f"refilled: {own} came with {len(found)} contents" for own, found in contents.items() if len(found) > 1)


# --- what never happens -----------------------------------------------------------------------------------------------


def rank_rises(history: History) -> Iterator[str]:
    highest: dict[str, str] = {}
    final = [(message.message_id, message.status) for message in history.stored]
    for message_id, status in [*((one.message_id, one.status) for one in history.seen), *final]:
        before = highest.setdefault(message_id, status)
        if _rank(status) < _rank(before):
            yield f"sunk: {message_id} was {before}, then {status}"
        highest[message_id] = max(before, status, key=_rank)
    told: dict[tuple[str, bool], ReportKey] = {}
    for report in history.outbox:
        last = told.setdefault(report.key[:2], report.key)
        if _told_rank(report.key) < _told_rank(last):
            yield f"sunk: {report.key[0]} was told {last[2]}, then {report.key[2]}"
        told[report.key[:2]] = report.key


def one_fallback(history: History) -> Iterator[str]:
    times = Counter(message.parent for message in history.stored if message.parent is not None)
    yield from (f"both: {parent} has {count} SMS" for parent, count in times.items() if count > 1)
    arrived: set[str] = set()
    for one in history.seen:
        if one.has_sms and one.message_id in arrived:
            yield f"needless: {one.message_id} was seen to have arrived without an SMS, then with one"
        if one.status in ARRIVED and not one.has_sms:
            arrived.add(one.message_id)
    seen_with = {one.message_id for one in history.seen if one.has_sms}
    for message_id in times.keys() & (arrived - seen_with):
        yield f"needless: {message_id} was seen to have arrived without an SMS, and has one now"


def attempts_are_numbered(history: History) -> Iterator[str]:
    for message in history.stored:
        numbers = [number for number, _ in message.outcomes]
        whole = list(range(1, message.attempt + 1))
        if numbers != whole and not (message.status == "sending" and numbers == whole[:-1]):
            yield f"gap: {message.mark} is {message.status} after {message.attempt} attempts, recorded are {numbers}"
    ends = {message.message_id: message.ended for message in history.stored}
    for one in history.seen:
        ended = ends.get(one.message_id, {})
        older = {ended[number] for number in ended if number < one.attempt} - {ended.get(one.attempt)}
        if one.status in ("unknown", "accepted", "sent", "failed") and one.status_at in older:
            yield f"stale: {one.message_id} became {one.status} by an attempt before its {one.attempt}th"


def accounts_stay_apart(history: History) -> Iterator[str]:
    offers = history.ledger.offers
    owner = {offer.mark: offer.account for offer in offers.values()}
    owner |= {sms_mark(offer.mark): offer.account for offer in offers.values()}
    for take in history.taken:
        own = history.senders.get(owner.get(take.mark, ""))
        if own is not None and take.sender not in own:
            yield f"crossed: {take.mark} of {owner[take.mark]} was sent as {take.sender}"
    accounts = {_name(message)[0]: message.account for message in history.stored}
    for message in history.stored:
        if (owner.get(message.mark) or message.account) != message.account:
            yield f"crossed: {message.mark} of {owner[message.mark]} is stored as {message.account}'s"
    for heard in history.heard:
        if heard.signed_by != heard.account:
            yield f"crossed: a call of {heard.account} was signed by {heard.signed_by or 'nobody'}"
        for message_id in {key[0] for key in heard.reports}:
            if accounts.get(message_id) != heard.account:
                yield f"crossed: {heard.account} heard of {message_id}, which is {accounts.get(message_id)}'s"


def _rank(status: str) -> int:
    return RANK.get(status, 0)


def _told_rank(report: ReportKey) -> int:
    """An unknown outcome is told as a failure, and may still be resolved."""
    return 0 if report[4] == UNKNOWN_OUTCOME else REPORT_RANK[report[2]]


INVARIANTS = {
    "I1": Invariant("accepted is stored, refused is not, and nothing else is stored or sent", accepted_is_stored),
    "I2": Invariant("one MessageId per Idempotency-Key; a call is stored once", one_id_per_key),
    "I3": Invariant("what counts as sent, delivered or read was taken", sent_was_taken),
    "I4": Invariant("taken more than once only for a noted reason, and once more at most", repeats_have_reasons),
    "I5": Invariant("nothing is taken after its time to live", nothing_late),
    "I6": Invariant("every message comes to rest, its fallback too, and what can arrive did", all_rest),
    "I7": Invariant("every receipt that was acknowledged is reflected", acknowledged_is_reflected),
    "I8": Invariant("every change reached its endpoint under one webhook-id, or is listed", every_change_is_told),
    "I9": Invariant("the rank of a message never falls", rank_rises),
    "I10": Invariant("at most one SMS, and none after a committed delivery", one_fallback),
    "I11": Invariant("attempts are numbered without gap, and an old one's result moves nothing", attempts_are_numbered),
    "I12": Invariant("nothing of an account goes out as another's", accounts_stay_apart),
}
