from __future__ import annotations

import asyncio
import socket
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from chatgate.web.bounded import BODY_BYTES, HEADER_BYTES, HEADERS, TARGET_BYTES, WAITING_REQUESTS
from chatgate.web.farewell import LINGER_BYTES
from chatgate.web.unfinished import MOST_BYTES
from tests.web.raw_http import CHUNKED, GET, PATIENCE, POST, check_refusal, edge


def header_lines(size: int) -> bytes:
    """Header lines of exactly ``size`` bytes, Host among them."""
    host = b"Host: a\r\n"
    return host + b"X: " + b"x" * (size - len(host) - len(b"X: \r\n")) + b"\r\n"


def numbered(count: int) -> bytes:
    return b"".join(b"X-%d: x\r\n" % i for i in range(count))


def target(size: int) -> bytes:
    return b"/?" + b"a" * (size - 2)


def chunks(size: int, *, chunk: int = 50_000) -> bytes:
    whole, rest = divmod(size, chunk)
    return (
        (b"%x\r\n%s\r\n" % (chunk, b"b" * chunk)) * whole
        + (b"%x\r\n%s\r\n" % (rest, b"b" * rest) if rest else b"")
        + b"0\r\n\r\n"
    )


TOO_LONG = (414, "RequestTargetTooLong")
HEADERS_TOO_LARGE = (431, "RequestHeadersTooLarge")
BODY_TOO_LARGE = (413, "RequestBodyTooLarge")
INVALID = (400, "InvalidRequest")

