"""Customers' endpoints that are slow, wrong, dead or redirecting: tried for three days, then listed; nobody waits.

The days pass by both clocks of the sandbox whenever the test says so.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from chatgate.clock import HOUR
from chatgate.store import database
from tests.callbacks.endpoint import Answer, Endpoint, answering, listening
from tests.cli.running import environment
from tests.e2e.processes import Processes, free_port
from tests.e2e.sandbox import SENDER, SPACE, Sandbox
from tests.e2e.shifted import write
from tests.gateway.wire import ask, http
from tests.signing import sign_v3
from tests.soak.evidence import until

GOOD = answering(200, b'{"code":0,"msg":"Success"}')
SENTENCES = {
    "slow": "The endpoint answered HTTP 500.",
    "wrong": "The endpoint answered code 1.",
    "redirecting": "The endpoint answered HTTP 302.",
    "dead": "No connection: ClientConnectorError.",
}
TRIES = 10
LONGEST_WAIT = 27 * HOUR
"""More than lies between any two tries."""


class Changing:
    """An answer that can become another."""

    def __init__(self, answer: Answer) -> None:
        self.now = answer

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        await self.now(writer)


class Town:
    """A sandbox, the endpoints of its accounts, and the time of both."""

    def __init__(self, sandbox: Sandbox, passed: Path, endpoints: Mapping[str, Endpoint], wrong: Changing) -> None:
        self.sandbox = sandbox
        self.endpoints = endpoints
        self.wrong = wrong
        self._passed = passed
        self._hours = 0

    def call(self, account: str, action: str = "SendChatappMessage", **params: str) -> str:
        """Make a call; return the MessageId, or nothing."""
        target, headers, body = sign_v3(
            "POST", params, f"sandbox-{account}", f"sandbox-{account}", host=self.sandbox.host, action=action,
            now=time.time_ns() // 1_000_000 + self._hours, nonce=uuid.uuid4().hex,
        )  # fmt: skip
        answer = ask(self.sandbox.host, http("POST", target, headers, body)).json
        assert answer["Code"] == "OK"
        return str(answer.get("MessageId", ""))

    def fail(self, account: str) -> str:
        """Send a message that fails at once, which is the one thing that is told."""
        return self.call(
            account, ChannelType="viber", Type="message", MessageType="text", From=SENDER, To="639170000038",
            CustSpaceId=SPACE, Label="transaction", Content='{"text":"hi"}',
        )  # fmt: skip

    def wait(self) -> None:
        self._hours += LONGEST_WAIT
        write(self._passed, self._hours)

    def tries(self) -> dict[str, int]:
        """Return the tries of each account's report."""
        engine = create_engine(database.sqlite_url(self.sandbox.data))
        sql = "SELECT name, tries FROM callbacks JOIN accounts ON accounts.id = account_id"
        with engine.connect() as connection:
            found = {name.removeprefix("sandbox-"): tries for name, tries in connection.execute(text(sql))}
        engine.dispose()
        return {name: found[name] for name in SENTENCES}

    async def command(self, *arguments: str) -> str:
        """Run ``chatgate callback``, while the endpoints go on."""
        command = [sys.executable, "-m", "chatgate", "callback", *arguments, "--data", str(self.sandbox.data)]
        run = partial(subprocess.run, capture_output=True, text=True, check=True, env=environment())
        return str((await asyncio.to_thread(run, command)).stdout)

    async def listed(self, account: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await self.command("list", f"sandbox-{account}", "--json"))
        return found


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    async def slow(writer: asyncio.StreamWriter) -> None:
        """Answer after more than three seconds; from the third time on at once, so that the test ends."""
        if len(endpoints["slow"].requests) <= 2:
            await asyncio.sleep(3.5)
            await GOOD(writer)
        else:
            await answering(500)(writer)

    async with AsyncExitStack() as stack:
        wrong, target = Changing(answering(200, b'{"code":1}')), await stack.enter_async_context(listening(GOOD))
        redirecting = answering(302, b"", f"Location: {target.url}")
        answers: dict[str, Answer] = {"slow": slow, "wrong": wrong, "redirecting": redirecting}
        endpoints = {name: await stack.enter_async_context(listening(answer)) for name, answer in answers.items()}
        endpoints["target"] = target
        passed = folder / "passed"
        write(passed, 0)
        processes = await stack.enter_async_context(Processes(folder))
        process = await processes.start(
            "tests.e2e.shifted", "--passed", passed, "sandbox", "--data", folder / "data", "--port", 0
        )
        it = Town(Sandbox(process.url, folder / "data"), passed, endpoints, wrong)
        urls = {name: endpoint.url for name, endpoint in endpoints.items()} | {
            "dead": f"http://127.0.0.1:{free_port()}/"
        }
        for name in SENTENCES:
            it.call(name, "UpdateAccountWebhook", CustSpaceId=SPACE, StatusCallbackUrl=urls[name])
        yield it


async def test_slow_wrong_dead_or_redirecting(tmp_path: Path) -> None:
    async with town(tmp_path) as it:
        ids = {name: await asyncio.to_thread(it.fail, name) for name in SENTENCES}
        await until(lambda: len(it.endpoints["slow"].requests) == 1, within=5)
        healthy = await asyncio.to_thread(it.fail, "healthy")
        assert await until(lambda: bool(it.sandbox.callbacks("sandbox-healthy")), within=5)
        assert it.tries()["slow"] == 0, "the healthy one waited for the slow one"
        for tries in range(1, TRIES + 1):
            assert await until(lambda tries=tries: set(it.tries().values()) == {tries}, within=15), it.tries()  # type: ignore[misc]
            if tries == TRIES - 1:
                assert [await it.listed(name) for name in SENTENCES] == [[]] * 4, "given up too early"
            it.wait()

        for name, sentence in SENTENCES.items():
            [row] = await it.listed(name)
            assert (row["message_id"], row["status"], row["tries"], row["answer"]) == (
                ids[name],
                "Failed",
                TRIES,
                sentence,
            )
        assert await it.listed("healthy") == []
        for name in ("slow", "wrong", "redirecting"):
            calls = it.endpoints[name].requests
            assert len(calls) == TRIES
            assert len({call.headers["webhook-id"] for call in calls}) == 1
            assert len({call.body for call in calls}) == 1
        assert it.endpoints["target"].requests == [], "a redirect was followed"
        [heard] = it.sandbox.callbacks("sandbox-healthy")
        assert [report["MessageId"] for report in heard["body"]] == [healthy]

        it.wrong.now = GOOD
        assert await it.command("replay", "sandbox-wrong") == "Told again: 1.\n"
        assert await until(lambda: len(it.endpoints["wrong"].requests) == TRIES + 1, within=10)
        assert [len(await it.listed(name)) for name in ("wrong", "redirecting")] == [0, 1]
