"""The repository as files."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def modules(*folders: str) -> list[Path]:
    """Return the Python files of some folders of the repository, without those of installed packages."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "node_modules" not in path.parts)


def name(path: Path) -> str:
    """Return a path as it is written in the repository; for the ids of tests."""
    return str(path.relative_to(ROOT))


def section(page: str, title: str) -> str:
    """Return what stands under a heading of a page, up to the next one of its rank."""
    text = (ROOT / page).read_text()
    (found,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of one language, without the indentation of a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]
