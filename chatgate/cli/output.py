"""What commands print: tables for people, JSON for programs. Control characters never reach the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import msgspec


def show(rows: Sequence[Mapping[str, object]], *, as_json: bool, empty: str) -> None:
    """Print rows of equal keys as a table, or as a JSON array."""
    if as_json:
        print_json(rows)
        return
    if not rows:
        print(empty, file=sys.stderr)
        return
    lines = [[name.replace("_", " ") for name in rows[0]], *([plain(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:  # never folded: an id that is cut in two cannot be copied
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def show_one(fields: Mapping[str, object], *, as_json: bool) -> None:
    """Print one thing: a line for each of its fields that has a value, or a JSON object."""
    if as_json:
        print_json(fields)
        return
    width = max(map(len, fields)) + 1
    for name, value in fields.items():
        if value is not None:
            print(f"{name.replace('_', ' '):<{width}}{plain(value)}")


def print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def plain(value: object) -> str:
    """Return a value as one line of text, with control characters made visible."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.json.encode(value).decode()
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
