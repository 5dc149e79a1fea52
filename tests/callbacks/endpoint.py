"""A customer's endpoint: a real HTTP server on loopback that answers as the test says, and remembers who called."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What came."""

    line: str
    headers: dict[str, str]
    body: bytes


class Endpoint:
    """Where it listens, and what came."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.connections = 0
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook?a=1"


def answering(status: int, body: bytes = b"", *headers: str) -> Answer:
    """Answer with a status, a body and a connection that stays open."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        length = [] if status == 204 else [f"Content-Length: {len(body)}"]
        head = "\r\n".join([f"HTTP/1.1 {status} Said", *length, *headers])
        writer.write(head.encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


async def silence(_writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def reset(writer: asyncio.StreamWriter) -> None:
    """Cut the connection off."""
    writer.transport.abort()


@asynccontextmanager
async def listening(answer: Answer, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Endpoint]:
    """Run an endpoint."""
    open_: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        endpoint.connections += 1
        try:
            while request := await _read(reader):
                endpoint.requests.append(request)
                await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller went away
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        open_.add(task)
        task.add_done_callback(open_.discard)

    server = await asyncio.start_server(begin, host, port)
    endpoint = Endpoint(f"[{host}]" if ":" in host else host, server.sockets[0].getsockname()[1])
    try:
        yield endpoint
    finally:
        server.close()
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *fields = head.decode().removesuffix("\r\n\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(line=line, headers=headers, body=body)
