"""``chatgate message`` and ``chatgate why``."""

from __future__ import annotations

import re

import msgspec
import pytest

from chatgate.clock import SystemClock
from chatgate.domain.message import Content, Draft, Failure, FallbackOrder
from chatgate.sealing import KeyRing
from chatgate.store.groups import GroupAcceptance, Member
from chatgate.store.store import Store
from tests.cli.shell import Shell, refused
from tests.drafts import draft

NASTY = "red \x1b[31m, bell \x07, turned \u202e\nnext line"


@pytest.fixture
def shop(shell: Shell) -> Draft:
    """A draft of the account shop."""
    shell("account", "create", "shop")
    return draft(account_id=shell.account_id("shop"))


def test_list(shell: Shell, shop: Draft) -> None:
    first = shell.accept(shop, refused())
    second = shell.accept(msgspec.structs.replace(shop, recipient="639170000001"))
    rows = shell("message", "list", "--json").json
    assert [row["message_id"] for row in rows] == [second, first]
    assert rows[1] == {
        "accepted_at": rows[1]["accepted_at"], "account": "shop", "message_id": first, "to": "639170000099",
        "type": "text", "status": "failed", "reason": "SRVC_NOT_VIBER_USER",
    }  # fmt: skip
    table = shell("message", "list").out.splitlines()
    assert table[0].split() == ["accepted", "at", "account", "message", "id", "to", "type", "status", "reason"]
    assert [line.split()[2] for line in table[1:]] == [second, first]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), 3),
        (("--to", "639170000001"), 1),
        (("--to", "63917"), 0),
        (("--status", "failed"), 1),
        (("--status", "accepted"), 2),
        (("--status", "read"), 0),
        (("--text", "4711"), 2),
        (("--text", "100%"), 1),
        (("--text", "nothing of the kind"), 0),
        (("--account", "shop"), 3),
        (("--account", "bank"), 0),
        (("--limit", "2"), 2),
        (("--account", "shop", "--status", "accepted", "--to", "639170000001"), 1),
    ],
)
def test_filters(shell: Shell, shop: Draft, arguments: tuple[str, ...], found: int) -> None:
    shell("account", "create", "bank")
    shell.accept(shop, refused())
    shell.accept(msgspec.structs.replace(shop, recipient="639170000001"))
    shell.accept(msgspec.structs.replace(shop, content=Content(text="sale: 100% of it")))
    assert len(shell("message", "list", *arguments, "--json").json) == found


def test_list_refusals(shell: Shell, shop: Draft) -> None:
    assert shell.fails("message", "list", "--account", "nobody") == "There is no account 'nobody'."
    sentence = shell.fails("message", "list", "--status", "gone")
    assert sentence == "--status must be one of accepted, sending, sent, delivered, read, failed, expired, unknown."
    ran = shell("message", "list")
    assert (ran.status, ran.out, ran.err) == (0, "", "No message fits.\n")


def test_show(shell: Shell, shop: Draft) -> None:
    fallback = FallbackOrder(policy_id="S_000001", content="by SMS", duration=60, rule="undelivered", sms_sender="Shop")
    full = msgspec.structs.replace(shop, tag="spring", tracking_data="id:42", task_id="t-1", fallback=fallback)
    message_id = shell.accept(full, refused())
    shown = shell("message", "show", message_id, "--json").json
    assert (shown["message_id"], shown["status"], shown["to"]) == (message_id, "failed", "639170000099")
    assert (shown["tag"], shown["tracking_data"], shown["task_id"]) == ("spring", "id:42", "t-1")
    assert shown["failure"] == {"code": "SRVC_NOT_VIBER_USER", "reason": "The partner answered status 9."}
    assert shown["fallback"]["content"] == "by SMS"
    assert shown["content"] == {"text": "Your code is 4711"}
    assert (shown["attempts"], shown["ttl"], shown["request_id"]) == (1, 120, "R-1")
    lines = shell("message", "show", message_id.upper()).out.splitlines()
    assert lines[:2] == [f"message id     {message_id}", "status         failed"]


