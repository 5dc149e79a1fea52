"""``chatgate`` commands on the database of a running sandbox, as its operator runs them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from typer.testing import CliRunner

from chatgate.cli.main import build
from tests.e2e.sandbox import PACE, PATIENCE, Sandbox


def chatgate(sandbox: Sandbox, *arguments: str, stdin: str | None = None) -> str:
    """Run a command that must succeed; return what it printed."""
    ran = CliRunner().invoke(build(), [*arguments, "--data", str(sandbox.data)], input=stdin)
    if ran.exception is not None:
        raise ran.exception
    return ran.stdout


def chatgate_json(sandbox: Sandbox, *arguments: str, stdin: str | None = None) -> Any:
    return json.loads(chatgate(sandbox, *arguments, "--json", stdin=stdin))


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds: what a command changed is known to the server within a second or so."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(PACE)
