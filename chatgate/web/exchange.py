"""One request and its answer: uvicorn's cycle, for requests that are whole when the application asks for them.

uvicorn makes an event, a buffer and a dozen attributes for each request, in case it arrives in pieces. Hardly any does:
here what is the same for all stands on the class, and an event is made when somebody has to wait.
"""

from __future__ import annotations

import asyncio

from uvicorn._types import ASGIReceiveEvent, HTTPScope
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle


class Exchange(RequestResponseCycle):
    """Made when the headers are there; ``take`` and ``end`` bring the body."""

    body: bytes | bytearray = b""  # type: ignore[assignment]
    more_body = True
    disconnected = False
    response_started = False
    response_complete = False
    chunked_encoding = None
    expected_content_length = 0
    access_log = False
    _event: asyncio.Event | None = None
    _told = False
    """Whether the application has the whole request; from then on it can only wait for the peer to leave."""

    def __init__(
        self, connection: HttpToolsProtocol, scope: HTTPScope, *, keep_alive: bool, expects_continue: bool
    ) -> None:
        self.scope = scope
        self.transport = connection.transport
        self.flow = connection.flow
        self.logger = connection.logger
        self.default_headers = connection.server_state.default_headers
        self.on_response = connection.on_response_complete
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = expects_continue

    @property
    def message_event(self) -> asyncio.Event:  # type: ignore[override]
        """Set when there is something for the application to receive."""
        if self._event is None:
            self._event = asyncio.Event()
            if self.body or self.disconnected or not (self.more_body or self._told):
                self._event.set()
        return self._event

    def take(self, piece: bytes) -> None:
        """Take a piece of the body that has arrived."""
        if self.response_complete:
            return
        self.body = self.body or bytearray()  # grows in place, however small the pieces are
        self.body += piece
        if len(self.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.wake()

    def end(self) -> None:
        """The request is whole."""
        self.more_body = False
        self.wake()

    def wake(self) -> None:
        """Tell the application, if it waits, that something has happened."""
        if self._event is not None:
            self._event.set()

    async def receive(self) -> ASGIReceiveEvent:
        if self.more_body or self._told or self.disconnected or self.response_complete or self.waiting_for_100_continue:
            message = await super().receive()
            self._told = not self.more_body
            return message
        self._told = True
        self.flow.resume_reading()
        body, self.body = bytes(self.body), b""
        return {"type": "http.request", "body": body, "more_body": False}
