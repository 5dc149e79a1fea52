"""The sandbox as a person sees it: both channels on one phone, and all that the built-in customer endpoint hears."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.e2e.sandbox import PACE, PATIENCE, SENDER, Sandbox, new_account, running
from tests.gateway.wire import Caller, ask, text

BY_SMS = "Viber did not arrive; see shop.example. " * 5
"""More than one SMS is long."""


def send(sandbox: Sandbox, account: str, **params: str) -> str:
    """Send a text message; return its MessageId."""
    return str(ask(sandbox.host, Caller(sandbox.host, account).v3(text(**params))).json["MessageId"])


def heard(sandbox: Sandbox, account: str, count: int) -> list[dict[str, Any]]:
    """Return so many reports in the order of their time, once they were heard."""
    deadline = time.monotonic() + PATIENCE
    while len(reports := [report for call in sandbox.callbacks(account) for report in call["body"]]) < count:
        assert time.monotonic() < deadline, reports
        time.sleep(PACE)
    assert len(reports) == count
    return sorted(reports, key=lambda report: int(report["Timestamp"]))


def shown_on(sandbox: Sandbox, number: str, account: str) -> list[dict[str, Any]]:
    """Return what a phone shows, once it shows something: the receipt is the last part's, another may come after it."""
    deadline = time.monotonic() + PATIENCE
    while not (shown := sandbox.phone(number, account)) and time.monotonic() < deadline:
        time.sleep(PACE)
    return shown


def test_a_fallback_is_on_the_phone_and_is_told(sandbox: Sandbox, account: str) -> None:
    to = "639170000038"
    message_id = send(sandbox, account, To=to, FallBackId="S_000001", FallBackContent=BY_SMS)
    reports = heard(sandbox, account, 3)
    assert [(report["MessageId"], report["Type"], report["Status"]) for report in reports] == [
        (message_id, "none", "Failed"), (message_id, "SMS", "Sent"), (message_id, "SMS", "Delivered"),
    ]  # fmt: skip
    (shown,) = shown_on(sandbox, to, account)
    assert (shown["channel"], shown["text"]) == ("sms", BY_SMS)
    assert [shown[part] for part in ("image", "video", "file", "button")] == [None] * 4
    sms = sandbox.message(shown["message_id"], account)
    assert (sms["channel"], sms["to"], sms["status"]) == ("sms", to, "delivered")
    assert sandbox.message(message_id, account)["fallback"] == {"state": "fired", "message_id": shown["message_id"]}
    assert {message["message_id"] for message in sandbox.messages(account)} == {message_id, shown["message_id"]}

    send(sandbox, other := new_account(), To=to)
    assert sandbox.phone(to, other) == []
    assert len(sandbox.phone(to, account)) == 1


def test_a_reply_is_told(sandbox: Sandbox, account: str) -> None:
    to = "639170000060"
    message_id = send(sandbox, account, To=to)
    *statuses, reply = heard(sandbox, account, 4)
    assert [(report["MessageId"], report["Status"]) for report in statuses] == [
        (message_id, "Sent"), (message_id, "Delivered"), (message_id, "Read"),
    ]  # fmt: skip
    assert (reply["From"], reply["To"], reply["Message"], reply["NoticeType"]) == (to, SENDER, "Hello", "inbound")


def test_what_waits_is_told_after_a_restart_at_the_new_address(tmp_path: Path) -> None:
    account = "sandbox-a&b=%20"
    with running(tmp_path / "data") as first:
        message_id = send(first, account)
    with running(tmp_path / "data") as second:
        deadline = time.monotonic() + PATIENCE
        while (message_id, "Delivered") not in {
            (report["MessageId"], report["Status"]) for call in second.callbacks(account) for report in call["body"]
        }:
            assert time.monotonic() < deadline
            time.sleep(PACE)
        assert {call["headers"]["host"] for call in second.callbacks(account)} == {second.host}
