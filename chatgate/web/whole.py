"""A whole answer, sent in one write.

ASGI takes an answer in two messages, and uvicorn writes each as it comes: two system calls and two packets where one
does. The gateway's answers are small and ready when they are sent, so its server has an extension: what stands in the
scope under ``scope["extensions"][WHOLE]["send"]`` sends an ``HttpResponse`` at one stroke.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from chatgate.wire import HttpResponse

WHOLE = "chatgate.whole"
"""Name of the ASGI extension."""

Whole = Callable[[HttpResponse], Awaitable[None]]

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


def written(answer: HttpResponse, *, close: bool, bodiless: bool = False) -> bytes:
    """Return the bytes of an answer. ``close``: it is the last of its connection; ``bodiless``: to a ``HEAD``.

    Raises ValueError for a header that would be more than one line.
    """
    fields = "".join([f"{name}: {value}\r\n" for name, value in answer.headers.items()])
    if fields.count("\n") != len(answer.headers) or fields.count("\r") != len(answer.headers):
        raise ValueError("A header of an answer holds a line break.")
    end = "connection: close\r\n\r\n" if close else "\r\n"
    head = f"{_STATUS_LINES[answer.status]}{fields}content-length: {len(answer.body)}\r\n{end}"
    return head.encode("latin-1", "replace") + (b"" if bodiless else answer.body)
