"""The server of empty replies: the product's own HTTP server, an application that answers a constant.

As any ASGI application does, in two messages; with ``whole`` as an argument as the product's own application does, in
one write (``web.whole``). Prints ``empty ready URL`` when it serves. The answer is as long as that of an accepted call.
"""

from __future__ import annotations

import asyncio
import gc
import sys

import uvloop

from chatgate.web.app import Receive, Scope, Send
from chatgate.web.server import Server
from chatgate.web.whole import WHOLE
from chatgate.wire import HttpResponse

_BODY = (
    b'{"RequestId":"0F5A2C5B-6E2B-4E2A-9B55-4B4E2B7B7A10","Code":"OK","Message":"OK",'
    b'"MessageId":"0123456789abcdef01234567"}'
)
_HEADERS = {
    "content-type": "application/json;charset=utf-8",
    "x-acs-request-id": "0F5A2C5B-6E2B-4E2A-9B55-4B4E2B7B7A10",
}
_LENGTH = (b"content-length", str(len(_BODY)).encode())
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [*((name.encode(), value.encode()) for name, value in _HEADERS.items()), _LENGTH],
}
_ANSWER = HttpResponse(status=200, headers=_HEADERS, body=_BODY)


async def answer_whole(scope: Scope, _receive: Receive, _send: Send) -> None:
    await scope["extensions"][WHOLE]["send"](_ANSWER)


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(_START)
    await send({"type": "http.response.body", "body": _BODY})


async def serve() -> None:
    server = Server(answer_whole if "whole" in sys.argv[1:] else answer)
    await server.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as the product's node does
    print(f"empty ready {server.url}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
