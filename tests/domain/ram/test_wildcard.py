"""Wildcards against their plain definition, and against texts that made other matchers slow."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.domain.ram import wildcard

patterns = st.text("ab.*?", max_size=8)
texts = st.text("ab.\n", max_size=10)


def fits(pattern: str, text: str) -> bool:
    """The definition: try everything."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


@given(patterns, texts)
def test_as_defined(pattern: str, text: str) -> None:
    assert (wildcard.compiled(pattern).fullmatch(text) is not None) == fits(pattern, text)


@given(patterns, st.data())
def test_a_text_made_from_a_pattern_fits_it(pattern: str, data: st.DataObject) -> None:
    anything = {"*": st.text(max_size=4), "?": st.text(min_size=1, max_size=1)}
    text = "".join(data.draw(anything[one]) if one in anything else one for one in pattern)
    assert wildcard.compiled(pattern).fullmatch(text)


@given(st.text(string.printable, max_size=10))
def test_nothing_else_is_special(text: str) -> None:
    plain = text.replace("*", "").replace("?", "")
    assert wildcard.compiled(plain).fullmatch(plain)
    assert not wildcard.compiled(plain).fullmatch(plain + "x")


@pytest.mark.parametrize(("pattern", "text"), [("SEND*", "send"), ("s?nd", "SEND"), ("ſend", "ſend")])
def test_case_of_ascii_letters_can_be_ignored(pattern: str, text: str) -> None:
    assert wildcard.compiled(pattern, ignore_case=True).fullmatch(text)


def test_only_of_ascii_letters() -> None:
    """U+017F and U+212A are other cases of s and k in Unicode: a name could be spelled in a way nobody sees."""
    assert not wildcard.compiled("s", ignore_case=True).fullmatch("\u017f")
    assert not wildcard.compiled("k", ignore_case=True).fullmatch("\u212a")


def test_many_stars_are_no_trap() -> None:
    """A matcher that tries every split would need more steps than there are atoms; this one is done at once."""
    assert not wildcard.compiled("*a" * 100 + "b").fullmatch("a" * 5000)
    assert wildcard.compiled("*a" * 100 + "*b").fullmatch("a" * 5000 + "b")
