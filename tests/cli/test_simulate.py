"""``chatgate simulate``: a Viber partner, or an SMS centre, for an installation that is somewhere else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from chatgate.domain.message import Outcome, SendResult
from chatgate.providers import viber_partner
from chatgate.simulators.viber.app import SEND_PATH
from tests.cli.running import failing, running
from tests.drafts import NOW, NUMBER, TEXT, draft, message
from tests.providers import kit
from tests.providers.short_message import short_message
from tests.providers.smpp.bound import Store, bound, until

_direct = build_opener(ProxyHandler({}))


def asked(url: str, body: object = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    with _direct.open(Request(url, data), timeout=10) as answer:
        return json.load(answer)


async def sent(url: str, service_id: str) -> SendResult:
    provider = viber_partner.build("viber", kit.settings(url + SEND_PATH, "viber_partner"), kit.outbound())
    result = await provider.send(message(draft(service_id=service_id)), NOW)
    await provider.close()
    return result


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[str, asyncio.Queue[bytes]]]:
    """A receipts address, and what came to it."""
    came: asyncio.Queue[bytes] = asyncio.Queue()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
        await came.put(await reader.readexactly(int(length.split(b":")[1])))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/receipts/viber/secret", came
    server.close()


async def test_it_takes_any_service_and_tells_what_became_of_a_message(
    tmp_path: Path, receiver: tuple[str, asyncio.Queue[bytes]]
) -> None:
    address, came = receiver
    with running(tmp_path, "simulate", "viber", "--port", "0", "--callback-url", address) as url:
        results = [await sent(url, service_id) for service_id in ("3100", "9999")]
        assert [result.outcome for result in results] == [Outcome.SENT] * 2
        await asyncio.to_thread(asked, f"{url}/admin/time", {"advance": "60s"})
        told = [json.loads(await asyncio.wait_for(came.get(), 10)) for _ in results]
        assert {each["message_token"] for each in told} == {result.token for result in results}
        assert {each["service_id"] for each in told} == {3100, 9999}
        shown = await asyncio.to_thread(asked, f"{url}/admin/phones/{NUMBER}")
        assert [each["text"] for each in shown["messages"]] == [TEXT] * 2  # type: ignore[index]
    assert "send to" in (tmp_path / "stderr").read_text()


async def test_a_journal_keeps_what_it_knows(tmp_path: Path) -> None:
    options = ("simulate", "viber", "--port", "0", "--journal", "journal")
    with running(tmp_path, *options) as url:
        result = await sent(url, "3100")
        sentence = await asyncio.to_thread(failing, tmp_path, *options)
        assert sentence == "journal is in use by another process."
    with running(tmp_path, *options) as url:
        await asyncio.to_thread(asked, f"{url}/admin/time", {"advance": "60s"})
        shown = await asyncio.to_thread(asked, f"{url}/admin/phones/{NUMBER}")
        assert [each["token"] for each in shown["messages"]] == [result.token]  # type: ignore[index]


def test_what_stops_the_start(tmp_path: Path) -> None:
    sentence = failing(tmp_path, "simulate", "viber", "--journal", str(tmp_path))
    assert sentence == f"The journal {tmp_path} cannot be used: Is a directory."
    sentence = failing(tmp_path, "simulate", "viber", "--host", "192.0.2.1")
    assert sentence == "The simulator cannot listen at 192.0.2.1:8090: Cannot assign requested address."


# --- the SMS centre --------------------------------------------------------------------------------------------------


async def test_it_lets_everybody_bind_and_tells_what_became_of_a_message(tmp_path: Path) -> None:
    with running(tmp_path, "simulate", "sms", "--port", "0") as url:
        parts = urlsplit(url)
        assert (parts.scheme, parts.hostname) == ("smpp", "127.0.0.1")
        assert parts.port is not None
        store = Store()
        async with bound(parts.port, store, system_id="anybody", password="any") as provider:
            results = [await provider.send(short_message(to=to), NOW) for to in ("380501234500", "380501234571")]
            await until(lambda: len(store.taken) == 2)
        assert {receipt.token: str(receipt.status) for receipt in store.taken} == dict(
            zip([result.token for result in results], ["delivered", "undelivered"], strict=True)
        )
    assert "bind to" in (tmp_path / "stderr").read_text()


async def test_its_journal_keeps_what_is_to_be_told(tmp_path: Path) -> None:
    options = ("simulate", "sms", "--port", "0", "--journal", "journal")
    store = Store(failures=1)
    with running(tmp_path, *options) as url:
        async with bound(urlsplit(url).port or 0, store) as provider:
            result = await provider.send(short_message(to="380501234500"), NOW)
            await until(lambda: store.failures == 0)
        sentence = await asyncio.to_thread(failing, tmp_path, *options)
        assert sentence == "journal is in use by another process."
    with running(tmp_path, *options) as url:
        async with bound(urlsplit(url).port or 0, store):
            await until(lambda: store.taken)
    assert [receipt.token for receipt in store.taken] == [result.token]


def test_what_stops_the_start_of_the_sms_centre(tmp_path: Path) -> None:
    sentence = failing(tmp_path, "simulate", "sms", "--journal", str(tmp_path))
    assert sentence == f"The journal {tmp_path} cannot be used: Is a directory."
    sentence = failing(tmp_path, "simulate", "sms", "--host", "192.0.2.1")
    assert sentence == "The simulator cannot listen at 192.0.2.1:2775: Cannot assign requested address."
