from __future__ import annotations

import pytest

from chatgate.domain import phone


@pytest.mark.parametrize("text", ["1234567", "639170000001", "861390000000", "123456789012345"])
def test_numbers(text: str) -> None:
    assert phone.is_digits(text)
    assert phone.is_number(text)


@pytest.mark.parametrize("text", ["123456", "1234567890123456", "0639170000001", "00639170000001", "0"])
def test_digits_that_are_no_number(text: str) -> None:
    assert phone.is_digits(text)
    assert not phone.is_number(text)


NOT_DIGITS = [
    "",
    "+639170000001",
    "63 917 000 0001",
    "639170000001\n",
    " 639170000001",
    "639-1700-0001",
    "63917000000x",
    "\u0666\u0663\u0669\u0661\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0661",  # Arabic-Indic digits
    "63917000000\uff11",  # a full-width digit
    "63917000000\u00b2",  # superscript two
    "639170000001\0",
]


@pytest.mark.parametrize("text", NOT_DIGITS)
def test_not_digits(text: str) -> None:
    assert not phone.is_digits(text)
    assert not phone.is_number(text)