def test_why(shell: Shell, shop: Draft) -> None:
    message_id = shell.accept(shop, refused())
    told = shell("why", message_id, "--json").json
    assert (told["message_id"], told["status"]) == (message_id, "failed")
    assert [step["event"] for step in told["steps"]] == ["accepted", "sending", "failed"]
    assert told["steps"][0]["detail"] == "request R-1: text, transaction, from 27549, to live 120 s"
    assert told["steps"][2]["detail"].startswith("the provider refused it: SRVC_NOT_VIBER_USER")
    assert told["next"] == "Nothing more: the message is at rest as failed."
    lines = shell("why", message_id).out.splitlines()
    assert lines[0] == f"{message_id} to 639170000099 is failed."
    assert [re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ  (\w+)", line)[1] for line in lines[2:5]] == [  # type: ignore[index]
        "accepted", "sending", "failed",
    ]  # fmt: skip
    assert lines[-1] == "Nothing more: the message is at rest as failed."


@pytest.mark.parametrize("command", [("why",), ("message", "show")])
@pytest.mark.parametrize("message_id", ["", "1", "0" * 24, "f" * 24, "x\x1b[31m", "É" * 24])
def test_a_message_that_does_not_exist(shell: Shell, shop: Draft, command: tuple[str, ...], message_id: str) -> None:
    sentence = shell.fails(*command, message_id)
    assert sentence.startswith("There is no message ")
    assert sentence.isprintable()


def test_control_characters_never_reach_the_terminal(shell: Shell, shop: Draft) -> None:
    message_id = shell.accept(
        msgspec.structs.replace(shop, content=Content(text=NASTY), tag=NASTY, template_code=NASTY)
    )
    for command in (("message", "list"), ("message", "show", message_id), ("why", message_id)):
        out = shell(*command).out
        assert all(line.isprintable() for line in out.split("\n")), command
    assert "red \\x1b[31m, bell \\x07, turned \\u202e\\nnext line" in shell("message", "show", message_id).out


def test_json_keeps_the_text_as_it_is(shell: Shell, shop: Draft) -> None:
    message_id = shell.accept(msgspec.structs.replace(shop, content=Content(text=NASTY)))
    ran = shell("message", "show", message_id, "--json")
    assert ran.json["content"]["text"] == NASTY
    assert "\x1b" not in ran.out


def test_group(shell: Shell, shop: Draft) -> None:
    async def work(store: Store, _ring: KeyRing) -> str:
        next_key, now = store.keys.next, SystemClock().now()
        failed = msgspec.structs.replace(shop, failure=Failure(code="SenderPaused", reason="The sender is paused."))
        accepted = await store.accept_group(
            GroupAcceptance(
                key=next_key(),
                account_id=shop.account_id,
                nonce=b"n" * 16,
                retry=None,
                request_id="R",
                now=now,
                keys=next_key,
                members=[Member(key=next_key(), draft=one, lane="viber") for one in (shop, shop, failed)],
            )
        )
        return store.message_ids.public(accepted.key)

    group_id = shell.in_store(work)
    found = shell("message", "group", group_id, "--json").json
    assert found == {
        "group_id": group_id, "accepted_at": found["accepted_at"], "messages": 3,
        "statuses": {"accepted": 2, "failed": 1},
    }  # fmt: skip
    first, _, *counts = shell("message", "group", group_id).out.splitlines()
    assert first == f"{group_id} was accepted at {found['accepted_at']} with 3 messages."
    assert [line.split() for line in counts] == [["accepted", "2"], ["failed", "1"]]
    message_id = shell("message", "list", "--json").json[0]["message_id"]
    assert shell("message", "show", message_id, "--json").json["group_id"] == group_id
    assert shell.fails("message", "group", message_id) == f"There is no mass sending {message_id}."
    assert shell.fails("message", "group", "x\x1b") == "There is no mass sending x\\x1b."
