"""The checker, shown histories: it is silent about good ones; in bad ones it names what is wrong and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.soak.checker import INVARIANTS, LATE_BY, REST_BY, breaches
from tests.soak.ledger import (
    Acknowledged,
    Heard,
    History,
    Ledger,
    Offer,
    Pause,
    Receipt,
    ReportKey,
    Seen,
    Stored,
    Taken,
    Told,
    sms_mark,
)

NOW = 1_740_830_400_000
END = NOW + 30_000
GOOD = Stored("id-a", "a", "delivered", None, END, 1, ((1, "sent"),), account="A", ended={1: NOW})
TWICE = replace(
    GOOD, attempt=2, outcomes=((1, "unknown"), (2, "sent")), losses=1, repeats=1, ended={1: NOW, 2: NOW + 9}
)
UNKNOWN = replace(GOOD, status="unknown", outcomes=((1, "unknown"),), losses=1)
SENDING = replace(GOOD, status="sending", due_at=NOW, attempt=2, outcomes=((1, "unknown"),), losses=1, repeats=1)
USED_UP = replace(UNKNOWN, due_at=END, attempt=2, outcomes=((1, "unknown"), (2, "unknown")), losses=2, repeats=1)
FAILED = replace(GOOD, status="failed", attempt=1, outcomes=((1, "refused"),), fallback="fired")
SMS = replace(GOOD, message_id="id-s", mark=sms_mark("a"), parent="id-a")
TAKEN = Taken("a", NOW, "service A")
SMS_TAKEN = Taken(sms_mark("a"), NOW, "sms A")


def ledger(label: str = "transaction", *, ok: str | None = "id-a", refused: bool = False, **more: Any) -> Ledger:
    """Return a ledger with one offer: answered OK as ``ok``, refused, or not answered."""
    offers = {"a": Offer("a", "639170000020", label, account="A", **more)}
    return Ledger(offers, {} if ok is None else {"a": ok}, {"a": "ServiceUnavailable"} if refused else {})


PROMOTION = ledger("promotion")
UNANSWERED = ledger(ok=None)
REFUSED = ledger(ok=None, refused=True)
FELL = ledger(arrives=False)


def again(message_id: str) -> Ledger:
    """Return a ledger with one call, answered OK twice."""
    return replace(ledger(key="k"), again=[("a", message_id)])


# --- receipts ---------------------------------------------------------------------------------------------------------

ACKNOWLEDGED = Acknowledged("viber", "token", "delivered")
TOKENS = {("viber", "token"): "id-a"}
STORED_RECEIPT = Receipt("viber", "token", "delivered", NOW, "ignored", "id-a")
PARKED = replace(STORED_RECEIPT, effect="parked", message_id=None)


def received(
    status: str = "delivered", receipt: Receipt | None = STORED_RECEIPT, acknowledged: Acknowledged = ACKNOWLEDGED,
    tokens: dict[tuple[str, str], str] = TOKENS,
) -> History:  # fmt: skip
    stored = replace(GOOD, status=status)
    receipts = [] if receipt is None else [receipt]
    return History(
        ledger(arrives=False), [stored], [TAKEN], acknowledged=[acknowledged], receipts=receipts, tokens=tokens
    )


# --- callbacks --------------------------------------------------------------------------------------------------------

DELIVERED: ReportKey = ("id-a", False, "Delivered", NOW, None)
SENT: ReportKey = ("id-a", False, "Sent", NOW, None)
FAILURE: ReportKey = ("id-a", False, "Failed", NOW, "SRVC_TIMEOUT")
NOBODY_KNOWS: ReportKey = ("id-a", False, "Failed", NOW, "UnknownOutcome")
HEARD = Heard("A", "A", "msg_1", (SENT, DELIVERED), good=True)
APPLIED = replace(STORED_RECEIPT, effect="applied")
TOLD = (Told(SENT, "heard"), Told(DELIVERED, "heard"))


def told(*heard: Heard, outbox: tuple[Told, ...] = TOLD, stored: Stored = GOOD, **more: Any) -> History:
    """Return the history of a message that was delivered, as the customer heard of it."""
    return History(
        ledger(arrives=False), [stored], [TAKEN], receipts=[APPLIED], outbox=outbox, heard=heard,
        listening=frozenset({"A"}), **more,
    )  # fmt: skip


# --- what is seen on the way, and whose it is -------------------------------------------------------------------------


def seen(*statuses: str, stored: Stored = GOOD) -> History:
    looks = [Seen("id-a", status, NOW + 5, 1, has_sms=False) for status in statuses]
    return History(ledger(arrives=False), [stored], [TAKEN], seen=looks)


def fell(*stored: Stored, looks: tuple[tuple[str, bool], ...] = (), taken: tuple[Taken, ...] = (SMS_TAKEN,)) -> History:
    """Return the history of a message that ended in an SMS."""
    seen_then = [Seen("id-a", status, NOW + 5, 1, has_sms=sms) for status, sms in looks]
    return History(FELL, stored, [TAKEN, *taken], seen=seen_then)


def by_attempt(status: str, status_at: int) -> History:
    look = Seen("id-a", status, status_at, 2, has_sms=False)
    return History(ledger(), [TWICE], [TAKEN], seen=[look])


SENDERS = {"A": frozenset({"service A", "sms A"}), "B": frozenset({"service B", "sms B"})}


def of_accounts(taken: Taken = TAKEN, heard: Heard = HEARD, account: str = "A") -> History:
    stored = [replace(GOOD, account=account), replace(SMS, account=account)]
    return History(FELL, stored, [taken, SMS_TAKEN], heard=[heard], senders=SENDERS)


def sent(ledger: Ledger, stored: list[Stored], taken: list[Taken], **more: Any) -> History:
    return History(ledger, stored, taken, **more)


GOOD_HISTORIES: dict[str, History] = {
    "sent once": sent(ledger(), [GOOD], [TAKEN]),
    "read": sent(ledger(), [replace(GOOD, status="read")], [TAKEN]),
    "sent twice, with a reason": sent(ledger(), [TWICE], [TAKEN, TAKEN]),
    "a lost reply, resolved by its receipt": sent(ledger(), [replace(UNKNOWN, status="delivered")], [TAKEN]),
    "not answered, stored": sent(UNANSWERED, [GOOD], [TAKEN]),
    "not answered, not stored": sent(UNANSWERED, [], []),
    "refused": sent(REFUSED, [], []),
    "a promotion that waits": sent(PROMOTION, [replace(UNKNOWN, label="promotion", due_at=END)], []),
    "a promotion that rests": sent(PROMOTION, [replace(UNKNOWN, label="promotion")], [TAKEN]),
    "lost twice, waits": sent(ledger(), [USED_UP], [TAKEN, TAKEN], ended_at=NOW),
    "expired, because the phone was off": sent(ledger(arrives=False), [replace(GOOD, status="expired")], [TAKEN]),
    "deferred, then sent": sent(ledger(), [replace(TWICE, outcomes=((1, "deferred"), (2, "sent")))], [TAKEN]),
    "the same answer to the same key": sent(again("id-a"), [GOOD], [TAKEN]),
    "taken within the leeway": sent(ledger(), [GOOD], [Taken("a", END + LATE_BY)]),
    "taken at the end of a pause": sent(
        ledger(), [GOOD], [Taken("a", END + 9000)], pauses=[Pause(END - 1000, END + 8000)]
    ),
    "refused, then an SMS": fell(replace(FAILED), SMS, looks=(("sent", False), ("failed", True))),
    "both arrived": fell(replace(GOOD, fallback="fired"), SMS, looks=(("sent", True), ("delivered", True))),
    "a receipt that was acknowledged": received(),
    "a receipt that a higher one overtook": received("read"),
    "a receipt whose reply was lost": received("unknown", PARKED, tokens={}),
    "told": told(HEARD),
    "told again": told(replace(HEARD, good=False), HEARD),
    "told late": told(replace(HEARD, reports=(SENT,)), replace(HEARD, webhook_id="msg_2", reports=(DELIVERED,))),
    "listed": told(replace(HEARD, reports=(SENT,)), outbox=(Told(SENT, "heard"), Told(DELIVERED, "undeliverable"))),
    "told that nobody knows, then more": told(
        replace(HEARD, reports=(NOBODY_KNOWS, SENT, DELIVERED)), outbox=(Told(NOBODY_KNOWS, "heard"), *TOLD)
    ),
    "failed, then delivered all the same": seen("sending", "unknown", "sent", "expired", "failed", "delivered"),
    "sent once more": seen("unknown", "sending", "sent"),
    "the result of the newest attempt": by_attempt("sent", NOW + 9),
    "an attempt that has just begun": by_attempt("sending", NOW + 5),
    "everybody's own": of_accounts(),
}

BAD_HISTORIES: dict[str, list[History]] = {
    "I1": [
        sent(ledger(), [], []),
        sent(ledger(ok="id-b"), [GOOD], [TAKEN]),
        sent(Ledger({"a": Offer("a", "1"), "b": Offer("b", "2")}, {"a": "id-a", "b": "id-a"}), [GOOD], [TAKEN]),
        sent(REFUSED, [GOOD], [TAKEN]),
        sent(UNANSWERED, [], [TAKEN]),
        sent(REFUSED, [], [TAKEN]),
        sent(Ledger(), [GOOD], [TAKEN]),
    ],
    "I2": [
        sent(again("id-b"), [GOOD], [TAKEN]),
        sent(UNANSWERED, [GOOD, replace(GOOD, message_id="id-b")], [TAKEN]),
    ],
    "I3": [sent(ledger(), [GOOD], []), sent(ledger(arrives=False), [replace(GOOD, status="read")], [])],
    "I4": [
        sent(ledger(), [GOOD], [TAKEN, TAKEN]),
        sent(ledger(), [TWICE], [TAKEN] * 3),
        sent(ledger(), [replace(TWICE, outcomes=((1, "deferred"), (2, "sent")), repeats=0)], [TAKEN, TAKEN]),
        sent(ledger(), [replace(TWICE, repeats=2)], [TAKEN]),
        sent(PROMOTION, [replace(TWICE, label="promotion")], [TAKEN, TAKEN]),
    ],
    "I5": [
        sent(ledger(), [GOOD], [Taken("a", END + LATE_BY + 1)]),
        sent(ledger(), [GOOD], [Taken("a", END + 9000)], pauses=[Pause(END - 9000, END - 8000)]),
        sent(ledger(), [GOOD], [Taken("a", END + 9000)], pauses=[Pause(END + 5000, END + 9000)]),
    ],
    "I6": [
        sent(ledger(), [replace(GOOD, status="sent", due_at=NOW)], [TAKEN]),
        sent(ledger(), [SENDING], [TAKEN]),
        sent(ledger(), [replace(UNKNOWN, due_at=NOW)], []),
        sent(PROMOTION, [replace(GOOD, status="accepted", due_at=NOW, attempt=0, outcomes=())], []),
        sent(ledger(), [replace(GOOD, status="expired")], [TAKEN]),
        sent(ledger(), [UNKNOWN], [TAKEN]),
        sent(PROMOTION, [replace(GOOD, status="failed")], [TAKEN]),
        sent(ledger(), [USED_UP], [TAKEN], ended_at=END + REST_BY + 1),
        sent(FELL, [replace(FAILED, fallback="armed")], []),
    ],
    "I7": [
        received(receipt=None),
        received("sent"),
        received("unknown", PARKED),
        received("unknown", replace(STORED_RECEIPT, status="undelivered"), replace(ACKNOWLEDGED, status="undelivered")),
        received("expired"),
    ],
    "I8": [
        told(),
        told(outbox=()),
        told(replace(HEARD, reports=(SENT,)), outbox=TOLD[:1]),
        told(HEARD, outbox=(*TOLD[:1], Told(DELIVERED, "waiting"))),
        told(replace(HEARD, good=False)),
        told(HEARD, replace(HEARD, webhook_id="msg_2")),
        told(HEARD, replace(HEARD, reports=(SENT, DELIVERED, FAILURE))),
        told(HEARD, replace(HEARD, reports=(DELIVERED, SENT))),
        told(HEARD, stored=replace(UNKNOWN, due_at=None)),
    ],
    "I9": [
        seen("delivered", "sent"),
        seen("read", "delivered", stored=replace(GOOD, status="read")),
        seen("delivered", stored=replace(GOOD, status="failed")),
        told(
            replace(HEARD, reports=(DELIVERED, FAILURE)), outbox=(Told(DELIVERED, "heard"), Told(FAILURE, "heard"))
        ),
    ],
    "I10": [
        fell(FAILED, SMS, replace(SMS, message_id="id-t", mark="a")),
        fell(GOOD, SMS, looks=(("delivered", False), ("delivered", True))),
        fell(GOOD, SMS, looks=(("delivered", False),)),
    ],
    "I11": [
        sent(ledger(), [replace(GOOD, outcomes=())], [TAKEN]),
        sent(ledger(), [replace(TWICE, outcomes=((2, "sent"),))], [TAKEN]),
        by_attempt("sent", NOW),
        by_attempt("unknown", NOW),
    ],
    "I12": [
        of_accounts(replace(TAKEN, sender="service B")),
        of_accounts(account="B", heard=replace(HEARD, account="B", signed_by="B")),
        of_accounts(heard=replace(HEARD, account="B", signed_by="B")),
        of_accounts(heard=replace(HEARD, signed_by="B")),
        of_accounts(heard=replace(HEARD, signed_by="")),
    ],
}  # fmt: skip


@pytest.mark.parametrize("history", GOOD_HISTORIES.values(), ids=GOOD_HISTORIES)
def test_good_history(history: History) -> None:
    assert breaches(history) == []


@pytest.mark.parametrize(
    ("name", "history"), [(name, history) for name, histories in BAD_HISTORIES.items() for history in histories]
)
def test_bad_history(name: str, history: History) -> None:
    """It breaks this invariant alone."""
    assert {found.split()[0] for found in breaches(history)} == {name}


def test_every_invariant_has_a_bad_history() -> None:
    assert list(BAD_HISTORIES) == list(INVARIANTS) == [f"I{number}" for number in range(1, 13)]


def test_a_run_that_has_not_settled_is_not_asked_for_rest() -> None:
    history = sent(ledger(), [SENDING], [TAKEN, TAKEN])
    assert [found.split()[0] for found in breaches(history)] == ["I6"]
    assert breaches(replace(history, at_rest=False)) == []
