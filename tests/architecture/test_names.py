"""A module is named for what it owns. What these names own, nobody can say."""

from __future__ import annotations

import re

from tests.architecture.repository import modules, name

NAMELESS = frozenset({"util", "utils", "helper", "helpers", "common", "misc", "core", "shared", "lib", "manager"})

FOLDERS = ("chatgate", "tools", "bench", "tests")


def test_modules() -> None:
    words = {module: set(re.split(r"[/_.]", module.lower())) for module in map(name, modules(*FOLDERS))}
    assert {module for module, own in words.items() if own & NAMELESS} == set()


def test_every_module_says_what_it_owns() -> None:
    texts = {name(path): path.read_text().strip() for path in modules("chatgate", "tools", "bench")}
    assert [module for module, text in texts.items() if text and not text.startswith('"""')] == []
