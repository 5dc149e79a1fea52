"""A passphrase at a terminal: asked for, not shown, and asked for twice when it is new."""

from __future__ import annotations

import os
import pty
import select
import sys
from pathlib import Path

import pytest

from tests.cli.running import PATIENCE, environment
from tests.cli.shell import Shell

WORDS = "twelve letters and more"


def at_terminal(folder: Path, arguments: list[str], *typed: str) -> str:
    """Run ``chatgate`` at a terminal of its own; answer each question; return all that the terminal showed."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", "chatgate", *arguments], environment())
    shown, answers = b"", list(typed)
    try:
        while True:
            ready, _, _ = select.select([terminal], [], [], PATIENCE)
            assert ready, shown
            try:
                part = os.read(terminal, 4096)
            except OSError:  # Linux's word for the end of a terminal
                break
            if not part:
                break
            shown += part
            if answers and shown.endswith((b"file: ", b"more: ")):
                os.write(terminal, answers.pop(0).encode() + b"\n")
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    return shown.decode()


@pytest.fixture
def account(shell: Shell) -> None:
    shell("account", "create", "shop")


@pytest.mark.usefixtures("account")
def test_asked_for(shell: Shell) -> None:
    export = ["account", "export", "shop", "--with-secrets", "--out", "shop.json"]
    shown = at_terminal(shell.folder, export, WORDS, WORDS)
    assert shown.count("Passphrase of the file: ") == shown.count("Once more: ") == 1
    assert WORDS not in shown
    take = ["account", "import", "shop.json", "--data", "elsewhere"]
    shown = at_terminal(shell.folder, take, "another passphrase")
    assert "The secrets do not open: another passphrase, or the file was changed." in shown
    shown = at_terminal(shell.folder, take, WORDS)
    assert "Once more" not in shown
    assert "shop is there, with 1 spaces" in shown


@pytest.mark.usefixtures("account")
def test_two_that_differ(shell: Shell) -> None:
    shown = at_terminal(shell.folder, ["account", "export", "shop", "--with-secrets"], WORDS, WORDS + "!")
    assert shown.endswith("chatgate: The two passphrases differ.\r\n")
