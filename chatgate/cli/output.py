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
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(plain(value) for value in row.values()))
    Console(highlight=False, markup=False, emoji=False).print(table)


def print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def plain(value: object) -> str:
    """Return a value as one line of text, with control characters made visible."""
    text = "" if value is None else str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
