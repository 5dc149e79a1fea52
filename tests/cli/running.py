"""``chatgate`` as a process of its own, until it is told to end."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 30.0
"""Seconds after which a process that is waited for has failed."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without settings of chatgate, and with ``more``."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CHATGATE_")}
    return own | dict(more or {})


@contextmanager
def running(folder: Path, *arguments: str, more: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a command in a folder; yield the address that it says it is ready at. At the end it must stop with 0."""
    errors = folder / "stderr"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "chatgate", *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment(more),
        )  # fmt: skip
    assert process.stdout is not None
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            assert selector.select(PATIENCE), errors.read_text()
        line = process.stdout.readline()
        assert re.match(r"chatgate ready (http|smpp)://", line), line + errors.read_text()
        yield line.removeprefix("chatgate ready ").strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, errors.read_text()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def failing(folder: Path, *arguments: str) -> str:
    """Run a command that must end with status 1 and one sentence; return the sentence."""
    ran = subprocess.run(
        [sys.executable, "-m", "chatgate", *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE,
        env=environment(),
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, ""), ran.stderr
    assert ran.stderr.startswith("chatgate: ")
    assert ran.stderr.count("\n") == 1
    return ran.stderr.removeprefix("chatgate: ").strip()
