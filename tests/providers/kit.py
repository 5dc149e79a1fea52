"""What every HTTP provider must do, whichever upstream it speaks to.

A provider's test module takes the cases it wants as its own::

    class TestAlways(Always):
        def provider(self, url, reply_timeout=2.0): return build("acme", settings(url, reply_timeout), outbound)

``ACCEPTED`` is a reply that means *sent*; ``SECRETS`` is what no reason may repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest

from chatgate.domain.message import Message, Outcome, SendResult
from chatgate.outbound import Outbound
from chatgate.providers.base import HttpProvider, ProviderSettings, UnreadableReceipt
from chatgate.wire import HttpRequest
from tests.drafts import ACTION, CONTENTS, LINK, NOW, NUMBER, TEXT, draft, message

RECEIPTS_SECRET = "receipts-secret-of-the-kit"

DEEP = b'{"message":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "white space": b"  \r\n",
    "an array": b"[]",
    "a number": b"7",
    "null": b"null",
    "an empty object": b"{}",
    "cut off": b'{"message_token":"1","message_sta',
    "two values": b"{}{}",
    "nested too deep": DEEP,
    "invalid UTF-8": b'{"message_token":"\xff"}',
    "a lone surrogate": b'{"message_token":"\\ud800"}',
    "a form": b"message_token=1&message_status=0",
    "HTML": b"<html><body>hello</body></html>",
}

# HTTP status, headers ▶ outcome, milliseconds that were asked for.
STATUSES: dict[str, tuple[int, dict[str, str], Outcome, int | None]] = {
    "201": (201, {}, Outcome.UNKNOWN, None),
    "204": (204, {}, Outcome.UNKNOWN, None),
    "301": (301, {"location": "http://127.0.0.1:1/"}, Outcome.REFUSED, None),
    "307": (307, {"location": "http://127.0.0.1:1/"}, Outcome.REFUSED, None),
    "400": (400, {}, Outcome.REFUSED, None),
    "401": (401, {}, Outcome.REFUSED, None),
    "403": (403, {}, Outcome.REFUSED, None),
    "404": (404, {}, Outcome.REFUSED, None),
    "413": (413, {}, Outcome.REFUSED, None),
    "429": (429, {}, Outcome.THROTTLED, None),
    "429, seconds": (429, {"retry-after": "7"}, Outcome.THROTTLED, 7000),
    "429, none": (429, {"retry-after": "0"}, Outcome.THROTTLED, 0),
    "429, a date": (429, {"retry-after": "Fri, 31 Dec 2027 23:59:59 GMT"}, Outcome.THROTTLED, None),
    "429, negative": (429, {"retry-after": "-5"}, Outcome.THROTTLED, None),
    "429, nonsense": (429, {"retry-after": "soon"}, Outcome.THROTTLED, None),
    "429, endless": (429, {"retry-after": "9" * 40}, Outcome.THROTTLED, None),
    "500": (500, {}, Outcome.UNKNOWN, None),
    "502": (502, {}, Outcome.UNKNOWN, None),
    "503": (503, {}, Outcome.DEFERRED, None),
    "503, seconds": (503, {"Retry-After": "2"}, Outcome.DEFERRED, 2000),
    "504": (504, {}, Outcome.UNKNOWN, None),
}

# A reply as bytes: not HTTP, or not a whole reply. The request has been read before.
LOST: dict[str, bytes] = {
    "closed without a word": b"",
    "closed in the head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "closed in the body": b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{",
    "a broken chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
    "not HTTP": b"220 mail.example ESMTP\r\n",
}

BODIES: dict[str, bytes] = {
    "empty": b"",
    "HTML": b"<html>hello</html>",
    "an array": b"[]",
    "nested too deep": DEEP,
    "invalid UTF-8": b"\xff\xfe",
    "null": b"null",
}


def settings(url: str, kind: str, reply_timeout: float = 2.0) -> ProviderSettings:
    return ProviderSettings(kind=kind, url=url, receipts_secret=RECEIPTS_SECRET, reply_timeout=reply_timeout)


def outbound(reply_timeout: float = 2.0) -> Outbound:
    return Outbound(connect_timeout=1.0, reply_timeout=reply_timeout)


def reply(status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> bytes:
    """Return an HTTP reply; a 204 has no body."""
    body = b"" if status == 204 else body
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if status != 204:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body


@asynccontextmanager
async def upstream(answer: bytes | None, requests: list[bytes] | None = None) -> AsyncIterator[str]:
    """Serve these bytes as the answer to every request on loopback, none if None; yields the URL."""
    over = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await reader.readexactly(int(length.split(b":")[1]))
        if requests is not None:
            requests.append(head + body)
        if answer is None:
            await over.wait()
        else:
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/send"
    finally:
        over.set()
        server.close()
        await server.wait_closed()


def says_nothing(result: SendResult, secrets: Sequence[str]) -> None:
    """The code and the reason of a result are read by people: they repeat nothing of the message."""
    said = f"{result.code} {result.reason}"
    assert not [secret for secret in secrets if secret in said]


class Always:
    """The cases. A subclass says how its provider is built and what its upstream says when all is well."""

    ACCEPTED: bytes
    SECRETS: Sequence[str] = (NUMBER, TEXT, LINK, ACTION, RECEIPTS_SECRET)

    def provider(self, url: str, reply_timeout: float = 2.0) -> HttpProvider:
        raise NotImplementedError

    def message(self) -> Message:
        return message(draft(tag="spring", tracking_data="id:42"))

    async def send(self, url: str, reply_timeout: float = 2.0) -> SendResult:
        """Send the message once, and check what is always true of a result."""
        provider = self.provider(url, reply_timeout)
        try:
            result = await provider.send(self.message(), NOW)
        finally:
            await provider.close()
        says_nothing(result, self.SECRETS)
        assert (result.token is not None) <= (result.outcome is Outcome.SENT)
        assert result.code
        assert result.outcome is Outcome.SENT or result.reason.endswith(".")
        return result

    async def test_accepted(self) -> None:
        async with upstream(reply(200, self.ACCEPTED)) as url:
            assert (await self.send(url)).outcome is Outcome.SENT

    @pytest.mark.parametrize("case", STATUSES)
    async def test_http_status(self, case: str) -> None:
        """Whatever the body claims: only a plain 200 accepts."""
        status, headers, outcome, asked = STATUSES[case]
        async with upstream(reply(status, self.ACCEPTED, headers)) as url:
            result = await self.send(url)
        assert (result.outcome, result.retry_after) == (outcome, asked)
        assert str(status) in result.code

    @pytest.mark.parametrize("case", BODIES)
    async def test_garbage_with_200(self, case: str) -> None:
        async with upstream(reply(200, BODIES[case])) as url:
            assert (await self.send(url)).outcome is Outcome.UNKNOWN

    async def test_endless_reply(self) -> None:
        async with upstream(reply(200, b"[" + b"0," * (1 << 20))) as url:
            assert (await self.send(url)).outcome is Outcome.UNKNOWN

    @pytest.mark.parametrize("case", LOST)
    async def test_lost_reply(self, case: str) -> None:
        async with upstream(LOST[case]) as url:
            result = await self.send(url)
        assert (result.outcome, result.code) == (Outcome.UNKNOWN, "ReplyLost")

    async def test_no_reply(self) -> None:
        """A request that was read and never answered is not a connection that could not be made."""
        requests: list[bytes] = []
        async with upstream(None, requests=requests) as url:
            result = await self.send(url, reply_timeout=0.15)
        assert (result.outcome, result.code) == (Outcome.UNKNOWN, "ReplyLost")
        assert len(requests) == 1

    async def test_no_connection(self) -> None:
        async with upstream(b"") as url:
            pass  # the address is free again
        result = await self.send(url)
        assert (result.outcome, result.code) == (Outcome.DEFERRED, "NotConnected")

    async def test_redirect_is_not_followed(self) -> None:
        requests: list[bytes] = []
        async with (
            upstream(reply(200, self.ACCEPTED), requests=requests) as other,
            upstream(reply(307, b"", {"location": other})) as url,
        ):
            assert (await self.send(url)).outcome is Outcome.REFUSED
        assert requests == []

    async def test_what_cannot_be_written_is_quarantined(self) -> None:
        """Nothing leaves, and it is not tried again."""

        class Broken:
            def __getattr__(self, name: str) -> object:
                raise ValueError(f"{NUMBER} {TEXT}")

        requests: list[bytes] = []
        async with upstream(reply(200, self.ACCEPTED), requests=requests) as url:
            provider = self.provider(url)
            broken = msgspec.structs.replace(self.message(), draft=Broken())
            result = await provider.send(broken, NOW)
            await provider.close()
        assert (result.outcome, result.code, requests) == (Outcome.REFUSED, "Quarantined", [])
        says_nothing(result, self.SECRETS)

    @pytest.mark.parametrize("case", UNREADABLE)
    def test_unreadable_receipt(self, case: str) -> None:
        body = UNREADABLE[case]
        request = HttpRequest(method="POST", path="/receipts/x/y", body=body)
        provider = self.provider("http://127.0.0.1:1/send")
        with pytest.raises(UnreadableReceipt) as refusal:
            provider.read_receipts(request)
        assert not body or body[:20].decode("latin-1") not in str(refusal.value)

    def test_every_message_type_can_be_written(self) -> None:
        provider = self.provider("http://127.0.0.1:1/send")
        for message_type in CONTENTS:
            request = provider.encode(message(draft(message_type)), NOW)
            assert request.body
            assert request.path == "http://127.0.0.1:1/send"
