"""The partner as it is met from outside: over real sockets, with a real callback receiver."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import NetworkError
from starlette.types import Receive, Scope, Send

from chatgate.clock import SystemClock
from chatgate.simulators.viber.app import BODY_LIMIT, app
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.scripts import Timing
from chatgate.simulators.viber.server import Server
from tests.simulators.viber.stage import NUMBER, SERVICE, Stage, request

SEND = "/vibersrvc/1/send_message"
QUICK = Timing(delivery=(5, 10), seen=(5, 10), retries=(10, 10, 10, 10), callback_timeout=100)


class Receiver:
    """An endpoint for callbacks; ``answers`` are used up first, then 200. ``None`` never answers."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.answers: list[int | None] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["method"] == "POST"
        assert (b"content-type", b"application/json") in scope["headers"]
        body = b""
        while (event := await receive())["type"] == "http.request":
            body += event["body"]
            if not event["more_body"]:
                break
        self.received.append({"path": scope["path"], **json.loads(body)})
        status = self.answers.pop(0) if self.answers else 200
        if status is None:
            await receive()
            return
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def wait_for(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(5):
            while len(self.received) < count:
                await asyncio.sleep(0.005)
        return self.received


class Town:
    """A running partner, a running receiver, and a client."""

    partner: ViberPartner
    receiver: Receiver
    url: str
    client: Client

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        call = self.client.request(method, self.url + path)
        for name, value in headers.items():
            call = call.header(name.replace("_", "-"), value)
        if body is not None:
            call = call.body_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
        response = await call.build().send()
        return response.status, json.loads(bytes(await response.bytes()))


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    town = Town()
    town.receiver = Receiver()
    receiving = await Server.start(town.receiver)
    town.partner = ViberPartner(clock=SystemClock(), journal=None, random=Random(1), timing=QUICK)
    await town.partner.start()
    town.partner.register_service(SERVICE, f"{receiving.url}/receipts/viber/secret")
    server = await Server.start(app(town.partner))
    town.url = server.url
    town.client = ClientBuilder().no_proxy().build()
    yield town
    await town.client.close()
    await town.partner.stop()
    await asyncio.gather(server.stop(), receiving.stop())


async def test_a_message_there_and_its_callbacks_back(town: Town) -> None:
    status, answer = await town.call("POST", SEND, request(dest="380501234501", seq=7))
    assert (status, answer["status"], answer["seq"]) == (200, 0, 7)
    delivered, seen = await town.receiver.wait_for(2)
    assert [told["message_status"] for told in (delivered, seen)] == [0, 1]
    assert {told["message_token"] for told in (delivered, seen)} == {answer["message_token"]}
    assert delivered["path"] == "/receipts/viber/secret"
    assert [message.status for message in town.partner.inbox([SERVICE], "380501234501")] == ["seen"]


async def test_a_callback_is_repeated_after_an_error_and_after_a_timeout(town: Town) -> None:
    town.receiver.answers = [500, None, 200]
    await town.call("POST", SEND, request())
    assert [told["message_status"] for told in await town.receiver.wait_for(3)] == [0, 0, 0]


async def test_an_address_that_is_none_or_refuses_costs_nothing_but_the_callback(town: Town) -> None:
    for url in ("nonsense", "http://127.0.0.1:1/x", "gopher://127.0.0.1/x"):
        town.partner.register_service(SERVICE, url)
        assert (await town.call("POST", SEND, request()))[1]["status"] == 0
    async with asyncio.timeout(5):
        while sum(b'"outcome":"dropped"' in line for line in town.partner.journal()) < 3:
            await asyncio.sleep(0.005)


async def test_503(town: Town) -> None:
    assert (await town.call("POST", SEND, request(dest="380501234551")))[0] == 503


async def test_a_reset_after_acceptance(town: Town) -> None:
    with pytest.raises(NetworkError):
        await town.call("POST", SEND, request(dest="380501234552"))
    assert len(await town.receiver.wait_for(1)) == 1
    assert (await town.call("POST", SEND, request()))[1]["status"] == 0


async def test_who_hangs_up_on_a_hang_has_sent_nothing(town: Town) -> None:
    body = json.dumps(request(dest="380501234553")).encode()
    _, connection = await asyncio.open_connection("127.0.0.1", int(town.url.rpartition(":")[2]))
    connection.write(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (SEND.encode(), len(body)) + body)
    async with asyncio.timeout(5):
        while town.partner.next_due(SERVICE) is None:
            await asyncio.sleep(0.005)
        connection.close()
        while town.partner.next_due(SERVICE) is not None:
            await asyncio.sleep(0.005)
    assert not any(b'"record":"message"' in line for line in town.partner.journal())
    assert [record.status for record in town.partner.requests()] == [0]


async def test_who_waits_for_a_hang_gets_an_answer(town: Town) -> None:
    calling = asyncio.create_task(town.call("POST", SEND, request(dest="380501234553")))
    async with asyncio.timeout(5):
        while town.partner.next_due(SERVICE) is None:
            await asyncio.sleep(0.005)
    town.partner.advance(SERVICE, 30_000)
    assert (await calling)[1]["status"] == 0


async def test_a_body_that_is_too_long_is_not_read(town: Town) -> None:
    body = json.dumps(request(tag="x" * BODY_LIMIT)).encode()
    assert await town.call("POST", SEND, body) == (200, {"status": 3})
    assert (await town.call("POST", SEND, request()))[1]["status"] == 0


async def test_health_and_what_is_not_there(town: Town) -> None:
    assert await town.call("GET", "/healthz") == (200, {"status": "ok"})
    assert (await town.call("GET", "/"))[0] == 404
    assert (await town.call("GET", SEND))[0] == 404


async def test_stopping_lets_go_of_a_hanging_call() -> None:
    async with Stage() as stage:
        stage.partner.register_service(SERVICE)
        sending = asyncio.create_task(stage.post(json.dumps(request(dest="380501234553")).encode()))
        while stage.partner.next_due() is None:
            await asyncio.sleep(0)
    assert (await sending).status == 0
    assert (await stage.post(json.dumps(request()).encode())).status == 503


STANDALONE = """
import asyncio, sys
from pathlib import Path
from random import Random
from chatgate.clock import SystemClock
from chatgate.simulators.viber.app import app
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.server import Server

async def main():
    partner = ViberPartner(clock=SystemClock(), journal=Path(sys.argv[1]), random=Random(), allow_any_service=True)
    await partner.start()
    print((await Server.start(app(partner))).port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_what_was_answered_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    journal = tmp_path / "viber.jsonl"
    process = subprocess.Popen([sys.executable, "-c", STANDALONE, str(journal)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    answered: list[str] = []

    async def caller(client: Client) -> None:
        while True:
            call = client.post(f"http://127.0.0.1:{port}{SEND}").body_bytes(json.dumps(request()).encode())
            answered.append(json.loads(bytes(await (await call.build().send()).bytes()))["message_token"])
            if len(answered) == 200:
                os.kill(process.pid, signal.SIGKILL)

    async with ClientBuilder().no_proxy().build() as client:
        await asyncio.gather(*(caller(client) for _ in range(16)), return_exceptions=True)
    assert process.wait(10) == -signal.SIGKILL
    process.stdout.close()
    assert len(answered) >= 200
    async with Stage(journal, clock=SystemClock()) as stage:
        assert set(answered) <= set(stage.world.messages)


async def test_a_port_that_is_taken_is_an_error() -> None:
    server = await Server.start(Receiver())
    with pytest.raises(OSError, match="in use"):
        await Server.start(Receiver(), port=server.port)
    await server.stop()


async def test_the_inbox_over_http(town: Town) -> None:
    await town.call("POST", SEND, request(209))
    await town.receiver.wait_for(1)
    _, inbox = await town.call("GET", f"/admin/phones/{NUMBER}")
    assert inbox["messages"][0]["button"] == {"caption": "Open", "action": "https://x"}
    assert await town.call("GET", f"/admin/phones/{NUMBER}?service_id={SERVICE}") == (200, inbox)
    assert (await town.call("GET", f"/admin/phones/{NUMBER}?service_id=1&service_id=2"))[1]["messages"] == []
