"""A module owns one thing: it has at most 400 lines, and its functions at most 50."""

from __future__ import annotations

import ast

from tests.architecture.repository import modules, name

LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
"""Lines, without the docstring."""

MIGRATIONS = "migrations/versions"
"""A migration is one list of statements, and is never changed."""

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

MODULES = modules("chatgate", "tools", "bench")


def test_modules() -> None:
    lines = {name(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {module: count for module, count in lines.items() if count > LONGEST_MODULE} == {}


def test_functions() -> None:
    too_long = {
        f"{name(path)} {node.name}": _lines(node)
        for path in MODULES
        if MIGRATIONS not in str(path)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTION) and _lines(node) > LONGEST_FUNCTION
    }
    assert too_long == {}


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function, from ``def`` on, that are not its docstring's."""
    first = function.body[0]
    has_docstring = ast.get_docstring(function) is not None
    docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring
