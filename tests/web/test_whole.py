from __future__ import annotations

import gc

import pytest

from chatgate.web.whole import written
from chatgate.wire import HttpResponse
from tests.web.raw_http import GET, POST, Echo, edge


def answer(**headers: str) -> HttpResponse:
    return HttpResponse(status=200, headers=headers, body=b"body")


def test_written() -> None:
    assert written(answer(a="b", c="d"), close=False) == (
        b"HTTP/1.1 200 OK\r\na: b\r\nc: d\r\ncontent-length: 4\r\n\r\nbody"
    )
    assert written(answer(), close=True) == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody"
    assert written(answer(), close=False, bodiless=True) == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"


def test_what_latin_1_lacks_is_a_question_mark() -> None:
    assert b"a: \xe9?\r\n" in written(answer(a="é中"), close=False)


@pytest.mark.parametrize("value", ["b\r\nc: d", "b\nc: d", "b\rc: d", "\r\n\r\n"])
def test_refuses_a_header_of_two_lines(value: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        written(answer(a=value), close=False)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Echo, "whole", True)


@pytest.mark.usefixtures("whole")
async def test_no_body_for_head() -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        head = await peer.rest()
        assert head.endswith(b"\r\n\r\n")
        assert b"content-length: 0" not in head


@pytest.mark.usefixtures("whole")
async def test_nothing_is_continued_that_was_answered() -> None:
    async with edge() as it, it.peer() as peer:
        await peer.send(POST.replace(b"/", b"/unread", 1) + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert (await peer.reply()).status == 200
        await peer.send(b"abc" + GET + b"\r\n")
        assert (await peer.reply()).json["path"] == "/"


@pytest.mark.usefixtures("whole")
async def test_nothing_is_said_to_a_peer_that_left() -> None:
    async with edge() as it:
        async with it.peer() as peer:
            await peer.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            await it.app.called("/wait")
        it.app.gate.set()
        assert (await it.ask(GET + b"\r\n")).status == 200


@pytest.mark.usefixtures("whole")
async def test_requests_leave_nothing_for_the_collector() -> None:
    """A cycle for each request would double what an answer costs."""
    async with edge() as it, it.peer() as peer:
        left = []
        for _ in range(2):
            gc.collect()
            gc.disable()
            try:
                for _ in range(50):
                    await peer.send(GET + b"\r\n")
                    assert (await peer.reply()).status == 200
                left.append(gc.collect())
            finally:
                gc.enable()
        assert left[-1] < 50
