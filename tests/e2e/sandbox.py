"""A real ``chatgate sandbox`` process, for tests that speak to it as its users do: over HTTP.

``sandbox`` is one process for the whole run. Every test takes ``account``, an AccessKeyId of its own (and its own
secret), so no test sees another's messages. A test that stops, restarts or configures a process uses ``running``.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

import pytest

PROGRAMS = Path(sys.executable).parent
"""Where the environment keeps ``chatgate``, ``node`` and ``npm``."""

PATIENCE = 30.0
"""Seconds after which a process or a message that is waited for has failed."""

PACE = 0.05
"""Seconds between two looks."""

FAULTS = ("call.failed", "process.fatal", "Traceback")
"""What a healthy process never logs."""

SENDER = "27549"
SPACE = "282514865123580001"
TEMPLATE = "744c4b5c79c9432497a075bdfca30001"
"""The sandbox's seeds, as its banner prints them."""

_direct = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox, and a look at what it did."""

    url: str
    data: Path

    @property
    def host(self) -> str:
        """Address and port, as SDKs want their endpoint."""
        return self.url.removeprefix("http://")

    def messages(self, account: str) -> list[dict[str, Any]]:
        """Return every message of an account (at most 1000), newest first; none while nobody has proved to be it."""
        try:
            found: list[dict[str, Any]] = self._look("messages", account, limit=1000)["messages"]
        except HTTPError as error:
            if error.code != 404:
                raise
            return []
        return found

    def message(self, message_id: str, account: str) -> dict[str, Any]:
        """Return one message with its timeline."""
        found: dict[str, Any] = self._look(f"messages/{message_id}", account)
        return found

    def phone(self, number: str, account: str) -> list[dict[str, Any]]:
        """Return what the phone of a number shows, newest first."""
        shown: list[dict[str, Any]] = self._look(f"phones/{number}", account)["messages"]
        return shown

    def callbacks(self, account: str) -> list[dict[str, Any]]:
        """Return the calls that the built-in customer endpoint heard, newest first."""
        heard: list[dict[str, Any]] = self._look("callbacks", account)["callbacks"]
        return heard

    def delivered(self, message_id: str, account: str) -> dict[str, Any]:
        """Return a message once it is delivered."""
        deadline = time.monotonic() + PATIENCE
        message = self.message(message_id, account)
        while message["status"] != "delivered":
            assert time.monotonic() < deadline, f"not delivered: {message}"
            time.sleep(PACE)
            message = self.message(message_id, account)
        return message

    def _look(self, path: str, account: str, **query: object) -> Any:
        url = f"{self.url}/sandbox/{path}?{urlencode({'account': account, **query})}"
        with _direct.open(url, timeout=PATIENCE) as answer:
            return json.load(answer)


@contextmanager
def running(data: Path, **settings: object) -> Iterator[Sandbox]:
    """Run a sandbox on a data folder and a free port; ``settings`` go to its environment.

    At the end it gets SIGTERM and must stop with status 0, having printed the ready line alone and logged no fault.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHATGATE_")}
    environment |= {f"CHATGATE_{name.upper()}": str(value) for name, value in settings.items()}
    log = data.with_name(f"{data.name}.log")
    with log.open("a+") as errors:
        process = subprocess.Popen(
            [PROGRAMS / "chatgate", "sandbox", "--data", data, "--port", "0"],
            stdout=subprocess.PIPE, stderr=errors, env=environment, cwd=data.parent,
        )  # fmt: skip
    try:
        yield Sandbox(_ready(process, log), data)
        process.send_signal(signal.SIGTERM)
        more, _ = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 0, f"status {process.returncode} on SIGTERM: {log.read_text()}"
    assert more == b"", "more than the ready line was printed to standard output"
    assert not any(fault in log.read_text() for fault in FAULTS), log.read_text()


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address of the ready line: ``chatgate ready URL``."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        assert selector.select(PATIENCE), f"not ready: {log.read_text()}"
    words = process.stdout.readline().decode().split()
    assert words[:2] == ["chatgate", "ready"], f"{words}: {log.read_text()}"
    return words[2]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for the whole run, with the settings as they come."""
    with running(tmp_path_factory.mktemp("sandbox") / "data") as process:
        yield process


@pytest.fixture
def account() -> str:
    """An AccessKeyId that nobody used before; its secret is the same text."""
    return new_account()


def new_account() -> str:
    return f"sandbox-{uuid.uuid4().hex}"
