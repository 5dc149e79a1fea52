"""The policy of flow control: whose limit, which headers, what a refusal leaves. The clock is moved by hand."""

from __future__ import annotations

import pytest

from chatgate.domain.account import AccountView
from chatgate.errors import LIMIT_CONTROL, ApiError
from chatgate.gateway.flow_control import IDLE_WINDOWS, WINDOW, FlowControl

MILLISECOND = 1_000_000
ACTION = "SendChatappMessage"


def account(account_id: int = 1, calls_per_second: int | None = None) -> AccountView:
    return AccountView(
        account_id=account_id, name=f"a{account_id}", subscribed=True, calls_per_second=calls_per_second, loaded_at=0,
        spaces={}, senders={}, templates={}, policies={},
    )  # fmt: skip


class Gate:
    """Flow control on a monotonic clock moved by hand."""

    def __init__(self, limit: int = 3) -> None:
        self.now = 5 * WINDOW
        self.control = FlowControl(limit, lambda: self.now)

    def admits(self, account: AccountView) -> bool:
        try:
            self.control.admit(account, ACTION)
        except ApiError:
            return False
        return True

    def burst(self, account: AccountView, calls: int = 20) -> int:
        """Return how many of so many calls at once are admitted."""
        return sum(self.admits(account) for _ in range(calls))


def test_the_whole_limit_at_once_and_not_one_more() -> None:
    gate = Gate(limit=250)
    assert gate.burst(account(), 250) == 250
    assert not gate.admits(account())


def test_the_window_slides() -> None:
    gate = Gate()
    assert gate.burst(account(), 2) == 2
    gate.now += WINDOW - 1
    assert gate.burst(account()) == 1
    gate.now += 1
    assert gate.burst(account()) == 2  # the first two are out of the window, the third is not
    gate.now += WINDOW
    assert gate.burst(account()) == 3


def test_a_refused_call_leaves_nothing() -> None:
    gate = Gate()
    gate.burst(account())
    for _ in range(1000):
        assert not gate.admits(account())
    gate.now += WINDOW
    assert gate.burst(account()) == 3


@pytest.mark.parametrize(
    ("passed", "milliseconds"), [(0, 1000), (1, 1000), (MILLISECOND, 999), (WINDOW - MILLISECOND, 1), (WINDOW - 1, 1)]
)
def test_what_a_refusal_says(passed: int, milliseconds: int) -> None:
    """The wait is rounded up, so that who waits so long is admitted; it is never 0, which SDKs read as no answer."""
    gate = Gate()
    gate.burst(account())
    gate.now += passed
    with pytest.raises(ApiError) as refusal:
        gate.control.admit(account(), ACTION)
    assert refusal.value.row is LIMIT_CONTROL
    state = f"Limit:3,Remain:0,TimeLeft:{milliseconds}"
    assert refusal.value.headers == {
        "x-acs-retry-after": str(milliseconds), "x-ratelimit-user-api": state, "x-ratelimit-user": state,
    }  # fmt: skip
    gate.now += milliseconds * MILLISECOND
    assert gate.admits(account())


def test_accounts_share_nothing() -> None:
    gate = Gate()
    assert gate.burst(account(1)) == 3
    assert gate.burst(account(2)) == 3
    assert not gate.admits(account(1))


def test_an_account_may_have_a_limit_of_its_own() -> None:
    gate = Gate()
    assert gate.burst(account(1, calls_per_second=5)) == 5
    assert gate.burst(account(2, calls_per_second=1)) == 1


def test_a_changed_limit_counts_at_once() -> None:
    gate = Gate()
    assert gate.burst(account()) == 3
    assert gate.burst(account(calls_per_second=5)) == 5


def test_a_replay_gives_its_place_back() -> None:
    gate = Gate()
    gate.burst(account(), 3)
    gate.control.take_back(account(), ACTION, gate.now)
    assert gate.burst(account()) == 1
    gate.now += WINDOW
    assert gate.burst(account()) == 3


def test_replays_never_use_up_the_limit() -> None:
    gate = Gate()
    for _ in range(50):
        assert gate.admits(account())
        gate.control.take_back(account(), ACTION, gate.now)
    assert gate.burst(account()) == 3


def test_idle_accounts_are_forgotten_and_busy_ones_are_not() -> None:
    gate = Gate(limit=1)
    for account_id in range(IDLE_WINDOWS):
        assert gate.admits(account(account_id))
    gate.now += WINDOW
    assert gate.burst(account(1)) == 1  # in use again when the others are dropped
    assert gate.admits(account(IDLE_WINDOWS))
    assert len(gate.control._windows) == 2
    assert not gate.admits(account(1))


# --- an operation's own limit ----------------------------------------------------------------------------------------

MASS = "SendChatappMassMessage"


def gate_with_own_limit() -> Gate:
    gate = Gate(limit=5)
    gate.control = FlowControl(5, lambda: gate.now, {MASS: 2})
    return gate


def admits(gate: Gate, action: str, of: AccountView | None = None) -> bool:
    try:
        gate.control.admit(of or account(), action)
    except ApiError:
        return False
    return True


def test_an_own_limit_stands_beside_that_of_the_account() -> None:
    gate = gate_with_own_limit()
    assert [admits(gate, MASS) for _ in range(4)] == [True, True, False, False]
    assert [admits(gate, ACTION) for _ in range(4)] == [True, True, True, False]  # the refused ones took no place
    assert admits(gate, MASS, account(2))
    gate.now += WINDOW
    assert [admits(gate, MASS) for _ in range(3)] == [True, True, False]


def test_the_limit_of_the_account_refuses_first_and_takes_nothing_of_the_own_one() -> None:
    gate = gate_with_own_limit()
    assert all(admits(gate, ACTION) for _ in range(5))
    with pytest.raises(ApiError) as refusal:
        gate.control.admit(account(), MASS)
    assert refusal.value.headers["x-ratelimit-user-api"].startswith("Limit:5,")
    gate.now += WINDOW
    assert [admits(gate, MASS) for _ in range(3)] == [True, True, False]


def test_a_replay_gives_both_places_back() -> None:
    gate = gate_with_own_limit()
    assert all(admits(gate, MASS) for _ in range(2))
    gate.control.take_back(account(), MASS, gate.now)
    assert [admits(gate, MASS) for _ in range(2)] == [True, False]
    assert [admits(gate, ACTION) for _ in range(4)] == [True, True, True, False]
