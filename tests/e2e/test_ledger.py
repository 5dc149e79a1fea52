"""The checker of the crash tests, shown histories: it is silent about good ones and names what is wrong in bad ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.ledger import INVARIANTS, Ledger, Offer, Stored, Taken, violations

NOW = 1_740_830_400_000
GOOD = Stored("id-a", "a", "delivered", None, NOW + 30_000, 1, ((1, "sent"),))
TWICE = replace(GOOD, attempt=2, outcomes=((1, "unknown"), (2, "sent")))
TAKEN = Taken("a", NOW)


def ledger(label: str = "transaction", *, ok: str | None = "id-a", refused: bool = False, **more: Any) -> Ledger:
    """Return a ledger with one offer: answered OK as ``ok``, refused, or not answered."""
    offers = {"a": Offer("a", "639170000020", label, **more)}
    return Ledger(offers, {} if ok is None else {"a": ok}, {"a": "ServiceUnavailable"} if refused else {})


PROMOTION = ledger("promotion")
UNANSWERED = ledger(ok=None)
REFUSED = ledger(ok=None, refused=True)
OPEN = replace(GOOD, status="sending", due_at=NOW, attempt=2, outcomes=((1, "unknown"),))
UNKNOWN = replace(GOOD, status="unknown", outcomes=((1, "unknown"),))

History = tuple[Ledger, list[Stored], list[Taken]]

GOOD_HISTORIES: dict[str, History] = {
    "sent once": (ledger(), [GOOD], [TAKEN]),
    "read": (ledger(), [replace(GOOD, status="read")], [TAKEN]),
    "sent twice, with a reason": (ledger(), [TWICE], [TAKEN, TAKEN]),
    "a lost reply, resolved by its receipt": (ledger(), [replace(UNKNOWN, status="delivered")], [TAKEN]),
    "not answered, stored": (UNANSWERED, [GOOD], [TAKEN]),
    "not answered, not stored": (UNANSWERED, [], []),
    "refused": (REFUSED, [], []),
    "a promotion that waits": (PROMOTION, [replace(UNKNOWN, due_at=NOW)], []),
    "a promotion that rests": (PROMOTION, [UNKNOWN], [TAKEN]),
    "expired, because the phone was off": (ledger(arrives=False), [replace(GOOD, status="expired")], [TAKEN]),
    "deferred, then sent": (ledger(), [replace(TWICE, outcomes=((1, "deferred"), (2, "sent")))], [TAKEN]),
}

BAD_HISTORIES: dict[str, list[History]] = {
    "lost": [
        (ledger(), [], []),
        (ledger(ok="id-b"), [GOOD], [TAKEN]),
        (Ledger({"a": Offer("a", "1"), "b": Offer("b", "2")}, {"a": "id-a", "b": "id-a"}), [GOOD], [TAKEN]),
    ],
    "ghost": [(REFUSED, [GOOD], [TAKEN])],
    "double": [(UNANSWERED, [GOOD, replace(GOOD, message_id="id-b")], [TAKEN])],
    "stranger": [(UNANSWERED, [], [TAKEN]), (REFUSED, [], [TAKEN]), (Ledger(), [GOOD], [TAKEN])],
    "repeat": [
        (ledger(), [GOOD], [TAKEN, TAKEN]),
        (ledger(), [TWICE], [TAKEN] * 3),
        (ledger(), [replace(TWICE, outcomes=((1, "deferred"), (2, "sent")))], [TAKEN, TAKEN]),
    ],
    "unfounded": [(ledger(), [GOOD], []), (ledger(arrives=False), [replace(GOOD, status="read")], [])],
    "late": [(ledger(), [GOOD], [Taken("a", NOW + 31_001)])],
    "gap": [
        (ledger(), [replace(GOOD, outcomes=())], [TAKEN]),
        (ledger(), [replace(TWICE, outcomes=((2, "sent"),))], [TAKEN]),
    ],
    "restless": [
        (ledger(), [replace(GOOD, status="sent", due_at=NOW)], [TAKEN]),
        (ledger(), [OPEN], [TAKEN]),
        (ledger(), [replace(UNKNOWN, due_at=NOW)], []),
        (PROMOTION, [replace(GOOD, status="accepted", due_at=NOW, attempt=0, outcomes=())], []),
    ],
    "undelivered": [
        (ledger(), [replace(GOOD, status="expired")], [TAKEN]),
        (ledger(), [UNKNOWN], [TAKEN]),
        (PROMOTION, [replace(GOOD, status="failed")], [TAKEN]),
    ],
}


@pytest.mark.parametrize("history", GOOD_HISTORIES.values(), ids=GOOD_HISTORIES)
def test_good_history(history: History) -> None:
    assert violations(*history) == []


@pytest.mark.parametrize(
    ("word", "history"), [(word, history) for word, histories in BAD_HISTORIES.items() for history in histories]
)
def test_bad_history(word: str, history: History) -> None:
    assert {found.split(":")[0] for found in violations(*history)} == {word}


def test_every_invariant_has_a_bad_history() -> None:
    assert [line.split(":")[0] for line in INVARIANTS] == list(BAD_HISTORIES)


def test_a_run_that_has_not_settled_is_not_asked_for_rest() -> None:
    history = ledger(), [OPEN], [TAKEN, TAKEN]
    assert violations(*history, at_rest=False) == []
    assert [line.split(":")[0] for line in violations(*history)] == ["restless"]
