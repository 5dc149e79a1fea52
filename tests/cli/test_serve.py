"""``chatgate serve`` and ``chatgate sandbox`` as processes: what they take as settings, and what they do not."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from tests.cli.running import failing, running

SETTINGS = """
port = 0
[providers.viber]
kind = "KIND"
url = "http://127.0.0.1:1/"
receipts_secret = { env = "CHATGATE_VIBER_RECEIPTS_SECRET" }
[[routes]]
channel = "viber"
providers = ["viber"]
"""
SECRET = {"CHATGATE_VIBER_RECEIPTS_SECRET": "a-secret-of-enough-length"}

_direct = build_opener(ProxyHandler({}))


def test_serve_with_the_settings_file_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "chatgate.toml").write_text(SETTINGS.replace("KIND", "viber_partner"))
    with running(tmp_path, "serve", "--data", "here", more=SECRET) as url, _direct.open(f"{url}/readyz") as answer:
        assert json.load(answer) == {"status": "ok"}
    assert (tmp_path / "here" / "chatgate.db").exists()


def test_serve_needs_a_kind_that_exists(tmp_path: Path) -> None:
    text = SETTINGS.replace("KIND", "pigeon").replace(
        '{ env = "CHATGATE_VIBER_RECEIPTS_SECRET" }', "'a-secret-of-enough-length'"
    )
    (tmp_path / "chatgate.toml").write_text(text)
    sentence = failing(tmp_path, "serve")
    assert sentence.startswith("providers.viber: there is no kind 'pigeon'; known are ")
    assert "viber_partner" in sentence


def test_a_sandbox_never_touches_a_real_installation(tmp_path: Path) -> None:
    """Beside the settings file and in the environment of a real node it has a database of its own all the same."""
    settings = "database = 'sqlite:///real.db'\nrole = 'worker'\ntls_cert = 'c'\ntls_key = 'k'\n"
    (tmp_path / "chatgate.toml").write_text(settings + SETTINGS.replace("port = 0", ""))
    real = {
        "CHATGATE_DATABASE": "sqlite:///real.db", "CHATGATE_ROLE": "worker", "CHATGATE_KEY_RING": "real-ring",
        "CHATGATE_TLS_CERT": "c", "CHATGATE_TLS_KEY": "k",
    }  # fmt: skip
    with (
        running(tmp_path, "sandbox", "--data", "sand", "--port", "0", more=real) as url,
        _direct.open(f"{url}/sandbox/messages") as answer,
    ):
        assert json.load(answer) == {"messages": []}
    assert not (tmp_path / "real.db").exists()
    assert not (tmp_path / "real-ring").exists()
