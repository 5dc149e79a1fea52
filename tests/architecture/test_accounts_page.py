"""The examples of docs/accounts.md, run as they are printed. Only the port is another one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chatgate.domain.ram.conditions import KEYS, OPERATORS
from tests.architecture.repository import ROOT, blocks
from tests.architecture.test_readme import MAIN, PRINTED, run
from tests.e2e.command import until
from tests.e2e.sandbox import Sandbox
from tests.gateway.wire import Caller, ask, text

PAGE = (ROOT / "docs" / "accounts.md").read_text()


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A folder as a reader has it, with the data of the sandbox that runs."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "chatgate-data").symlink_to(sandbox.data)
    return tmp_path


def test_the_examples(folder: Path, sandbox: Sandbox) -> None:
    assert ask(sandbox.host, Caller(sandbox.host, MAIN).v3(text())).code == "OK"
    users, policies, session, ring, file = blocks(PAGE, "sh")
    (policy,) = blocks(PAGE, "json")
    (python,) = blocks(PAGE, "python")
    (folder / "transactions.json").write_text(policy)

    assert "alice" in run(folder, "bash", "-ec", users)
    told = run(folder, "bash", "-ec", policies)
    assert "alice may call cams:SendChatappMessage: statement 1 of policy transactions allows it." in told
    run(folder, "bash", "-ec", session)
    program = python.replace(PRINTED, sandbox.host)
    until(lambda: _sends(folder, program))
    assert "seals everything" in run(folder, "bash", "-ec", ring)
    assert _sends(folder, program)
    assert "shop is there" in run(folder, "bash", "-ec", file)


def _sends(folder: Path, program: str) -> bool:
    """Run the program; whether its message was accepted."""
    caught = f"try:\n    exec({program!r})\nexcept Exception as error:\n    print(getattr(error, 'code', error))"
    return run(folder, sys.executable, "-c", caught).startswith("OK ")


def test_operators_and_keys_are_all_there() -> None:
    assert [name for name in [*OPERATORS, *KEYS] if f"`{name}`" not in PAGE] == []
