from __future__ import annotations

from contextlib import AsyncExitStack, suppress

from chatgate.web.unfinished import MOST_BYTES, Unfinished
from tests.web.raw_http import GET, POST, edge


class Peers:
    def __init__(self, most: int) -> None:
        self.account = Unfinished(most)
        self.gone: list[str] = []
        self._names = {name: lambda name=name: self.gone.append(name) for name in "abc"}

    def add(self, name: str, size: int) -> list[str]:
        self.account.add(self._names[name], size)
        return self.gone

    def forget(self, name: str) -> None:
        self.account.forget(self._names[name])


def test_the_oldest_goes() -> None:
    peers = Peers(10)
    assert peers.add("a", 4) == peers.add("b", 6) == []
    assert peers.add("b", 1) == ["a"]
    assert peers.add("c", 3) == ["a"]
    assert peers.add("c", 1) == ["a", "b"]


def test_as_many_go_as_must() -> None:
    peers = Peers(10)
    peers.add("a", 5)
    peers.add("b", 5)
    assert peers.add("c", 10) == ["a", "b"]


def test_one_alone_may_be_too_much() -> None:
    peers = Peers(10)
    assert peers.add("a", 11) == ["a"]
    assert peers.add("b", 10) == ["a"]


def test_what_is_whole_counts_no_more_and_begins_anew() -> None:
    peers = Peers(10)
    peers.add("a", 9)
    peers.forget("a")
    peers.forget("a")
    peers.add("b", 6)
    assert peers.add("a", 4) == []
    assert peers.add("a", 1) == ["b"]


async def test_who_began_first_makes_room() -> None:
    """Those who are refused are told so; whoever is quick is not."""
    begun = POST + b"Content-Length: 1000000\r\n\r\n" + b"b" * 999_999
    async with edge() as it, AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(it.peer()) for _ in range(MOST_BYTES // 1_000_000 + 3)]
        for peer in peers:
            await peer.send(begun)
            assert (await it.ask(GET + b"\r\n")).status == 200  # by then it has been read
        for peer in peers:
            with suppress(ConnectionError):
                await peer.send(b"b")
        statuses = [(await peer.reply()).status for peer in peers]
    assert statuses == [503] * statuses.count(503) + [200] * statuses.count(200)
    assert 3 <= statuses.count(503) <= 4