REFUSED = {
    "garbage": (b"\x00\xff\x00\xff garbage\r\n\r\n", INVALID),
    "TLS to a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", INVALID),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", INVALID),
    "HTTP/0.9": (b"GET /\r\n\r\n", INVALID),
    "unknown version": (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", INVALID),
    "lower-case method": (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", INVALID),
    "no Host": (b"GET / HTTP/1.1\r\nX: a\r\n\r\n", INVALID),
    "two Hosts": (GET + b"Host: a\r\n\r\n", INVALID),
    "bare LF after the request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", INVALID),
    "bare LF after a header": (GET + b"X: a\nY: b\r\n\r\n", INVALID),
    "NUL in a header": (GET + b"X: a\0b\r\n\r\n", INVALID),
    "space before the colon": (GET + b"X : a\r\n\r\n", INVALID),
    "folded header": (GET + b"X: a\r\n b\r\n\r\n", INVALID),
    "transfer encoding and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", INVALID),
    "length and transfer encoding": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", INVALID),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", INVALID),
    "signed length": (POST + b"Content-Length: +3\r\n\r\nabc", INVALID),
    "length of 5,000 zeros": (POST + b"Content-Length: " + b"0" * 5000 + b"\r\n\r\n", INVALID),
    "gzip as a transfer coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", INVALID),
    "chunk size that is none": (CHUNKED + b"zz\r\n", INVALID),
    "target with a raw é": (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", INVALID),
    "target of another scheme": (b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", INVALID),
    "target with user": (b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", INVALID),
    "target without authority": (b"GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", INVALID),
    "CONNECT": (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", (405, "UnsupportedHTTPMethod")),
    "CONNECT with an upgrade": (
        b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        (405, "UnsupportedHTTPMethod"),
    ),
    "target of 1 MB and a byte": (b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % target(TARGET_BYTES + 1), TOO_LONG),
    "headers of 32 kB and a byte": (
        b"GET / HTTP/1.1\r\n" + header_lines(HEADER_BYTES + 1) + b"\r\n",
        HEADERS_TOO_LARGE,
    ),
    "long target, long headers": (
        b"GET %s HTTP/1.1\r\n%s\r\n" % (target(100_000), header_lines(HEADER_BYTES + 1)),
        HEADERS_TOO_LARGE,
    ),
    "101 headers": (GET + numbered(HEADERS) + b"\r\n", HEADERS_TOO_LARGE),
    "2,000 headers": (GET + numbered(2000) + b"\r\n", HEADERS_TOO_LARGE),
    "2,000 headers and no end": (GET + numbered(2000), HEADERS_TOO_LARGE),
    "header line without end": (GET + b"X: " + b"x" * 2 * HEADER_BYTES, HEADERS_TOO_LARGE),
    "header name without end": (GET + b"x" * 2 * HEADER_BYTES, HEADERS_TOO_LARGE),
    "length over 1 MB": (POST + b"Content-Length: %d\r\n\r\n" % (BODY_BYTES + 1), BODY_TOO_LARGE),
    "length over 1 MB, polite": (
        POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES + 1),
        BODY_TOO_LARGE,
    ),
    "chunks over 1 MB": (CHUNKED + chunks(BODY_BYTES + 1), BODY_TOO_LARGE),
    "chunk extension without end": (CHUNKED + b"1;" + b"x" * 3 * BODY_BYTES, BODY_TOO_LARGE),
    "chunk that is none, polite": (POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", INVALID),
    "trailers without end": (CHUNKED + b"0\r\n" + b"X: x\r\n" * (BODY_BYTES // 2), BODY_TOO_LARGE),
}


@pytest.mark.parametrize("piece", [1 << 30, 8191])
@pytest.mark.parametrize("name", REFUSED)
async def test_refuses_in_the_error_envelope_and_closes(name: str, piece: int) -> None:
    data, (status, code) = REFUSED[name]
    async with edge() as it, it.peer() as peer:
        sending = asyncio.create_task(peer.send(data, piece=piece))
        check_refusal(await peer.reply(), status, code)
        assert await peer.rest() == b""
        sending.cancel()
        # The application may have begun to read a body, but a refused call never reaches its end.
        assert len(it.app.calls) == it.app.disconnects


ACCEPTED: dict[str, tuple[bytes, dict[str, Any]]] = {
    "plain": (GET + b"\r\n", {"method": "GET", "path": "/", "version": "1.1", "headers": [["host", "a"]]}),
    "empty lines first": (b"\r\n\r\n" + GET + b"\r\n", {"path": "/"}),
    "HTTP/1.0 without Host": (b"GET /x HTTP/1.0\r\n\r\n", {"path": "/x", "version": "1.0", "headers": []}),
    "empty Host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", {"headers": [["host", ""]]}),
    "absolute form": (
        b"GET http://b:80/x%20y?q=1#f HTTP/1.1\r\nHost: a\r\n\r\n",
        {"path": "/x y", "query": "q=1", "headers": [["host", "b:80"]]},
    ),
    "absolute form without path": (b"GET HTTPS://b HTTP/1.1\r\nHost: a\r\n\r\n", {"path": "/", "query": ""}),
    "absolute form with query only": (b"GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n", {"path": "/", "query": "q"}),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", {"method": "OPTIONS", "path": "*"}),
    "target of 1 MB": (
        b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % target(TARGET_BYTES),
        {"path": "/", "query": "a" * (TARGET_BYTES - 2)},
    ),
    "path of 100 kB": (
        b"GET /%s?q#f HTTP/1.1\r\nHost: a\r\n\r\n" % (b"%20" * 33_000),
        {"path": "/" + " " * 33_000, "query": "q"},
    ),
    "headers of 32 kB": (b"GET / HTTP/1.1\r\n" + header_lines(HEADER_BYTES) + b"\r\n", {"path": "/"}),
    "1 MB target, 32 kB headers, 1 MB body": (
        b"POST %s HTTP/1.1\r\n%s\r\n%s"
        % (
            target(TARGET_BYTES),
            header_lines(HEADER_BYTES - 25) + b"Content-Length: 1048576\r\n",
            b"b" * BODY_BYTES,
        ),
        {"body": "b" * BODY_BYTES},
    ),
    "100 headers": (GET + numbered(HEADERS - 1) + b"\r\n", {"path": "/"}),
    "body of 1 MB": (POST + b"Content-Length: 1048576 \r\n\r\n" + b"b" * BODY_BYTES, {"body": "b" * BODY_BYTES}),
    "chunks of 1 MB": (CHUNKED + chunks(BODY_BYTES), {"body": "b" * BODY_BYTES}),
    "tiny chunks": (CHUNKED + chunks(20_000, chunk=1), {"body": "b" * 20_000}),
    "trailers, dropped": (
        CHUNKED + b"1\r\nb\r\n0\r\nHost: b\r\nX: x\r\nUpgrade: h2c\r\n\r\n",
        {"body": "b", "headers": [["host", "a"], ["transfer-encoding", "chunked"]]},
    ),
    "offer of a websocket": (
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        {"path": "/", "headers": [["host", "a"], ["connection", "Upgrade"]]},
    ),
    "offer of HTTP/2 with a body": (
        b"POST /x?y HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
        b"Host: a\r\nContent-Length: 12000\r\n\r\n" + b"b" * 12_000,
        {"method": "POST", "path": "/x", "query": "y", "body": "b" * 12_000},
    ),
    "upgrade that is not asked for": (POST + b"Upgrade: h2c\r\nContent-Length: 1\r\n\r\nb", {"body": "b"}),
}


@pytest.mark.parametrize("piece", [1 << 30, 8191])
@pytest.mark.parametrize("name", ACCEPTED)
async def test_accepts(name: str, piece: int) -> None:
    data, seen = ACCEPTED[name]
    async with edge() as it:
        reply = await it.ask(data, piece=piece)
    assert reply.status == 200
    assert seen.items() <= reply.json.items()


@pytest.mark.parametrize("piece", [1 << 30, 1, 7])
async def test_answers_pipelined_requests_in_their_order(piece: int) -> None:
    stream = (
        b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
        b"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
        b"GET /3 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"
        b"GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    async with edge() as it, it.peer() as peer:
        await peer.send(stream, piece=piece)
        replies = [await peer.reply() for _ in range(4)]
        assert [(reply.json["path"], reply.json["body"]) for reply in replies] == [
            ("/1", "one"),
            ("/2", "two"),
            ("/3", ""),
            ("/4", ""),
        ]
        assert await peer.rest() == b""


@pytest.mark.parametrize(
    ("last", "status", "code"),
    [
        (b"garbage\r\n\r\n", *INVALID),
        (b"GET / HTTP/1.1\r\n\r\n", *INVALID),
        (b"POST /refused HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", *INVALID),
        (b"POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", *BODY_TOO_LARGE),
    ],
)
async def test_answers_what_came_before_a_refused_request_first(last: bytes, status: int, code: str) -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n" + last)
        await it.app.called("/wait")
        await peer.send(GET)  # of no account
        await asyncio.sleep(0.02)
        it.app.gate.set()
        assert [(await peer.reply()).json["path"] for _ in range(2)] == ["/wait", "/2"]
        check_refusal(await peer.reply(), status, code)
        assert await peer.rest() == b""
        assert it.app.calls == ["/wait", "/2"]


async def test_bounds_the_requests_that_wait_on_one_connection() -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + (GET + b"\r\n") * (WAITING_REQUESTS + 1))
        await it.app.called("/wait")
        it.app.gate.set()
        for _ in range(WAITING_REQUESTS + 1):
            assert (await peer.reply()).status == 200
        check_refusal(await peer.reply(), 503, "ServiceUnavailable")


async def test_reads_no_further_while_requests_wait() -> None:
    """Otherwise a peer that pipelines without end would fill the memory."""
    request = b"GET /x HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 30_000 + b"\r\n\r\n"
    async with edge() as it, it.peer() as peer:
        await peer.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await it.app.called("/wait")
        sending = asyncio.create_task(peer.send(request * 700))  # 21 MB, more than sockets buffer
        await asyncio.sleep(0.1)
        assert not sending.done()
        it.app.gate.set()
        for _ in range(701):
            assert (await peer.reply()).status == 200
        await sending


async def test_keeps_the_connection_for_the_next_request() -> None:
    async with edge() as it, it.peer() as peer:
        for body in (b"", b"b" * 9000, b"c", b"d" * BODY_BYTES, b"e" * BODY_BYTES):
            await peer.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert (await peer.reply()).json["body"].encode() == body


async def test_http_1_0_closes_after_the_answer() -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (await peer.reply()).headers["connection"] == "close"
        assert await peer.rest() == b""


async def test_bids_to_continue_when_the_application_reads() -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        assert (await peer.reply()).status == 100
        await peer.send(b"b")
        assert (await peer.reply()).json["body"] == "b"


async def test_cuts_a_huge_header_off_while_it_arrives() -> None:
    size, piece = 50 << 20, 64 << 10
    async with edge() as it, it.peer() as peer:
        reply = asyncio.create_task(peer.reply())
        await peer.send(GET + b"X: ")
        sent = 0
        while sent < size and not reply.done():
            await peer.send(b"x" * piece)
            await asyncio.sleep(0)
            sent += piece
        check_refusal(await reply, *HEADERS_TOO_LARGE)
        assert sent < size / 4


@pytest.mark.parametrize("before", [b"", b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"])
async def test_a_late_answer_survives_what_the_peer_still_sends(before: bytes) -> None:
    """A peer that reads only after it has sent everything finds the answer, not a reset."""
    size = 7 << 20
    async with edge() as it, it.peer() as peer, asyncio.timeout(PATIENCE):
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await peer.send(before + POST + b"Content-Length: %d\r\n\r\n" % size)
        await asyncio.sleep(0.02)
        it.app.gate.set()
        await peer.send(b"b" * size, piece=64 << 10)
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
        if before:
            assert (await peer.reply()).status == 200
        check_refusal(await peer.reply(), *BODY_TOO_LARGE)


async def test_a_peer_that_sends_without_end_after_the_answer_is_cut_off() -> None:
    async with edge() as it, it.peer() as peer, asyncio.timeout(PATIENCE):
        await peer.send(b"garbage\r\n\r\n")
        check_refusal(await peer.reply(), *INVALID)
        await peer.send_until_reset(b"x" * (LINGER_BYTES + (32 << 20)))


async def test_an_application_that_reads_learns_that_the_call_is_refused() -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(CHUNKED + b"1\r\nb\r\n")
        await it.app.called("/")
        await peer.send(b"zz\r\n")
        check_refusal(await peer.reply(), *INVALID)
        assert await peer.rest() == b""
        assert it.app.disconnects == 1


async def test_an_application_that_waits_to_write_is_let_go() -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(GET + b"\r\n")
        await peer.reply()
        (connection,) = it.server._connections
        connection.pause_writing()  # as the transport does while the peer does not read
        await peer.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        await it.app.called("/unread")
        await peer.send(b"zz\r\n")
        check_refusal(await peer.reply(), *INVALID)
        assert await peer.rest() == b""
        assert not [task for task in asyncio.all_tasks() if "run_asgi" in repr(task)]


async def test_never_answers_a_request_twice() -> None:
    """The application has answered without reading; what is wrong with the body can only close the connection."""
    async with edge() as it, it.peer() as peer:
        await peer.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n")
        assert (await peer.reply()).status == 200
        await peer.send(b"zz\r\n")
        assert await peer.rest() == b""


@pytest.mark.parametrize(
    ("data", "host"),
    [(POST + b"Content-Length: 1048577\r\n\r\n", "a"), (b"garbage\r\n\r\n", "127.0.0.1:{port}")],
)
async def test_names_the_host_that_the_peer_called(data: bytes, host: str) -> None:
    async with edge() as it:
        refusal = (await it.ask(data)).json
        assert refusal["HostId"] == host.format(port=it.server.port)
        assert refusal["Recommend"].startswith(f"http://{refusal['HostId']}/")


# --- memory --------------------------------------------------------------------------------------------------------


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize(
    "begun",
    [
        GET + b"X: " + b"x" * 900,
        GET + b"\r\n" + GET + b"X: " + b"x" * 6000,
        POST + b"Content-Length: 3\r\n\r\nbbb" + GET + numbered(500),
    ],
)
async def test_500_slow_peers_cost_little_memory(begun: bytes, traced: None) -> None:
    assert await cost_of(500, begun) < 15 << 20


@pytest.mark.parametrize(
    "begun", [POST + b"Content-Length: 900000\r\n\r\n" + b"b" * 899_000, b"GET /" + b"a" * 899_000]
)
async def test_100_peers_with_all_but_the_end_cost_no_more_than_all_may(begun: bytes, traced: None) -> None:
    assert await cost_of(100, begun) < MOST_BYTES + (15 << 20)


async def cost_of(peers: int, begun: bytes) -> int:
    """Return the bytes that peers hold which begin a request."""
    loop = asyncio.get_running_loop()
    async with edge() as it:
        with ExitStack() as sockets:
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(peers):
                peer = sockets.enter_context(socket.socket())
                peer.setblocking(False)
                await loop.sock_connect(peer, ("127.0.0.1", it.server.port))
                with suppress(ConnectionError):
                    await loop.sock_sendall(peer, begun)
            await asyncio.sleep(0.1)
            after, _ = tracemalloc.get_traced_memory()
    return after - before
