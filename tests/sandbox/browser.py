"""Asks the sandbox's routes in memory, as a browser or a program would over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    json: Any

    @property
    def ids(self) -> list[str]:
        return [message["message_id"] for message in self.json["messages"]]


class Browser:
    """Asks one application; ``headers`` replace those that are sent always, None leaves one out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(
        self,
        path: str,
        headers: Mapping[str, str | None] | None = None,
        query: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes | None = b"",
    ) -> Page:
        """Ask for a page. A ``body`` of None breaks off before it came."""
        given = {"host": "127.0.0.1:8080"} | dict(headers or {})
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": urlencode(query or {}).encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value is not None],
            "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8080),
        }  # fmt: skip
        sent: list[Message] = []

        async def receive() -> Message:
            if body is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return Page(sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:])))
