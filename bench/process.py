"""Child processes of the bench: each on its core, known to be ready by its first line, ended without fail."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Self

ROOT = Path(__file__).parent.parent

READY_WITHIN = 30.0
ENDS_WITHIN = 15.0
"""Seconds."""


class BenchError(Exception):
    """The measurement cannot go on; the sentence says why."""


def cores() -> tuple[int | None, int | None]:
    """Return the core of the server and that of everything else; None where there is only one."""
    own = sorted(os.sched_getaffinity(0))
    return (own[0], own[1]) if len(own) > 1 else (None, None)


class Child:
    """One process; a context manager."""

    def __init__(self, name: str, arguments: list[str], *, core: int | None, folder: Path, here: Path = ROOT) -> None:
        """Start ``python ARGUMENTS`` in the folder ``here``; its errors go to a file in ``folder``."""
        self.name = name
        self._errors = folder / f"{name}.stderr"
        began = time.perf_counter()
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *arguments], cwd=here, env=_environment(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors, preexec_fn=_pin_to(core),
            )  # fmt: skip
        try:
            self.ready = self._first_line(began + READY_WITHIN)
        except BaseException:
            self.stop()
            raise
        self.ready_after = time.perf_counter() - began
        """Seconds from its start to its first line."""

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def memory(self) -> tuple[float, float]:
        """Return resident memory now and at its highest, in megabytes (proc(5), status)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return _megabytes(fields["VmRSS"]), _megabytes(fields["VmHWM"])

    def stop(self) -> None:
        """End it in good order, or kill it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._output.close()

    @property
    def _output(self) -> IO[bytes]:
        if self._process.stdout is None:
            raise BenchError(f"{self.name} has no output")
        return self._process.stdout

    def _first_line(self, deadline: float) -> str:
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self._output], [], [], max(deadline - time.perf_counter(), 0))
            piece = os.read(self._output.fileno(), 4096) if readable else b""
            if not piece:
                said = self._errors.read_text(errors="replace")[-2000:]
                raise BenchError(f"{self.name} did not become ready. {said}")
            line += piece
        return line.decode().strip()


def run(arguments: list[str], order: bytes, *, core: int | None) -> bytes:
    """Run ``python ARGUMENTS`` to its end; give it ``order`` on stdin, return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=_environment(), input=order, stdout=subprocess.PIPE, check=False,
        preexec_fn=_pin_to(core),
    )  # fmt: skip
    if done.returncode:
        raise BenchError(f"{' '.join(arguments)} ended with {done.returncode}.")
    return done.stdout


def _pin_to(core: int | None) -> Callable[[], None] | None:
    """Return what the child does before it becomes the program, so that all its threads inherit the core."""
    return None if core is None else partial(os.sched_setaffinity, 0, {core})


def _environment() -> dict[str, str]:
    """Return the environment without settings of the gateway; compiled modules are kept, as everywhere else."""
    foreign = ("CHATGATE_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _megabytes(field: str) -> float:
    return round(int(field.split()[0]) / 1024, 1)
