"""The examples of docs/templates.md, run as they are printed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from chatgate.channels import viber_template
from chatgate.channels.viber_template import _SHAPES
from chatgate.domain.account import Standing
from chatgate.domain.review import AUDIT_STATUSES, DECISIONS
from tests.architecture.repository import blocks, section
from tests.architecture.test_readme import MAIN, PRINTED, folder, run
from tests.cli.shell import Shell
from tests.e2e.sandbox import Sandbox

__all__ = ["folder"]

PAGE = "docs/templates.md"


def test_make_one_and_send_it(folder: Path, sandbox: Sandbox) -> None:
    text = section(PAGE, "Make one and send it")
    (python,), (shell,) = blocks(text, "python"), blocks(text, "sh")
    printed = run(folder, sys.executable, "-c", python.replace(PRINTED, sandbox.host)).split()
    created, code, sent, message_id = printed
    assert (created, sent) == ("OK", "OK")
    assert sandbox.delivered(message_id, MAIN)["text"] == "Hello Ann, order 7 has left."
    outputs = [run(folder, "bash", "-c", line) for line in shell.replace("TEMPLATE_CODE", code).splitlines()]
    listed, shown, paused, resumed, metric, senders = outputs
    assert code in listed
    assert "https://shop.example.com/$(no)" in shown
    assert (paused, resumed) == (f"{code} in en is paused.\n", f"{code} in en is approved.\n")
    assert metric.splitlines()[1].split()[1:4] == ["en", "1", "1"]  # it may be read by now
    assert "27549" in senders


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, monkeypatch, capsys)


def test_the_linter(shell: Shell) -> None:
    text = section(PAGE, "What is legal")
    (file,), (console,) = blocks(text, "json"), blocks(text, "console")
    (shell.folder / "parcel.json").write_text(file)
    command, expected = console.split("\n", 1)
    assert shell(*command.removeprefix("$ chatgate ").split()).out == expected


def test_the_table_of_shapes() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section(PAGE, "What is legal").splitlines()]
    told = {(row[0] or None, bool(row[1]), bool(row[2])): row[3].strip("`") for row in rows if len(row) == 4}
    assert {key: shape for key, shape in told.items() if shape in set(_SHAPES.values())} == _SHAPES
    assert str(viber_template.LONGEST_BODY) in section(PAGE, "What is legal")


@pytest.mark.parametrize("standing", Standing)
def test_the_table_of_standings(standing: Standing) -> None:
    (line,) = re.findall(rf"^\| {standing} \| `(\w+)` \|.*\| (.*) \|$", section(PAGE, "Review"), re.MULTILINE)
    possible = {decision for decision, (from_, _) in DECISIONS.items() if standing in from_}
    assert line[0] == AUDIT_STATUSES[standing]
    assert set(re.findall(r"`(\w+)`", line[1])) == possible
