"""``chatgate sender``: what becomes of a sender, and of what an account applies for."""

from __future__ import annotations

from secrets import token_bytes
from typing import Any

import pytest

from chatgate.domain.account import Standing
from chatgate.domain.sender_request import OPEN, AuditResult, SenderRequest
from chatgate.store.senders import Filing
from tests.cli.shell import Shell


@pytest.fixture(autouse=True)
def _accounts(shell: Shell) -> None:
    shell("account", "create", "shop")
    shell("account", "create", "bank")


def standing(shell: Shell, number: str = "27549") -> Standing | None:
    account_id = shell.account_id("shop")
    view = shell.in_store(lambda store, _ring: store.load_view(account_id, 0))
    sender = None if view is None else view.senders.get(number)
    return None if sender is None else sender.standing


def file(shell: Shell, request_type: str = OPEN) -> str:
    """File a request, as the API does."""
    request_no = token_bytes(12).hex()
    request = SenderRequest(
        request_no=request_no, space_id="s", request_type=request_type, result=AuditResult.OPEN, reason="",
        record={"BusinessAccountName": "Shop"}, creator="ak", modifier="ak", created_at=1, changed_at=1,
    )  # fmt: skip
    filing = Filing(account_id=shell.account_id("shop"), request=request, nonce=token_bytes(16))
    assert shell.in_store(lambda store, _ring: store.file_request(filing))
    return request_no


def listed(shell: Shell, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shell("sender", *arguments, "--account", "shop", "--json").json
    return found


def test_the_life_of_a_sender(shell: Shell) -> None:
    made = shell("sender", "apply", "27549", "--account", "shop", "--service-id", "3100")
    assert made.out == "27549 of shop is pending.\n"
    assert standing(shell) is Standing.PENDING
    steps = [
        ("reject", "rejected"), ("approve", "approved"), ("pause", "paused"), ("prohibit", "prohibited"),
        ("resume", "approved"),
    ]  # fmt: skip
    for decision, after in steps:
        ran = shell("sender", decision, "27549", "--account", "shop", "--reason", f"{decision}.", "--by", "Eva")
        assert ran.out == f"27549 of shop is {after}.\n"
        assert standing(shell) == after
        [row] = listed(shell, "list")
        assert (row["service_id"], row["standing"], row["by"], row["reason"]) == ("3100", after, "Eva", f"{decision}.")


def test_a_request_is_granted(shell: Shell) -> None:
    request_no = file(shell)
    [row] = listed(shell, "requests")
    assert (row["request_no"], row["type"], row["result"]) == (request_no, OPEN, "unAudit")
    assert row["record"] == {"BusinessAccountName": "Shop"}
    ran = shell("sender", "grant", request_no, "--account", "shop", "--sender", "27549", "--service-id", "3100")
    assert ran.out == f"{request_no} is granted; 27549 of shop is approved.\n"
    assert standing(shell) is Standing.APPROVED
    assert listed(shell, "requests") == []
    [row] = listed(shell, "requests", "--all")
    assert (row["result"], row["sender"]) == ("pass", "27549")


def test_a_request_for_a_sender_that_waits(shell: Shell) -> None:
    shell("sender", "apply", "27549", "--account", "shop")
    shell("sender", "grant", file(shell), "--account", "shop", "--sender", "27549")
    assert standing(shell) is Standing.APPROVED
    request_no = file(shell)
    sentence = shell.fails("sender", "grant", request_no, "--account", "shop", "--sender", "27549")
    assert sentence == "To approve it, it must be pending or rejected; it is approved."
    assert [row["request_no"] for row in listed(shell, "requests")] == [request_no]


def test_a_request_is_refused(shell: Shell) -> None:
    request_no = file(shell)
    ran = shell("sender", "refuse", request_no, "--account", "shop", "--reason", "No licence.")
    assert ran.out == f"{request_no} is refused.\n"
    [row] = listed(shell, "requests", "--all")
    assert (row["result"], row["reason"], row["sender"]) == ("fail", "No licence.", None)
    assert standing(shell) is None
    assert shell.fails("sender", "refuse", request_no, "--account", "shop", "--reason", "x").startswith(
        "The request is"
    )


def test_a_request_of_another_kind(shell: Shell) -> None:
    request_no = file(shell, "suspend")
    assert shell("sender", "grant", request_no, "--account", "shop").out == f"{request_no} is granted.\n"
    assert standing(shell) is None


def test_refusals(shell: Shell) -> None:
    shell("sender", "apply", "27549", "--account", "shop")
    request_no = file(shell)
    for arguments, sentence in (
        (("apply", "27549", "--account", "shop"), "27549 is a sender of the account already."),
        (("apply", "+27549", "--account", "shop"), "The sender and the service id must be digits."),
        (("apply", "1", "--service-id", "x", "--account", "shop"), "The sender and the service id must be digits."),
        (("apply", "1", "--account", "none"), "There is no account 'none'."),
        (("approve", "27549", "--account", "bank"), "The account has no sender '27549'."),
        (("pause", "27549", "--account", "shop"), "To pause it, it must be approved; it is pending."),
        (("grant", request_no, "--account", "shop"), "This request opens Viber: say which --sender is granted."),
        (("grant", request_no, "--account", "bank"), "There is no such request."),
        (("refuse", request_no, "--account", "bank", "--reason", "x"), "There is no such request."),
    ):
        assert shell.fails("sender", *arguments) == sentence
    assert standing(shell) is Standing.PENDING
    assert len(listed(shell, "requests")) == 1
