"""The pages agree with the code, with each other, and with the files that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatgate import errors
from tests.architecture.repository import PAGES, ROOT, name, section
from tools.generate_docs import DOCS
from tools.generate_docs import PAGES as PRINTED

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")


@pytest.mark.parametrize("page", PRINTED)
def test_a_page_printed_from_the_code_is_up_to_date(page: str) -> None:
    assert (DOCS / page).read_text() == PRINTED[page](), "run `make docs`"


@pytest.mark.parametrize("row", errors.CODES, ids=lambda row: row.code)
def test_every_code_is_documented(row: errors.ErrorCode) -> None:
    lines = (DOCS / "errors.md").read_text().splitlines()
    code = row.code.replace("{param}", "<Param>")
    assert [line for line in lines if line.startswith(f"| `{code}` | {row.http} |") and row.when in line]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    dead = [link for link in LINK.findall(text) if "://" not in link and not _leads_somewhere(page, link)]
    assert dead == []


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or ROOT not in target.parents:
        return False
    return not anchor or anchor in {_anchor(line) for line in target.read_text().splitlines() if line.startswith("#")}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def _table() -> list[tuple[str, str]]:
    """Return the rows of the README's "Where is the rule?": question and answer."""
    rows = [line.strip("|").split("|") for line in section("README.md", "Where is the rule?").splitlines()]
    return [(cells[0].strip(), cells[1].strip()) for cells in rows if len(cells) == 2][2:]


@pytest.mark.parametrize(("question", "answer"), _table(), ids=[question for question, _ in _table()])
def test_the_rule_is_where_the_readme_says(question: str, answer: str) -> None:
    """A path exists, a file without a folder stands beside the one before it, a name stands in the file before it."""
    found: Path | None = None
    for word in CODE.findall(answer):
        candidates = [ROOT / word, *([found.parent / word] if found is not None else [])]
        existing = [path for path in candidates if path.exists()]
        if existing:
            found = existing[0]
        else:
            assert found is not None, word
            assert found.is_file(), word
            assert word.strip("[]") in found.read_text(), f"{word} is not in {found}"
    assert found is not None


def test_the_readme_answers_questions() -> None:
    assert len(_table()) >= 15
