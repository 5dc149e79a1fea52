"""A provider, an operation and a command are added by adding a file: nothing that is there is edited."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.architecture import extended
from tests.architecture.repository import ROOT, blocks
from tests.cli.running import PATIENCE, environment

PROVIDER = '''
"""Carries messages by writing them down."""

from pathlib import Path

from chatgate.domain.message import Outcome, SendResult
from chatgate.providers.base import HttpProvider

CHANNELS = frozenset({"viber"})


def build(name, settings, outbound):
    return Scribe(name, settings, outbound)


class Scribe(HttpProvider):
    async def send(self, message, now):
        Path(self.settings.options["file"]).write_text(message.draft.content.text)
        return SendResult(outcome=Outcome.SENT, token="1", code="Written")
'''

COMMAND = '''
"""``chatgate hello``."""


def register(app):
    @app.command()
    def hello():
        """Say hello."""
        print("hello from a file of its own")
'''

SETTINGS = """
[providers.scribe]
kind = "scribe"
url = "https://scribe.example/"
receipts_secret = "a-secret-of-enough-length"
file = "FOLDER/carried"

[[routes]]
channel = "viber"
providers = ["scribe"]
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("extension")
    _write(folder / "providers" / "scribe.py", PROVIDER)
    _write(folder / "operations" / "isv_get_app_id.py", operation())
    _write(folder / "commands" / "hello.py", COMMAND)
    _write(folder / "chatgate.toml", SETTINGS.replace("FOLDER", str(folder)))
    ran = subprocess.run(
        [sys.executable, "-m", extended.__name__, str(folder)], cwd=folder, capture_output=True, text=True,
        timeout=PATIENCE, env=environment(),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def operation() -> str:
    """Return the example of docs/adding-an-operation.md, as it is printed."""
    (block,) = blocks((ROOT / "docs" / "adding-an-operation.md").read_text(), "python")
    return block


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_an_operation(printed: dict[str, Any]) -> None:
    answer = printed["status"]
    assert (answer["Code"], answer["AppId"]) == ("OK", "shop")
    assert answer["RequestId"]


def test_a_provider(printed: dict[str, Any]) -> None:
    assert printed["send"]["Code"] == "OK"
    assert printed["carried"] == "Hello"


def test_a_command(printed: dict[str, Any]) -> None:
    assert printed["hello"] == "hello from a file of its own\n"
    assert "Say hello." in printed["help"]
