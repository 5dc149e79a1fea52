"""HTTP/1.1 messages cut out of bytes: only what both ends of the bench send, at a cost that the load can bear.

Every message here has a ``Content-Length``; nobody sends chunks.
"""

from __future__ import annotations

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length: "


def size_of_first(data: bytes) -> int:
    """Return the size of the first message in ``data``, 0 while it is not whole.

    Raises ValueError when its head is whole and has no ``content-length``.
    """
    head = data.find(_END_OF_HEAD)
    if head < 0:
        return 0
    _, named, rest = data[:head].lower().partition(_LENGTH)
    if not named:
        raise ValueError(f"no content-length: {data[:head]!r}")
    size = head + len(_END_OF_HEAD) + int(rest.partition(b"\r\n")[0])
    return size if size <= len(data) else 0


def body_of(message: bytes) -> bytes:
    return message[message.index(_END_OF_HEAD) + len(_END_OF_HEAD) :]


def request(method: str, path: str, host: str, body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + _END_OF_HEAD + body


def answer(body: bytes) -> bytes:
    """Return a 200 with JSON."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d" % len(body)
    return head + _END_OF_HEAD + body
