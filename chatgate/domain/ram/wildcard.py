"""Texts with ``*`` (any run of characters, also none) and ``?`` (one character), in names and values of policies."""

from __future__ import annotations

import re


def compiled(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """Return what ``fullmatch``es the texts of a pattern. ``ignore_case`` is about ASCII letters only.

    Whatever stands between two ``*`` is taken where it is found first and never looked for again: correct, because a
    later place leaves less room for the rest, and quick, because nothing is tried twice.
    """
    first, *others = [_literally(part) for part in pattern.split("*")]
    flags = re.DOTALL | (re.IGNORECASE | re.ASCII if ignore_case else 0)
    if not others:
        return re.compile(first, flags)
    *between, last = others
    return re.compile(first + "".join(f"(?>.*?{part})" for part in between if part) + f".*{last}", flags)


def _literally(part: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in part)
