"""``chatgate callback``."""

from __future__ import annotations

import base64

import pytest

from chatgate.domain.message import Draft
from tests.cli.shell import Shell, refused
from tests.drafts import draft

URL = "https://shop.example/status"


@pytest.fixture
def shop(shell: Shell) -> Draft:
    """A message of an account that exists and has a sender."""
    shell("account", "create", "shop")
    shell("account", "sender", "shop", "27549")
    return draft(account_id=shell.account_id("shop"), sender="27549")


def endpoints(shell: Shell) -> list[tuple[str, str, str]]:
    account_id = shell.account_id("shop")
    rows = shell.in_store(lambda store, _ring: store.list_endpoints(account_id))
    return [(row.sender, row.kind, row.url) for row in rows]


def undeliverable(shell: Shell, of: Draft) -> str:
    """Make a report that cannot be told; return its MessageId."""
    shell("callback", "set", "shop", URL)
    message_id = shell.accept(of, refused())
    shell("callback", "set", "shop", "--remove")
    return message_id


@pytest.mark.usefixtures("shop")
def test_set_and_remove(shell: Shell) -> None:
    assert shell("callback", "set", "shop", URL).out == f"status of shop: {URL}\n"
    inbound = shell("callback", "set", "shop", f"{URL}/2", "--sender", "27549", "--kind", "inbound")
    assert inbound.out == f"inbound of 27549 of shop: {URL}/2\n"
    assert endpoints(shell) == [("", "status", URL), ("27549", "inbound", f"{URL}/2")]
    shell("callback", "set", "shop", f"{URL}/3")
    assert shell("callback", "set", "shop", "--remove", "--sender", "27549", "--kind", "inbound").out == (
        "inbound of 27549 of shop: nowhere\n"
    )
    assert endpoints(shell) == [("", "status", f"{URL}/3")]


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("set", "shop"), "Say a URL, or --remove."),
        (("set", "shop", URL, "--remove"), "Say a URL, or --remove."),
        (("set", "shop", "shop.example"), "The URL cannot be used: it must begin with https:// (or http://) and name"),
        (("set", "shop", URL, "--kind", "audit"), "--kind must be one of status, inbound."),
        (("set", "shop", URL, "--sender", "1"), "shop has no sender '1'."),
        (("set", "bank", URL), "There is no account 'bank'."),
        (("list", "bank"), "There is no account 'bank'."),
        (("secret", "bank"), "There is no account 'bank'."),
        (("secret", "shop"), "shop has no secret yet: it is made with its first endpoint."),
        (("replay", "bank"), "There is no account 'bank'."),
        (("replay", "shop", "--since", "soon"), "--since must be milliseconds since 1970, an ISO 8601 time, or how"),
        (("replay", "shop", "--until", "later"), "--until must be milliseconds since 1970, an ISO 8601 time, or how"),
    ],
)
def test_refusals(shell: Shell, arguments: tuple[str, ...], sentence: str) -> None:
    assert shell.fails("callback", *arguments).startswith(sentence)
    assert endpoints(shell) == []


def test_list(shell: Shell, shop: Draft) -> None:
    assert shell("callback", "list", "shop", "--json").json == []
    assert shell("callback", "list", "shop").err == "Everything could be told.\n"
    message_id = undeliverable(shell, shop)
    [row] = shell("callback", "list", "shop", "--json").json
    assert row.keys() == {"id", "at", "status", "message_id", "url", "tries", "answer"}
    assert (row["status"], row["message_id"], row["url"], row["tries"]) == ("Failed", message_id, None, 0)
    assert "taken away" in row["answer"]
    shell("callback", "set", "shop", URL)
    assert shell("callback", "list", "shop", "--json").json == [row | {"url": URL}]
    head, line = shell("callback", "list", "shop").out.splitlines()
    assert head.split() == ["id", "at", "status", "message", "id", "url", "tries", "answer"]
    assert message_id in line


def test_replay(shell: Shell, shop: Draft) -> None:
    """Each picks one of three; what was picked waits, and is no longer listed."""
    for _ in range(3):
        undeliverable(shell, shop)
    shell("callback", "set", "shop", URL)
    third, second, first = shell("callback", "list", "shop", "--json").json
    assert shell("callback", "replay", "shop", "--until", "1").out == "Told again: 0.\n"
    assert shell("callback", "replay", "shop", "--id", str(second["id"]), "--id", "0").out == "Told again: 1.\n"
    assert shell("callback", "list", "shop", "--json").json == [third, first]
    assert shell("callback", "replay", "shop", "--until", first["at"]).out == "Told again: 1.\n"
    assert shell("callback", "list", "shop", "--json").json == [third]
    assert shell("callback", "replay", "shop", "--since", "1h").out == "Told again: 1.\n"
    assert shell("callback", "list", "shop", "--json").json == []


def test_replay_leaves_other_accounts_alone(shell: Shell, shop: Draft) -> None:
    undeliverable(shell, shop)
    shell("account", "create", "bank")
    [row] = shell("callback", "list", "shop", "--json").json
    assert shell("callback", "replay", "bank", "--id", str(row["id"])).out == "Told again: 0.\n"
    assert shell("callback", "list", "bank", "--json").json == []
    assert shell("callback", "list", "shop", "--json").json == [row]


@pytest.mark.usefixtures("shop")
def test_secret_stays_the_same(shell: Shell) -> None:
    shell("callback", "set", "shop", URL)
    secret = shell("callback", "secret", "shop").out
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.strip().removeprefix("whsec_"))) == 32
    shell("callback", "set", "shop", "--remove")
    shell("callback", "set", "shop", f"{URL}/2", "--sender", "27549")
    assert shell("callback", "secret", "shop").out == secret
    shell("account", "create", "bank")
    shell("callback", "set", "bank", URL)
    assert shell("callback", "secret", "bank").out != secret
