"""How long a peer may take: for a request, between requests, and to read its answer."""

from __future__ import annotations

import asyncio

import pytest

from tests.web.raw_http import CHUNKED, GET, PATIENCE, POST, check_refusal, edge


@pytest.mark.parametrize(
    "begun",
    [
        b"G",
        GET,
        GET + b"X: ",
        POST + b"Content-Length: 2\r\n\r\nb",
        CHUNKED + b"1\r\nb\r\n",
        GET + b"\r\n" + GET,
        POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nb",
    ],
)
async def test_a_request_must_be_whole_in_time(begun: bytes) -> None:
    async with edge(receive_seconds=0.05) as it, it.peer() as peer:
        await peer.send(begun)
        if begun.count(b"GET") == 2:
            assert (await peer.reply()).status == 200
        check_refusal(await peer.reply(), 408, "RequestTimeout")
        assert await peer.rest() == b""


async def test_a_slow_drip_does_not_prolong_the_time() -> None:
    async with edge(receive_seconds=0.1) as it, it.peer() as peer:
        reply = asyncio.create_task(peer.reply())
        await peer.send(GET + b"X: ")
        while not reply.done():
            await peer.send(b"x")
            await asyncio.sleep(0.01)
        check_refusal(await reply, 408, "RequestTimeout")


async def test_every_request_of_a_connection_has_its_own_time() -> None:
    async with edge(receive_seconds=0.1) as it, it.peer() as peer:
        for _ in range(4):
            await peer.send(POST + b"Content-Length: 2\r\n\r\nb")
            await asyncio.sleep(0.05)
            await peer.send(b"b")
            assert (await peer.reply()).status == 200


async def test_idle_time_is_not_time_of_the_next_request() -> None:
    async with edge(receive_seconds=0.1, idle_seconds=60) as it, it.peer() as peer:
        await asyncio.sleep(0.2)
        await peer.send(POST + b"Content-Length: 2\r\n\r\nb")
        await asyncio.sleep(0.05)
        await peer.send(b"b")
        assert (await peer.reply()).status == 200


@pytest.mark.parametrize("path", [b"/wait", b"/hold"])
async def test_time_of_the_application_is_not_the_peers(path: bytes) -> None:
    """``/hold`` does not read its body until later, so that the peer cannot send all of it."""
    async with edge(receive_seconds=0.05, idle_seconds=0.05) as it, it.peer() as peer:
        head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" % path
        sending = asyncio.create_task(peer.send(head + b"b" * 1_000_000))
        await it.app.called(path.decode())
        await asyncio.sleep(0.15)
        it.app.gate.set()
        assert len((await peer.reply()).json["body"]) == 1_000_000
        await sending
        await peer.send(GET + b"\r\n")
        assert (await peer.reply()).status == 200


@pytest.mark.parametrize("before", [b"", b"\r\n\r\n", GET + b"\r\n"])
async def test_closes_an_idle_connection_without_a_word(before: bytes) -> None:
    async with edge(idle_seconds=0.05, receive_seconds=0.05) as it, it.peer() as peer:
        await peer.send(before)
        if before.startswith(b"GET"):
            assert (await peer.reply()).status == 200
        assert await peer.rest() == b""


async def test_idle_time_begins_again_with_every_answer() -> None:
    async with edge(idle_seconds=0.1, receive_seconds=0.05) as it, it.peer() as peer:
        for _ in range(6):
            await peer.send(GET + b"\r\n")
            assert (await peer.reply()).status == 200
            await asyncio.sleep(0.03)


async def test_drops_a_peer_that_does_not_read_its_answer() -> None:
    async with edge(idle_seconds=0.1, receive_seconds=0.05) as it, it.peer() as peer:
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        request = POST + b"Content-Length: 1000000\r\n\r\n" + b"b" * 1_000_000
        async with asyncio.timeout(PATIENCE):
            await peer.send_until_reset(request * 40)
