"""No number, text, secret, signature or token is ever in a log line, however careless the call that wrote it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from chatgate.telemetry import ALLOWED, Metrics, only_allowed
from tests.telemetry import careless

PLANTED = [
    "639170000099",
    "Your-code-is-4711",
    "wJalrXUtnFEMIK7MDENG",
    "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
    "5379697806260881548",
]


@pytest.fixture(scope="module")
def text() -> str:
    return _run("text")


@pytest.fixture(scope="module")
def lines() -> list[dict[str, str]]:
    return [json.loads(line) for line in _run("json").splitlines()]


def _run(style: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", careless.__name__, style, *PLANTED], capture_output=True, text=True, timeout=60,
        check=True,
    )  # fmt: skip
    assert ran.stdout == ""
    return ran.stderr


def test_nothing_planted_is_in_the_text(text: str) -> None:
    assert "last.line" in text
    assert [secret for secret in PLANTED if secret in text] == []


def test_nothing_planted_is_in_the_json(lines: list[dict[str, str]]) -> None:
    assert lines[-1]["event"] == "last.line"
    assert [secret for secret in PLANTED if secret in json.dumps(lines)] == []


def test_a_dropped_field_is_told_by_name(lines: list[dict[str, str]]) -> None:
    assert lines[0] == {
        "event": "call.answered", "request_id": "R-1", "dropped": "authorization,message,text,to", "level": "info",
        "timestamp": lines[0]["timestamp"],
    }  # fmt: skip
    assert (lines[1]["provider"], lines[1]["dropped"]) == ("viber", "secret")


def test_an_exception_tells_its_type_and_places(lines: list[dict[str, str]]) -> None:
    told = [line["exception"] for line in lines if line["event"] == "lane.failed"]
    assert [each.split(" | ")[0] for each in told] == [
        "ValueError", "ValueError", "RuntimeError", "ExceptionGroup", "ValueError",
    ]  # fmt: skip
    assert all("careless.py:" in each and " main" in each for each in told)
    assert [each.split(" | ")[0] for each in told[2].split(" <- ")] == ["RuntimeError", "FileNotFoundError", "KeyError"]


def test_an_exception_that_was_handed_in_is_told_too(lines: list[dict[str, str]]) -> None:
    assert [line["exception"] for line in lines if line["event"] == "handed.in"] == ["ValueError"]


def test_of_a_library_only_its_name_and_the_exception_are_told(lines: list[dict[str, str]]) -> None:
    told = [(line["name"], line["level"], line.get("exception")) for line in lines if line["event"] == "library.said"]
    assert told[:2] == [("sqlalchemy.engine", "warning", None), ("sqlalchemy.engine", "error", "ValueError")]
    assert [(name, level) for name, level, _ in told[2:]] == [("asyncio", "error")]
    assert told[2][2] is not None
    assert told[2][2].startswith("ValueError | ")


def test_what_is_allowed_passes_unchanged() -> None:
    fields = dict.fromkeys(ALLOWED, "x")
    assert only_allowed(None, "info", dict(fields)) == fields


@pytest.mark.parametrize(
    "name", ["to", "from", "text", "content", "token", "secret", "signature", "phone", "body", "params"]
)
def test_what_could_hold_a_secret_is_not_allowed(name: str) -> None:
    assert name not in ALLOWED


def test_metrics_have_no_label_that_callers_can_choose() -> None:
    """A label whose values a stranger chooses fills the memory, and may hold a number."""
    labels = {label for metric in vars(Metrics()).values() for label in getattr(metric, "_labelnames", ())}
    assert labels <= {"action", "code", "provider", "outcome", "effect", "lane", "status", "result"}
