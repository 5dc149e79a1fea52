"""The README's examples, run as they are printed. Only the port is another one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.architecture.repository import blocks, section
from tests.cli.running import PATIENCE, environment
from tests.e2e.sandbox import PACE, Sandbox

PRINTED = "127.0.0.1:8080"
"""The address in the README."""

MAIN = "sandbox"
"""The account of its examples."""


@pytest.fixture
def folder(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A folder as a reader has it: with ``.venv``, and with the data of the sandbox that runs."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "chatgate-data").symlink_to(sandbox.data)
    return tmp_path


def run(folder: Path, *command: str) -> str:
    more = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, env=environment(more))
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def read(url: str) -> str:
    """Do what ``curl`` does."""
    with build_opener(ProxyHandler({})).open(url, timeout=PATIENCE) as answer:
        return str(answer.read().decode())


def called_back(url: str, message_id: str) -> bool:
    """Whether the customer hears of a message, within our patience."""
    deadline = time.monotonic() + PATIENCE
    while not (found := message_id in read(url)) and time.monotonic() < deadline:
        time.sleep(PACE)
    return found


def test_send_a_message_and_see_what_became_of_it(folder: Path, sandbox: Sandbox) -> None:
    (python,) = blocks(section("README.md", "Send a message"), "python")
    (shell,) = blocks(section("README.md", "Send a message"), "sh")
    assert PRINTED in python
    assert PRINTED in shell

    code, message_id = run(folder, sys.executable, "-c", python.replace(PRINTED, sandbox.host)).split()
    assert code == "OK"
    assert re.fullmatch("[0-9a-f]{24}", message_id)
    assert sandbox.delivered(message_id, MAIN)["text"] == "Hello from chatgate"

    shell = shell.replace(PRINTED, sandbox.host).replace("MESSAGE_ID", message_id)
    of_phone, of_messages, of_callbacks = re.findall(r"^curl -s (\S+)", shell, re.MULTILINE)
    phone, messages = read(of_phone), read(of_messages)
    listed, why = [run(folder, "bash", "-c", line) for line in shell.splitlines() if not line.startswith("curl ")]
    assert message_id in listed
    assert f'"message_id":"{message_id}"' in phone
    assert f'"message_id":"{message_id}"' in messages
    assert called_back(of_callbacks, message_id)
    assert why.startswith(f"{message_id} to 639170000001 is ")


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_going_live(clean: Path) -> None:
    (settings,) = blocks(section("README.md", "Going live"), "toml")
    (shell,) = blocks(section("README.md", "Going live"), "sh")
    (clean / "chatgate.toml").write_text(settings)
    (clean / "live.sh").write_text(shell)
    with (clean / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            ["bash", "-e", "live.sh"], cwd=clean, stdout=subprocess.PIPE, stderr=stderr, text=True,
            env=environment({"CHATGATE_PORT": "0"}), start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    try:
        printed = list(_until_ready(lines))
        os.killpg(process.pid, signal.SIGTERM)
        assert list(lines) == []  # the server has closed it: it has ended
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert [line.split()[0] for line in printed] == ["account", "access", "access", "cust", "27549", "chatgate"], (
        clean / "stderr"
    ).read_text()
    assert (clean / "stderr").read_text() == ""
    secret = printed[2].split()[-1]
    assert not [path for path in clean.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def _until_ready(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line
        if line.startswith("chatgate ready http://127.0.0.1:"):
            return
