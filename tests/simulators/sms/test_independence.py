"""The simulator shares nothing with the gateway but the clock."""

from __future__ import annotations

import ast
from pathlib import Path

import chatgate.simulators.sms

HOME = "chatgate.simulators.sms"


def test_it_imports_of_chatgate_only_itself_and_the_clock() -> None:
    modules = sorted(Path(chatgate.simulators.sms.__path__[0]).glob("*.py"))
    assert len(modules) > 10
    imported = {
        name
        for module in modules
        for node in ast.walk(ast.parse(module.read_text()))
        for name in _names(node)
        if name.startswith("chatgate")
    }
    assert {name for name in imported if name != HOME and not name.startswith(HOME + ".")} == {"chatgate.clock"}


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return []
