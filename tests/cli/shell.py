"""The command line as a person uses it: in a folder, with arguments, reading what is printed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any, TypeVar

import pytest

from chatgate import sealing
from chatgate.cli import main
from chatgate.clock import SystemClock
from chatgate.domain.lifecycle import DEFAULT_UNKNOWN_POLICY
from chatgate.domain.message import Attempt, Draft, Outcome, SendResult
from chatgate.sealing import KeyRing
from chatgate.store import database
from chatgate.store.acceptance import Acceptance
from chatgate.store.attempts import AttemptEnd
from chatgate.store.claims import Claim
from chatgate.store.store import Store

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


class Shell:
    """A folder in which commands are run; the database is in ``chatgate-data``, as it comes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COLUMNS", "400")  # nothing is wrapped

    def __call__(self, *arguments: str) -> Ran:
        """Run ``chatgate`` with these arguments."""
        self._monkeypatch.setattr("sys.argv", ["chatgate", *arguments])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = self._capsys.readouterr()
        return Ran(_status(ended.value.code), out, err)

    def fails(self, *arguments: str) -> str:
        """Run a command that must fail; return its one sentence."""
        ran = self(*arguments)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err.startswith("chatgate: ")
        assert ran.err.endswith("\n")
        assert ran.err.count("\n") == 1
        return ran.err.removeprefix("chatgate: ").removesuffix("\n")

    def in_store(self, work: Callable[[Store, KeyRing], Awaitable[R]], folder: str = "chatgate-data") -> R:
        """Do something in the database behind the command line's back."""
        data = self.folder / folder
        ring = sealing.load_or_create(data / "key-ring")

        async def run() -> R:
            url = database.sqlite_url(data)
            store = await Store.open(url, clock=SystemClock(), key_ring=ring, on_fatal=pytest.fail)
            try:
                return await work(store, ring)
            finally:
                await store.close()

        return asyncio.run(run())

    def account_id(self, name: str) -> int:
        found = self.in_store(lambda store, _ring: store.find_account(name))
        assert found is not None
        return found

    def accept(self, draft: Draft, result: SendResult | None = None) -> str:
        """Store a message, and the result of its first attempt; return its MessageId."""

        async def work(store: Store, _ring: KeyRing) -> str:
            key, now = store.keys.next(), SystemClock().now()
            await store.accept(
                Acceptance(key=key, draft=draft, nonce=token_bytes(16), retry=None, request_id="R-1", now=now,
                           lane="viber", leased=False, keys=store.keys.next)
            )  # fmt: skip
            if result is not None:
                await _attempt(store, key, result)
            return store.message_ids.public(key)

        return self.in_store(work)


async def _attempt(store: Store, key: int, result: SendResult) -> None:
    now = SystemClock().now()
    claimed = await store.claim(
        Claim(lane="viber", now=now, limit=100, until=now + 30_000, keys=store.keys.next, unknown_wait=0,
              unknown_policy=DEFAULT_UNKNOWN_POLICY)
    )  # fmt: skip
    (message,) = [message for message in claimed.to_send if message.id == key]
    attempt = Attempt(message_id=key, number=1, provider="viber", started_at=now, ended_at=now, result=result)
    end = AttemptEnd(
        attempt=attempt, message=message, jitter=0, keys=store.keys.next, unknown_wait=0,
        unknown_policy=DEFAULT_UNKNOWN_POLICY,
    )  # fmt: skip
    await store.record(end)


def refused() -> SendResult:
    return SendResult(outcome=Outcome.REFUSED, code="SRVC_NOT_VIBER_USER", reason="The partner answered status 9.")


def _status(code: object) -> int:
    assert code is None or isinstance(code, int)
    return code or 0
