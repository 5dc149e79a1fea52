from __future__ import annotations

import re
import sys
import threading
import time
from itertools import count, pairwise
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate import ids
from chatgate.clock import HandClock
from chatgate.ids import EPOCH, NODES, Keys, MessageIds

IDS = MessageIds(b"s" * 32)
LARGEST = (1 << 63) - 1

keys = st.integers(0, LARGEST)
digits = st.text("0123456789abcdef", min_size=24, max_size=24)


@given(keys)
def test_message_id_round_trip(key: int) -> None:
    public = IDS.public(key)
    assert re.fullmatch(r"[0-9a-f]{24}", public)
    assert IDS.key(public) == key


@given(keys, st.integers(0, 23), st.sampled_from("0123456789abcdef"))
def test_one_digit_changed_is_refused(key: int, place: int, digit: str) -> None:
    public = IDS.public(key)
    forged = public[:place] + digit + public[place + 1 :]
    assert IDS.key(forged) == (key if forged == public else None)


@given(digits)
def test_made_up_is_refused(made_up: str) -> None:
    key = IDS.key(made_up)
    assert key is None or IDS.public(key) == made_up


@given(st.text(max_size=30))
def test_any_text_is_answered(text: str) -> None:
    assert IDS.key(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "0" * 23, "0" * 25, "g" * 24, " " * 24, "00 " * 8, "\u0660" * 24, "-" + "0" * 23, "0x" + "0" * 22],
)
def test_what_is_no_message_id(text: str) -> None:
    assert IDS.key(text) is None


def test_another_installation() -> None:
    public = IDS.public(12345)
    other = MessageIds(b"t" * 32)
    assert other.public(12345) != public
    assert other.key(public) is None


def test_a_key_that_no_database_can_hold() -> None:
    """Such a MessageId passes the check only by chance; it must not break a query."""
    assert IDS.key(IDS.public(LARGEST)) == LARGEST
    assert IDS.key(IDS.public(LARGEST + 1)) is None


@given(st.lists(keys, min_size=2, max_size=2, unique=True))
def test_different_keys_different_ids(pair: list[int]) -> None:
    assert IDS.public(pair[0])[:16] != IDS.public(pair[1])[:16]


def test_neighbours_do_not_look_alike() -> None:
    """Ids can neither be guessed nor counted: of 1000 in a row, no two share the first eight digits."""
    assert len({IDS.public(key)[:8] for key in range(1000)}) == 1000


@given(st.lists(st.integers(-5_000, 5_000), max_size=50), st.integers(0, NODES - 1))
def test_keys_rise_when_the_clock_steps_back(steps: list[int], node: int) -> None:
    clock = HandClock()
    made = Keys(clock, node)
    row = [made.next()]
    for step in steps:
        clock.advance(step)
        row.append(made.next())
    assert all(a < b for a, b in pairwise(row))
    assert all(0 < key <= LARGEST for key in row)


def test_more_than_a_millisecond_holds() -> None:
    made = Keys(HandClock(), NODES - 1)
    row = [made.next() for _ in range(10_000)]
    assert sorted(set(row)) == row
    assert {key >> 12 & NODES - 1 for key in row} == {NODES - 1}


class SteadyClock:
    """Goes on by a millisecond with every third look."""

    def __init__(self) -> None:
        self._looks = count(3 * EPOCH + 3)

    def now(self) -> int:
        return next(self._looks) // 3

    def is_steady(self) -> bool:
        return True


def test_nodes_never_make_the_same_key() -> None:
    clock = HandClock()
    nodes = [Keys(clock, node) for node in (0, 1, 512, NODES - 1)]
    row = [made.next() for made in nodes for _ in range(5_000)]
    assert len(set(row)) == len(row)


def test_threads_never_make_the_same_key() -> None:
    """The committer's thread makes keys of notes and receipts while the loop's makes those of messages."""
    keys_of_both, rows = Keys(SteadyClock(), 0), ([], [])  # type: tuple[Keys, tuple[list[int], list[int]]]

    def make(row: list[int]) -> None:
        sys.settrace(lambda frame, event, arg: give_way if frame.f_code is Keys.next.__code__ else None)
        row.extend(keys_of_both.next() for _ in range(200))

    def give_way(frame: FrameType, event: str, arg: object) -> Any:
        time.sleep(0)  # to the other thread, between any two lines
        return give_way

    threads = [threading.Thread(target=make, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*rows[0], *rows[1]}) == 400
    assert all(row == sorted(row) for row in rows)


@pytest.mark.parametrize("node", [-1, NODES])
def test_no_such_node(node: int) -> None:
    with pytest.raises(ValueError, match="node"):
        Keys(HandClock(), node)


@given(st.integers(EPOCH + 1, EPOCH + (1 << 41) - 2), st.integers(0, NODES - 1))
def test_time_of_a_key(instant: int, node: int) -> None:
    key = Keys(HandClock(instant), node).next()
    assert ids.instant_of(key) == instant
    assert ids.key_at(instant) <= key < ids.key_at(instant + 1)


@given(st.integers())
def test_any_time_has_a_key(instant: int) -> None:
    assert 0 <= ids.key_at(instant) <= LARGEST


def test_request_id() -> None:
    made = {ids.request_id() for _ in range(100)}
    assert len(made) == 100
    assert all(
        re.fullmatch(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}", one) for one in made
    )
