"""``chatgate fallback``."""

from __future__ import annotations

import pytest

from chatgate.clock import MINUTE, SystemClock
from chatgate.domain.fallback import LATE_LIMIT
from chatgate.domain.message import FallbackOrder
from chatgate.sealing import KeyRing
from chatgate.store.fallbacks import Sweep
from chatgate.store.store import Store
from tests.cli.shell import Shell
from tests.drafts import NUMBER, draft

ORDER = FallbackOrder(
    policy_id="S_000001", content="by SMS", duration=60, rule="undelivered", sms_sender="Shop", lane="sms"
)


def hold(shell: Shell, *accounts: str) -> list[str]:
    """Accept a message of each account, and let its fallback be found much too late; return the MessageIds."""
    found = [shell.accept(draft(account_id=shell.account_id(name), fallback=ORDER)) for name in accounts]

    async def late(store: Store, _ring: KeyRing) -> None:
        now = SystemClock().now() + MINUTE + LATE_LIMIT + MINUTE
        await store.fire_fallbacks(Sweep(now=now, limit=100, keys=store.keys.next))

    shell.in_store(late)
    return found


def held(shell: Shell, *arguments: str) -> list[str]:
    return [row["message_id"] for row in shell("fallback", "held", *arguments, "--json").json]


def steps(shell: Shell, message_id: str) -> list[str]:
    return [step["event"] for step in shell("why", message_id, "--json").json["steps"]]


@pytest.fixture(autouse=True)
def _accounts(shell: Shell) -> None:
    shell("account", "create", "shop")
    shell("account", "create", "bank")


def test_held(shell: Shell) -> None:
    assert shell("fallback", "held").err == "No fallback is held.\n"
    assert held(shell) == []
    shop, bank = hold(shell, "shop", "bank")
    assert held(shell) == [shop, bank]
    assert held(shell, "bank") == [bank]
    assert held(shell, "--limit", "1") == [shop]
    row = shell("fallback", "held", "shop", "--json").json[0]
    assert row.keys() == {"account", "message_id", "to", "status", "accepted_at", "was_due_at", "policy"}
    assert (row["account"], row["to"], row["status"], row["policy"]) == ("shop", NUMBER, "accepted", "S_000001")
    assert row["accepted_at"] < row["was_due_at"]
    assert shell("fallback", "held").out.splitlines()[0].split()[:3] == ["account", "message", "id"]


def test_release(shell: Shell) -> None:
    """One SMS each, and only once."""
    shop, bank = hold(shell, "shop", "bank")
    assert shell("fallback", "release", "shop").out == "Released: 1.\n"
    assert held(shell) == [bank]
    assert shell("fallback", "release").out == "Released: 1.\n"
    assert shell("fallback", "release").out == "Released: 0.\n"
    assert held(shell) == []
    for message_id in (shop, bank):
        told = steps(shell, message_id)
        assert [told.count(event) for event in ("fallback held", "fallback fired", "fallback sms")] == [1, 1, 1]


def test_drop(shell: Shell) -> None:
    shop, bank = hold(shell, "shop", "bank")
    assert shell("fallback", "drop", "bank").out == "Dropped: 1.\n"
    assert held(shell) == [shop]
    assert shell("fallback", "drop").out == "Dropped: 1.\n"
    assert held(shell) == []
    for message_id in (shop, bank):
        assert "fallback called_off" in steps(shell, message_id)
        assert "fallback sms" not in steps(shell, message_id)


@pytest.mark.parametrize("command", ["held", "release", "drop"])
def test_unknown_account(shell: Shell, command: str) -> None:
    assert shell.fails("fallback", command, "nobody") == "There is no account 'nobody'."
