"""The server of empty replies: the product's own HTTP server, an application that answers a constant.

Prints ``empty ready URL`` when it serves. The answer is as long as that of an accepted call.
"""

from __future__ import annotations

import asyncio
import gc

import uvloop

from chatgate.web.app import Receive, Scope, Send
from chatgate.web.server import Server

_BODY = (
    b'{"RequestId":"0F5A2C5B-6E2B-4E2A-9B55-4B4E2B7B7A10","Code":"OK","Message":"OK",'
    b'"MessageId":"0123456789abcdef01234567"}'
)
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json;charset=utf-8"),
        (b"x-acs-request-id", b"0F5A2C5B-6E2B-4E2A-9B55-4B4E2B7B7A10"),
        (b"content-length", str(len(_BODY)).encode()),
    ],
}


async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(_START)
    await send({"type": "http.response.body", "body": _BODY})


async def serve() -> None:
    server = Server(answer)
    await server.start()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # as the product's node does
    print(f"empty ready {server.url}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
