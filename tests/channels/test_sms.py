from __future__ import annotations

import pytest

from chatgate.channels import sms


@pytest.mark.parametrize(
    "text",
    [
        "Hi",
        "Line\r\nbreak\tand tab",
        "a" * 1530,
        "€" * 760,
        "я" * 670,
        "😀" * 330,
        "\N{ZERO WIDTH JOINER}👩‍🚀",
        " x ",
    ],
)
def test_texts_that_can_be_sent(text: str) -> None:
    assert sms.text_fault(text) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "needs a text"),
        (" \n", "needs a text"),
        ("a\0", "control characters"),
        ("a\x1b", "control characters"),
        ("a\x85", "control characters"),
        ("a\ud800", "control characters"),
        ("a" * 1531, "11 short messages long; 10 is the most (about 1530 characters of the GSM alphabet)"),
        ("€" * 761, "11 short messages"),
        ("я" * 671, "11 short messages long; 10 is the most (about 670 UTF-16 code units)"),
    ],
)
def test_texts_that_cannot_be_sent(text: str, fault: str) -> None:
    assert fault in (sms.text_fault(text) or "")


@pytest.mark.parametrize(
    "sender", ["A", "Chatgate", "Chat gate", "7Eleven", "A1 B2", "elevenchars", "100", "12345", "380501234567890"]
)
def test_senders_that_can_be_used(sender: str) -> None:
    assert sms.sender_fault(sender) is None


@pytest.mark.parametrize(
    "sender",
    [
        "",
        " ",
        "twelve chars",
        "12",
        "1234567890123456",
        "+380501234567",
        "Shop!",
        " Shop",
        "Shop ",
        "Two  gaps",
        "Ärger",
        "12 34",
        "Shop\n",
        "٣٤٥",
        "a\0",
    ],
)
def test_senders_that_cannot_be_used(sender: str) -> None:
    assert sms.sender_fault(sender) is not None


@pytest.mark.parametrize(("sender", "number"), [("12345", True), ("Shop1", False), ("", False), ("٣٤٥", False)])
def test_numbers_are_told_from_names(sender: str, number: bool) -> None:
    assert sms.is_number(sender) is number


def test_a_fault_does_not_quote_the_text() -> None:
    assert "secret" not in (sms.text_fault("secret" * 400) or "secret")
