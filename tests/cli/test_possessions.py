"""``chatgate policy`` and ``chatgate space``."""

from __future__ import annotations

import pytest

from chatgate.domain.account import AccountView, FallbackPolicy, Space
from tests.cli.shell import Shell

SMS = """
[providers.sms]
kind = "smpp"
url = "smpp://127.0.0.1:1"
receipts_secret = "never-called-back"
"""


@pytest.fixture(autouse=True)
def _account(shell: Shell) -> None:
    shell("account", "create", "shop", "--space", "space-1")


def view(shell: Shell) -> AccountView:
    account_id = shell.account_id("shop")
    found = shell.in_store(lambda store, _ring: store.load_view(account_id, 0))
    assert found is not None
    return found


def test_policy_is_made_and_changed(shell: Shell) -> None:
    (shell.folder / "chatgate.toml").write_text(SMS)
    made = shell("fallback-policy", "set", "shop", "S_000001", "--sms-sender", "Shop", "--lane", "sms")
    assert made.out == "S_000001 is a fallback policy of shop.\n"
    policy = FallbackPolicy(policy_id="S_000001", name="S_000001", sms_sender="Shop", lane="sms")
    assert view(shell).policies == {"S_000001": policy}
    for arguments, expected in (
        (("--disable",), ("Shop", "sms", False)),
        (("--sms-sender", "27549"), ("27549", "sms", False)),
        (("--enable", "--lane", ""), ("27549", None, True)),
        ((), ("27549", None, True)),
    ):
        shell("fallback-policy", "set", "shop", "S_000001", *arguments)
        changed = view(shell).policies["S_000001"]
        assert (changed.sms_sender, changed.lane, changed.enabled) == expected


def test_space_is_made_and_changed(shell: Shell) -> None:
    shell("space", "set", "shop", "space-1", "--clamp-ttl", "--sms-consent")
    assert view(shell).spaces == {"space-1": Space(space_id="space-1", clamp_ttl=True, sms_consent=True)}
    shell("space", "set", "shop", "space-1", "--no-clamp-ttl", "--retry-by-task")
    assert view(shell).spaces == {"space-1": Space(space_id="space-1", retry_by_task=True, sms_consent=True)}
    made = shell("space", "set", "shop", "space-2", "--video-button-action")
    assert made.out == "space-2 is a space of shop.\n"
    assert view(shell).spaces["space-2"] == Space(space_id="space-2", video_button_action=True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("fallback-policy", "set", "bank", "S_1", "--sms-sender", "Bank"), "There is no account 'bank'."),
        (("fallback-policy", "set", "shop", "S_1"), "S_1 is a new policy; it needs --sms-sender."),
        (
            ("fallback-policy", "set", "shop", "S_1", "--sms-sender", "Shop", "--lane", "smpp"),
            "There is no [providers.smpp] in the settings.",
        ),
        (("space", "set", "bank", "space-1"), "There is no account 'bank'."),
    ],
)
def test_refusals(shell: Shell, arguments: tuple[str, ...], sentence: str) -> None:
    before = view(shell)
    assert shell.fails(*arguments) == sentence
    assert view(shell) == before
