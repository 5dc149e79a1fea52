"""One post, over real sockets: what counts as heard, and what no endpoint can do to us."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator

import pytest
from standardwebhooks import Webhook

from chatgate.callbacks import guard, signature
from chatgate.callbacks.delivery import LARGEST_ANSWER, Delivery, Hearing
from tests.callbacks.endpoint import Answer, answering, listening, reset, silence

BODY = b'[{"MessageId":"1","Status":"Sent"}]'
WITHIN = 4.0
"""Seconds; long, where nothing waits for it."""


@pytest.fixture
async def delivery() -> AsyncIterator[Delivery]:
    delivery = Delivery(guard.is_loopback, within=WITHIN)
    yield delivery
    await delivery.close()


@pytest.fixture
async def hasty() -> AsyncIterator[Delivery]:
    """Waits for no answer longer than a twentieth of a second."""
    delivery = Delivery(guard.is_loopback, within=0.05)
    yield delivery
    await delivery.close()


async def post_to(delivery: Delivery, answer: Answer) -> Hearing:
    async with listening(answer) as endpoint:
        hearing = await asyncio.wait_for(delivery.post(endpoint.url, BODY, {}), 2 * WITHIN)
        assert len(endpoint.requests) == 1
        return hearing


# --- what counts as heard --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'{"code":0,"msg":"Success"}',
        b'{"code":"0"}',
        b'{"Code":0}',
        b'{"msg":"no code"}',
        b"{}",
        b"",
        b"OK",
        b"<html>",
        b"[1]",
        b"1",
        b"null",
        b'"code"',
        b'{"code":1',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("status", [200, 202])
async def test_heard(delivery: Delivery, status: int, body: bytes) -> None:
    assert await post_to(delivery, answering(status, body)) == Hearing(heard=True, reached=True, reason="")


async def test_heard_without_content(delivery: Delivery) -> None:
    assert (await post_to(delivery, answering(204))).heard


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"code":1}', "1"),
        (b'{"code":"1"}', "1"),
        (b'{"code":500,"msg":"busy"}', "500"),
        (b'{"Code":"Failed"}', "Failed"),
        (b'{"code":null}', "None"),
        (b'{"code":"%s"}' % (b"x" * 1000), "x" * 40),
    ],
)
async def test_another_code(delivery: Delivery, body: bytes, code: str) -> None:
    hearing = await post_to(delivery, answering(200, body))
    assert hearing == Hearing(heard=False, reached=True, reason=f"The endpoint answered code {code}.")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 400, 401, 404, 410, 429, 500, 502, 503, 504])
async def test_another_status(delivery: Delivery, status: int) -> None:
    hearing = await post_to(delivery, answering(status, b'{"code":0}'))
    assert hearing == Hearing(heard=False, reached=True, reason=f"The endpoint answered HTTP {status}.")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(delivery: Delivery, status: int) -> None:
    async with listening(answering(200)) as inside:
        assert not (await post_to(delivery, answering(status, b"", f"Location: {inside.url}"))).heard
        assert inside.connections == 0


# --- what does not answer --------------------------------------------------------------------------------------------


async def test_silence(hasty: Delivery) -> None:
    hearing = await post_to(hasty, silence)
    assert hearing == Hearing(heard=False, reached=False, reason="No answer within 0.05 seconds.")


async def drip(writer: asyncio.StreamWriter) -> None:
    """A body that never ends, a byte at a time."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def drip_head(writer: asyncio.StreamWriter) -> None:
    """Header lines without end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("answer", [drip, drip_head])
async def test_a_drip_does_not_prolong_the_time(hasty: Delivery, answer: Answer) -> None:
    assert not (await post_to(hasty, answer)).heard


async def cut_off(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
    await writer.drain()
    writer.close()


async def rubbish(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
    await writer.drain()


async def endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X: %s\r\n" % (b"y" * 10_000))
        await writer.drain()


@pytest.mark.parametrize("answer", [reset, cut_off, rubbish, endless_head])
async def test_broken(delivery: Delivery, answer: Answer) -> None:
    hearing = await post_to(delivery, answer)
    assert (hearing.heard, hearing.reached) == (False, False)
    assert hearing.reason.startswith("The connection broke: ")


async def test_nobody_listens(delivery: Delivery) -> None:
    async with listening(silence) as endpoint:
        pass
    hearing = await delivery.post(endpoint.url, BODY, {})
    assert (hearing.heard, hearing.reached) == (False, False)
    assert hearing.reason == "No connection: ClientConnectorError."


async def test_no_tls(hasty: Delivery) -> None:
    async with listening(rubbish) as endpoint:
        hearing = await hasty.post(endpoint.url.replace("http:", "https:"), BODY, {})
    assert (hearing.heard, hearing.reached) == (False, False)


@pytest.mark.parametrize(
    "url",
    ["", "/hook", "http://", "http://[::1", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", f"http://{'a' * 64}/"],
)
async def test_what_is_no_url_is_an_answer_too(delivery: Delivery, url: str) -> None:
    """Checked when it was set; should it come here all the same, it is listed, not raised."""
    hearing = await delivery.post(url, BODY, {})
    assert (hearing.heard, hearing.reached) == (False, False)


# --- answers that are too much ---------------------------------------------------------------------------------------


async def flood(writer: asyncio.StreamWriter) -> None:
    """Ten gigabytes, if anybody wants them."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    sent = 0
    while sent < 10_000_000_000:
        writer.write(b"x" * 65_536)
        await writer.drain()
        sent += 65_536
    raise AssertionError("somebody did")


