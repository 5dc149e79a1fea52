"""Keys are rotated while calls run: an access key, and the key ring that seals all secrets. Nothing is refused."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from chatgate import sealing
from chatgate.clock import HOUR, SystemClock
from chatgate.errors import SettingError
from chatgate.gateway.directory import REFRESH_EVERY
from chatgate.store import database
from chatgate.store.store import Store
from tests.e2e.command import chatgate, chatgate_json, until
from tests.e2e.sandbox import Sandbox, new_account, running
from tests.gateway.wire import Caller, ask, text

SLACK = 1.0
"""Seconds by which a change may be late on a machine that is busy with other tests."""


@dataclass
class Load:
    """Calls in a row by several keys; what each was answered, and when it was sent."""

    host: str
    callers: dict[str, Caller]
    answers: list[tuple[float, str, str]] = field(default_factory=list)

    def codes(self, name: str, since: float = 0.0) -> Counter[str]:
        return Counter(code for at, caller, code in list(self.answers) if caller == name and at >= since)

    def more(self, count: int = 10) -> None:
        """Return when so many more calls of each were answered."""
        enough = {name: self.codes(name).total() + count for name in list(self.callers)}
        until(lambda: all(self.codes(name).total() >= wanted for name, wanted in enough.items()))


@contextmanager
def load(sandbox: Sandbox, **callers: Caller) -> Iterator[Load]:
    made = Load(sandbox.host, dict(callers))
    ended = threading.Event()

    def call() -> None:
        while not ended.is_set():
            for name, caller in list(made.callers.items()):
                at = time.monotonic()
                made.answers.append((at, name, ask(made.host, caller.v3(text())).code))
            ended.wait(0.005)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join()


def caller(sandbox: Sandbox, made: dict[str, str]) -> Caller:
    return Caller(sandbox.host, made["access_key_id"], made["access_key_secret"])


def test_an_access_key_is_rotated_under_load(sandbox: Sandbox, account: str) -> None:
    assert ask(sandbox.host, Caller(sandbox.host, account).v3(text())).code == "OK"
    chatgate(sandbox, "user", "create", account, "alice")
    chatgate(sandbox, "policy", "attach", account, "AliyunCamsFullAccess", "alice")
    old = caller(sandbox, chatgate_json(sandbox, "key", "create", account, "--user", "alice"))
    until(lambda: ask(sandbox.host, old.v3(text())).code == "OK")
    with load(sandbox, old=old) as calls:
        calls.more()
        new = caller(sandbox, chatgate_json(sandbox, "key", "rotate", old.access_key_id))
        until(lambda: ask(sandbox.host, new.v3(text())).code == "OK")
        calls.callers["new"] = new
        calls.more()
        assert set(calls.codes("old")) == set(calls.codes("new")) == {"OK"}
        chatgate(sandbox, "key", "disable", old.access_key_id)
        disabled = time.monotonic()
        until(lambda: time.monotonic() > disabled + REFRESH_EVERY + SLACK)
        calls.more()
        chatgate(sandbox, "key", "delete", old.access_key_id)
        until(lambda: "InvalidAccessKeyId.NotFound" in calls.codes("old"))
    assert set(calls.codes("old", disabled + REFRESH_EVERY + SLACK)) <= {
        "InvalidAccessKeyId.Inactive", "InvalidAccessKeyId.NotFound",
    }  # fmt: skip
    assert set(calls.codes("new")) == {"OK"}
    assert set(calls.codes("old")) == {"OK", "InvalidAccessKeyId.Inactive", "InvalidAccessKeyId.NotFound"}


def test_the_key_ring_is_rotated_under_load(tmp_path: Path) -> None:
    """And then the old key opens nothing, and no secret stands in any file."""
    secrets: list[str] = []
    with running(tmp_path / "data") as sandbox:
        old_ring = (sandbox.data / "key-ring").read_bytes()
        callers = {}
        for name in ("one", "two"):
            account = new_account()
            assert ask(sandbox.host, Caller(sandbox.host, account).v3(text())).code == "OK"
            made = chatgate_json(sandbox, "key", "create", account)
            secrets += [made["access_key_secret"]]
            callers[name] = caller(sandbox, made)
            until(lambda one=callers[name]: ask(sandbox.host, one.v3(text())).code == "OK")  # type: ignore[misc]
        token = chatgate_json(sandbox, "sts", "issue", account)
        session = Caller(sandbox.host, token["access_key_id"], token["access_key_secret"])
        headers = {"x-acs-security-token": token["security_token"]}
        with load(sandbox, **callers) as calls:
            calls.more()
            assert "key 2 seals everything" in chatgate(sandbox, "key-ring", "rotate")
            late = chatgate_json(sandbox, "key", "create", account)
            secrets += [late["access_key_secret"], token["access_key_secret"]]
            calls.more()
            assert ask(sandbox.host, session.v3(text(), headers=headers)).code == "OK"
            asyncio.run(_pass(sandbox, 13 * HOUR))
            chatgate(sandbox, "key-ring", "drop", "1")
            calls.callers["late"] = caller(sandbox, late)
            until(lambda: ask(sandbox.host, calls.callers["late"].v3(text())).code == "OK")
            calls.more()
        assert {code for _, _, code in calls.answers} <= {"OK", "InvalidAccessKeyId.NotFound"}
        assert all(set(calls.codes(name)) == {"OK"} for name in ("one", "two"))
        until(  # a dropped key ends the temporary credentials that it sealed
            lambda: ask(sandbox.host, session.v3(text(), headers=headers)).code == "InvalidSecurityToken.Malformed"
        )
        _nowhere(sandbox.data, secrets)
    _nowhere(sandbox.data, secrets)
    used = {row["access_key_id"]: row["last_used_at"] for row in chatgate_json(sandbox, "key", "list", account)}
    assert used[late["access_key_id"]] is not None  # written down at the end, at the latest
    (sandbox.data / "key-ring").write_bytes(old_ring)
    with pytest.raises(SettingError, match="another one"):
        chatgate(sandbox, "account", "list")


async def _pass(sandbox: Sandbox, time: int) -> None:
    """Let the time pass since everything was sealed anew."""
    url, ring = database.sqlite_url(sandbox.data), sealing.load_or_create(sandbox.data / "key-ring")
    store = await Store.open(url, clock=SystemClock(), key_ring=ring, on_fatal=pytest.fail)
    await store.note_rewrapped(SystemClock().now() - time)
    await store.close()


def _nowhere(folder: Path, secrets: list[str]) -> None:
    """Assert that none of the secrets stands in a file: database, write-ahead log, journal, whatever."""
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            content = path.read_bytes() if path.is_file() else b""
            assert not [secret for secret in secrets if secret.encode() in content], path
