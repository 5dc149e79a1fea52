"""The partner over HTTP: ``POST /vibersrvc/1/send_message``, ``GET /healthz``, and the admin side under ``/admin/``."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from chatgate.simulators.viber.admin import admin_app
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.server import RESET_EXTENSION

SEND_PATH = "/vibersrvc/1/send_message"
BODY_LIMIT = 256 * 1024
"""Bytes. A longer body is not JSON to us (status 3)."""

_JSON_HEADER = (b"content-type", b"application/json")


def app(partner: ViberPartner) -> ASGIApp:
    """Return the ASGI application of a partner. Starting and stopping the partner is the caller's."""
    admin = admin_app(partner)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope.get("path", ""), scope.get("method", "")
        if path == SEND_PATH and method == "POST":
            await _send_message(partner, scope, receive, send)
        elif path == "/healthz" and method in ("GET", "HEAD"):
            await _respond(send, 200, b'{"status":"ok"}')
        elif scope["type"] == "lifespan" or path.startswith("/admin/"):
            await admin(scope, receive, send)
        else:
            await _respond(send, 404, b'{"error":"not found"}')

    return application


async def _send_message(partner: ViberPartner, scope: Scope, receive: Receive, send: Send) -> None:
    body = await _read(receive)
    if body is None:
        return
    peer = scope["client"][0] if scope.get("client") else ""
    answer = await partner.send(body, peer, lambda: _disconnected(receive))
    if answer.status:
        await _respond(send, answer.status, answer.body)
    else:
        _reset(scope)
        await _disconnected(receive)


async def _read(receive: Receive) -> bytes | None:
    """Return the body, cut off soon after the limit; ``None`` if the caller went away."""
    body = b""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        if len(body) <= BODY_LIMIT:
            body += event.get("body", b"")
        if not event.get("more_body", False):
            return body if len(body) <= BODY_LIMIT else b""


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _reset(scope: Scope) -> None:
    extension = scope.get("extensions", {}).get(RESET_EXTENSION)
    if extension is None:
        raise ConnectionResetError("this server cannot reset a connection; failing the request instead")
    extension["reset"]()


async def _respond(send: Send, status: int, body: bytes) -> None:
    headers = [_JSON_HEADER, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