async def test_a_flood_is_read_no_further_than_needed(delivery: Delivery) -> None:
    assert await post_to(delivery, flood) == Hearing(heard=True, reached=True, reason="")


@pytest.mark.parametrize("size", [LARGEST_ANSWER, 10_000_000])
async def test_ten_megabytes(delivery: Delivery, size: int) -> None:
    assert (await post_to(delivery, answering(200, b"x" * size))).heard


async def test_a_gzip_bomb_is_not_unpacked(delivery: Delivery) -> None:
    bomb = gzip.compress(b'{"code":1,"x":"' + b"x" * 50_000_000)
    assert len(bomb) < LARGEST_ANSWER
    assert (await post_to(delivery, answering(200, bomb, "Content-Encoding: gzip"))).heard


async def test_nothing_is_unpacked(delivery: Delivery) -> None:
    """It was not asked for; so its code is not read either."""
    packed = gzip.compress(b'{"code":1}')
    assert (await post_to(delivery, answering(200, packed, "Content-Encoding: gzip"))).heard


async def test_cookies_are_not_kept(delivery: Delivery) -> None:
    """Of a name: those of an address would not be kept anyway."""
    async with listening(answering(200, b"", "Set-Cookie: a=b; Path=/")) as endpoint:
        for _ in range(2):
            assert (await delivery.post(f"http://localhost:{endpoint.port}/", BODY, {})).heard
        assert ["cookie" in request.headers for request in endpoint.requests] == [False, False]


# --- what the endpoint sees ------------------------------------------------------------------------------------------


async def test_what_is_sent(delivery: Delivery) -> None:
    secret = bytes(range(32))
    signed = signature.headers(secret, "msg_1", int(time.time()), BODY)
    async with listening(answering(200)) as endpoint:
        for _ in range(3):
            assert (await delivery.post(endpoint.url, BODY, signed)).heard
        assert endpoint.connections == 1  # kept open
        request = endpoint.requests[0]
    assert request.line == "POST /hook?a=1 HTTP/1.1"
    assert request.body == BODY
    assert request.headers == {
        "host": f"127.0.0.1:{endpoint.port}", "user-agent": "chatgate", "accept": "*/*",
        "accept-encoding": "identity", "content-type": "application/json;charset=utf-8",
        "content-length": str(len(BODY)), **signed,
    }  # fmt: skip
    assert Webhook(signature.as_text(secret)).verify(request.body, request.headers) == [
        {"MessageId": "1", "Status": "Sent"}
    ]


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(answering(200)) as proxy, listening(answering(200)) as endpoint:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        delivery = Delivery(guard.is_loopback, within=WITHIN)
        assert (await delivery.post(endpoint.url, BODY, {})).heard
        await delivery.close()
        assert (proxy.connections, endpoint.connections) == (0, 1)
