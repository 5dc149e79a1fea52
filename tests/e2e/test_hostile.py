"""Bytes and values that nobody sends by accident, to a real process: answered in the envelope, in bounded memory.

The limits themselves are tested at the edge (``tests/web``) and in the protocol; this is all of it together. The
fixture ``sandbox`` fails the run when its process logged a fault.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from urllib.parse import quote

import pytest

from chatgate.sandbox import seeds
from tests.e2e.caller import BROKEN, Account, Caller, connect, sandbox_accounts, signed, text_message
from tests.e2e.processes import Process, Processes
from tests.e2e.sandbox import Sandbox
from tests.signing import FORM, sign_v3
from tests.soak.ledger import Offer
from tests.web.raw_http import Peer, Reply

MEGABYTE = 1 << 20
DEEP = "[" * 100_000 + "]" * 100_000

GET = b"GET /?Action=SendChatappMessage&Version=2020-06-06&%s HTTP/1.1\r\nHost: a\r\n\r\n"

BYTES: dict[str, tuple[bytes, int]] = {
    "garbage": (bytes(range(256)) * 8 + b"\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "NUL in a header": (b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 400),
    "NUL in the target": (b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "invalid UTF-8 in the target, raw": (GET % b"Content=\xff\xfe", 400),
    "invalid UTF-8 in the query": (GET % b"Content=%FF%FE%C0%80%ED%A0%80", 400),
    "invalid UTF-8 in the name of an action": (b"GET /?Action=%FF HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "invalid UTF-8 in the path": (b"GET /%FF%FE HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    "invalid UTF-8 in the Host": (b"GET /x HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", 404),
    "NUL in the query": (GET % b"Content=%00&%00=1", 400),
    "broken percent signs": (GET % b"Content=%&%zz=%u0041%", 400),
    "100,000 parameters": (GET % b"&".join(b"a%d=1" % n for n in range(100_000)), 400),
    "a receipt of nobody": (b"POST /receipts/viber/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 404),
    "header over 32 kB": (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 50_000 + b"\r\n\r\n", 431),
    "target over 1 MB": (b"GET /?" + b"x" * MEGABYTE + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "body over 1 MB": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413),
}


def check_envelope(reply: Reply) -> str:
    """Check that an answer is whole, as an SDK reads it; return its code."""
    body = reply.json
    names = {"RequestId", "Code", "Message"} | ({"HostId", "Recommend"} if reply.status >= 400 else set())
    assert names <= body.keys()
    assert uuid.UUID(body["RequestId"])
    assert reply.headers["content-type"] == "application/json;charset=utf-8"
    assert all(isinstance(body[name], str) for name in names)
    code: str = body["Code"]
    return code


@pytest.mark.parametrize("name", BYTES)
async def test_bytes(sandbox: Sandbox, name: str) -> None:
    data, status = BYTES[name]
    async with connect(sandbox.url) as peer:
        sending = asyncio.create_task(peer.send(data))
        reply = await peer.reply()
        sending.cancel()
    if name == "a receipt of nobody":
        assert (reply.status, reply.headers["content-type"]) == (status, "text/plain;charset=utf-8")  # no SDK asks
        return
    check_envelope(reply)
    assert reply.status == status, reply


TEMPLATE = {
    "Type": "template", "TemplateCode": seeds.TEMPLATE, "Language": seeds.LANGUAGE,
    "TemplateParams": '{"param1":"a","param2":"b"}',
}  # fmt: skip

VALUES: dict[str, tuple[dict[str, str], str]] = {
    "Content, 100,000 deep": ({"Content": DEEP}, "InvalidParameter.Content"),
    "Content, 30,000 deep": ({"Content": DEEP[70_000:130_000]}, "InvalidParameter.ContentError"),
    "text, 30,000 deep": ({"Content": f'{{"text":{DEEP[70_000:130_000]}}}'}, "InvalidParameter.ContentError"),
    "TemplateParams, 100,000 deep": (TEMPLATE | {"TemplateParams": DEEP}, "InvalidParameter.TemplateParams"),
    "param1, 100,000 deep": (
        TEMPLATE | {"TemplateParams": f'{{"param1":{DEEP},"param2":"b"}}'},
        "InvalidParameter.TemplateParams",
    ),
    "Content that does not end": ({"Content": '{"text":"' + "x" * 60_000}, "InvalidParameter.ContentError"),
    "Content with a number without end": (
        {"Content": '{"text":1' + "0" * 60_000 + "}"},
        "InvalidParameter.ContentError",
    ),
    "Content with half a character": ({"Content": '{"text":"\\ud800"}'}, "InvalidParameter.ContentError"),
    "NUL in To": ({"To": "63917\x00000020"}, "InvalidRequest"),
    "other digits in To": ({"To": "٦٣٩١٧٠٠٠٠٠٢٠"}, "InvalidParameter.ToOnlyNumeric"),
    "NUL in CustSpaceId": ({"CustSpaceId": "\0"}, "InvalidRequest"),
    "Ttl of 5,000 digits": ({"Ttl": "9" * 5000}, "InvalidParameter.Ttl"),
}


@pytest.mark.parametrize("name", VALUES)
async def test_values(sandbox: Sandbox, account: str, name: str) -> None:
    """Signed by who may call: refused by name, and nothing is stored."""
    changes, code = VALUES[name]
    params = text_message(Offer("mark", "639170000020")) | changes
    async with connect(sandbox.url) as peer:
        await peer.send(signed(Account(account, account), sandbox.url, {}, form=params))
        reply = await peer.reply()
    assert check_envelope(reply) == code, reply
    assert sandbox.messages(account) == []


@pytest.mark.parametrize("text", ["a\0b", "\x1b[2J\x07", "\u202e\ufeff\ufffe", "\U0010ffff" * 200], ids=ascii)
async def test_odd_text_is_kept_as_it_is_or_refused(sandbox: Sandbox, account: str, text: str) -> None:
    params = text_message(Offer(text, "639170000020"))
    async with connect(sandbox.url) as peer:
        await peer.send(signed(Account(account, account), sandbox.url, {}, form=params))
        code = check_envelope(await peer.reply())
    assert [m["text"] for m in sandbox.messages(account)] == ([text] if code == "OK" else []), code


async def test_invalid_utf_8_in_a_signed_form(sandbox: Sandbox, account: str) -> None:
    form = b"&".join(
        b"%s=%s" % (n.encode(), quote(v).encode()) for n, v in text_message(Offer("m", "639170000020")).items()
    )
    target, headers, body = sign_v3(
        "POST", {}, account, account, host=sandbox.host, now=time.time_ns() // 1_000_000, nonce=uuid.uuid4().hex,
        body=form + b"&Tag=%FF%FE", headers={"content-type": FORM},
    )  # fmt: skip
    lines = [
        f"POST {target} HTTP/1.1",
        *(f"{n}: {v}" for n, v in headers.items()),
        f"content-length: {len(body)}",
        "",
        "",
    ]
    async with connect(sandbox.url) as peer:
        await peer.send("\r\n".join(lines).encode() + body)
        reply = await peer.reply()
    assert check_envelope(reply) != "OK"
    assert reply.status < 500
    assert sandbox.messages(account) == []


@pytest.mark.parametrize(("over", "code"), [(0, "OK"), (1, "RequestBodyTooLarge")])
async def test_body_of_1_mb(sandbox: Sandbox, account: str, over: int, code: str) -> None:
    """To the byte; what fills it up is a parameter that Viber does not use."""
    params = text_message(Offer("mark", "639170000020"))

    def call(filler: int) -> bytes:
        form = params | {"FlowAction": json.dumps({"x": "x" * filler})}
        return signed(Account(account, account), sandbox.url, {}, form=form)

    empty = call(0)
    size = len(empty) - empty.index(b"\r\n\r\n") - 4
    async with connect(sandbox.url) as peer:
        sending = asyncio.create_task(peer.send(call(MEGABYTE - size + over)))
        reply = await peer.reply()
        sending.cancel()
    assert check_envelope(reply) == code, reply


async def warm_sandbox(processes: Processes, folder: Path, caller: Caller) -> tuple[Process, int]:
    """Return a sandbox that has done what it does, and its resident bytes."""
    sandbox = await processes.start("chatgate", "sandbox", "--data", folder / "data", "--port", 0)
    replies = await caller.calls(sandbox.url, [caller.offer() for _ in range(100)])
    assert [reply.status for reply in replies] == [200] * 100
    return sandbox, sandbox.resident_bytes()


async def test_header_of_50_mb(tmp_path: Path) -> None:
    async with Processes(tmp_path) as processes:
        sandbox, before = await warm_sandbox(processes, tmp_path, Caller(sandbox_accounts(1)))
        async with connect(sandbox.url) as peer:

            async def send() -> None:
                await peer.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
                with suppress(*BROKEN):
                    for _ in range(50):
                        await peer.send(b"x" * MEGABYTE)

            sending = asyncio.create_task(send())
            reply = await peer.reply()
            assert (reply.status, check_envelope(reply)) == (431, "RequestHeadersTooLarge")
            await sending
        assert sandbox.resident_bytes() - before < 20 * MEGABYTE


async def test_500_slow_connections(tmp_path: Path) -> None:
    """A line of a header now and then: somebody else is served all the while, and at 10 s they are told to go."""
    caller = Caller(sandbox_accounts(1))
    async with Processes(tmp_path) as processes, AsyncExitStack() as stack:
        sandbox, before = await warm_sandbox(processes, tmp_path, caller)
        peers = [await stack.enter_async_context(connect(sandbox.url)) for _ in range(500)]
        for peer in peers:
            await peer.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 16_000)
        dripping = asyncio.create_task(_drip(peers))
        replies = await caller.calls(sandbox.url, [caller.offer() for _ in range(200)])
        assert [reply.status for reply in replies] == [200] * 200
        assert sandbox.resident_bytes() - before < 50 * MEGABYTE

        async with asyncio.timeout(30):
            endings = await asyncio.gather(*(peer.reader.read() for peer in peers))
        dripping.cancel()
        assert {ending.split(b"\r\n")[0] for ending in endings} == {b"HTTP/1.1 408 Request Timeout"}
        assert {json.loads(ending.split(b"\r\n\r\n")[1])["Code"] for ending in endings} == {"RequestTimeout"}
        assert sandbox.resident_bytes() - before < 50 * MEGABYTE


async def _drip(peers: list[Peer]) -> None:
    while True:
        for peer in peers:
            with suppress(*BROKEN):
                await peer.send(b"\r\nX: x")
        await asyncio.sleep(0.2)
