"""Every way in which a call may be written; and what is written there only to deceive."""

from __future__ import annotations

import gc
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from chatgate.gateway.chain import Gateway
from chatgate.telemetry import Metrics
from chatgate.wire import HttpRequest
from tests.e2e.sandbox import PACE, PATIENCE, PROGRAMS, Sandbox, running
from tests.gateway.wire import Caller, ask, http, text

Sign = Callable[..., bytes]

SCHEMES = pytest.mark.parametrize("sign", [Caller.v3, Caller.v1], ids=["V3", "V1"])
JSON = {"content-type": "application/json"}


def only(sandbox: Sandbox, caller: Caller) -> str:
    """Return the text of the one message that the account has."""
    [message] = sandbox.messages(caller.access_key_id)
    return str(message["text"])


@SCHEMES
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_in_the_query(sandbox: Sandbox, caller: Caller, sign: Sign, method: str) -> None:
    assert ask(sandbox.host, sign(caller, text(), method=method)).code == "OK"
    assert only(sandbox, caller) == "hi"


@SCHEMES
def test_everything_in_the_form(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    assert ask(sandbox.host, sign(caller, {}, form=text())).code == "OK"
    assert only(sandbox, caller) == "hi"


@SCHEMES
@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_form_in_chunks(sandbox: Sandbox, caller: Caller, sign: Sign, piece: int) -> None:
    assert ask(sandbox.host, sign(caller, {}, form=text(), piece=piece)).code == "OK"
    assert only(sandbox, caller) == "hi"


def test_json(sandbox: Sandbox, caller: Caller) -> None:
    body = {**text(), "Ttl": 60, "Content": {"text": "hi"}, "Tag": None}
    assert ask(sandbox.host, caller.v3({}, body=json.dumps(body).encode(), headers=JSON)).code == "OK"
    assert only(sandbox, caller) == "hi"


def test_json_in_chunks(sandbox: Sandbox, caller: Caller) -> None:
    assert ask(sandbox.host, caller.v3({}, body=json.dumps(text()).encode(), headers=JSON, piece=11)).code == "OK"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"To":', b'"text"', b"\xff", b'{"To":"\\u0000"}', b"[" * 10_000])
def test_json_that_is_no_object(sandbox: Sandbox, caller: Caller, body: bytes) -> None:
    reply = ask(sandbox.host, caller.v3(text(), body=body, headers=JSON))
    assert (reply.status, reply.code) == ((400, "InvalidRequest") if body else (200, "OK"))


@SCHEMES
def test_ten_thousand_parameters(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    many = {f"Extra.{n}": "x" for n in range(10_000)}
    for request in (sign(caller, text() | many), sign(caller, text(), form=many)):
        reply = ask(sandbox.host, request)
        assert (reply.status, reply.code) == (400, "InvalidRequest")
        assert "1000 parameters" in reply.json["Message"]
    assert sandbox.messages(caller.access_key_id) == []


def test_largest_call(sandbox: Sandbox, caller: Caller) -> None:
    """The newest Python SDK writes 60 kB of template into the query."""
    assert ask(sandbox.host, caller.v3(text(Components="[" + '{"Type":"BODY"},' * 3500 + "{}]"))).code == "OK"


def test_body_over_a_megabyte(sandbox: Sandbox, caller: Caller) -> None:
    reply = ask(sandbox.host, caller.v3(text(), form={"Tag": "x" * (1 << 20)}))
    assert (reply.status, reply.code) == (413, "RequestBodyTooLarge")


def test_one_name_with_two_values(sandbox: Sandbox, caller: Caller) -> None:
    reply = ask(sandbox.host, caller.v3(text(), form={"To": "639170000002"}))
    assert (reply.status, reply.code) == (400, "InvalidParameter.To")
    assert sandbox.messages(caller.access_key_id) == []


@pytest.mark.parametrize("host", ["http://{}", "cams.ap-southeast-1.aliyuncs.com", "localhost:1"])
def test_any_host(sandbox: Sandbox, account: str, host: str) -> None:
    """Host is signed as it is sent; a Python caller may have configured ``http://host:port`` as the endpoint."""
    reply = ask(sandbox.host, Caller(host.format(sandbox.host), account).v3(text()))
    assert reply.code == "OK"


def test_help_for_a_caller_with_a_scheme_in_its_host(sandbox: Sandbox, account: str) -> None:
    reply = ask(sandbox.host, Caller(f"http://{sandbox.host}", account).v3(text(To=None)))
    assert reply.code == "MissingTo"
    assert reply.json["Recommend"].startswith(f"http://{sandbox.host}/")


FORWARDED = {
    "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7", "x-forwarded-host": "evil.example",
    "forwarded": "for=203.0.113.7;proto=https;host=evil.example", "x-real-ip": "203.0.113.7",
}  # fmt: skip


def test_forwarded_headers_of_anybody_are_ignored(sandbox: Sandbox, caller: Caller) -> None:
    reply = ask(sandbox.host, caller.v3(text(To=None), unsigned=FORWARDED))
    assert reply.code == "MissingTo"
    assert reply.json["HostId"] == sandbox.host
    assert reply.json["Recommend"].startswith(f"http://{sandbox.host}/")


def test_forwarded_scheme_of_a_trusted_proxy_counts(tmp_path: Path, account: str) -> None:
    with running(tmp_path / "data", trusted_proxies="127.0.0.1") as sandbox:
        reply = ask(sandbox.host, Caller(sandbox.host, account).v3(text(To=None), unsigned=FORWARDED))
        assert reply.json["HostId"] == sandbox.host
        assert reply.json["Recommend"].startswith(f"https://{sandbox.host}/")


@SCHEMES
def test_disabled_key(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    def switch(word: str, code: str) -> None:
        command: list[str | Path] = [PROGRAMS / "chatgate", "key", word, caller.access_key_id, "--data", sandbox.data]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, cwd=sandbox.data.parent)
        deadline = time.monotonic() + PATIENCE
        while (reply := ask(sandbox.host, sign(caller, text()))).code != code:
            assert time.monotonic() < deadline, reply
            time.sleep(PACE)

    assert ask(sandbox.host, sign(caller, text())).code == "OK"
    switch("disable", "InvalidAccessKeyId.Inactive")
    assert ask(sandbox.host, sign(caller, text())).status == 400
    switch("enable", "OK")


STS = "STS.NUgYrLnoC37mZZCNnAbez"


@pytest.mark.parametrize(
    ("access_key_id", "token", "code"),
    [
        (STS, None, "MissingSecurityToken"),
        (STS, "a token", "InvalidSecurityToken.Malformed"),
        ("LTAI5tNobodyHasThisKey00", "a token", "InvalidAccessKeyId.NotFound"),
        (None, "a token", "InvalidSecurityToken.Malformed"),
    ],
    ids=["STS without token", "STS with token", "unknown key with token", "own key with token"],
)
@pytest.mark.parametrize("scheme", ["V3", "V1"])
def test_security_token(
    sandbox: Sandbox, account: str, access_key_id: str | None, token: str | None, code: str, scheme: str
) -> None:
    caller = Caller(sandbox.host, access_key_id or account)
    if scheme == "V3":
        request = caller.v3(text(), headers={"x-acs-security-token": token} if token else {})
    else:
        request = caller.v1(text(), common={"SecurityToken": token} if token else {})
    reply = ask(sandbox.host, request)
    assert (reply.status, reply.code) == (404 if code.endswith("NotFound") else 400, code)


BEARER = {
    "bearer-of-nobody": ({}, {}, "InvalidBearerToken.Malformed"),
    "no-nonce": ({"x-acs-signature-nonce": None}, {}, "IncompleteSignature"),
    "no-time": ({"x-acs-date": None}, {}, "IncompleteSignature"),
    "wrong-time": ({"x-acs-date": "yesterday"}, {}, "InvalidTimeStamp.Format"),
    "twice": ({}, {"BearerToken": "a token"}, "IncompleteSignature"),
    "and-a-signature": ({"authorization": "ACS3-HMAC-SHA256 x"}, {}, "IncompleteSignature"),
}  # fmt: skip


@pytest.mark.parametrize(("headers", "more", "code"), BEARER.values(), ids=BEARER)
def test_bearer_token(sandbox: Sandbox, headers: dict[str, str | None], more: dict[str, str], code: str) -> None:
    query = text() | {"Action": "SendChatappMessage", "Version": "2020-06-06", "SignatureType": "BEARERTOKEN"} | more
    sent = {
        "host": sandbox.host, "x-acs-bearer-token": "a token", "x-acs-signature-nonce": "n",
        "x-acs-date": "2025-03-01T12:00:00Z", **headers,
    }  # fmt: skip
    given = {name: value for name, value in sent.items() if value is not None}
    reply = ask(sandbox.host, http("POST", f"/?{urlencode(query)}", given))
    assert (reply.status, reply.code) == (400, code)


def test_json_with_one_name_twice(sandbox: Sandbox, caller: Caller) -> None:
    body = json.dumps(text())[:-1] + ',"To":"639170000002"}'
    refused = ask(sandbox.host, caller.v3({}, body=body.encode(), headers=JSON))
    assert refused.status == 400
    assert sandbox.messages(caller.access_key_id) == []


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
def test_the_star_is_no_path(sandbox: Sandbox, method: str) -> None:
    answer = ask(sandbox.host, f"{method} * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert answer.status in (404, 405)


async def test_a_refused_call_leaves_nothing_behind() -> None:
    """No cycle keeps the request: thousands of refused bodies would wait for the collector."""
    gateway, request = refusing(), HttpRequest(method="POST", path="/", query="Format=XXX", body=b"x" * 1000)
    await gateway.answer(request)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            await gateway.answer(request)
        assert gc.collect() == 0
    finally:
        gc.enable()


def refusing() -> Gateway:
    """Return a gateway whose calls end before they need anything."""
    nothing: Any = None
    return Gateway(
        store=nothing, desk=nothing, operations={}, authenticate=nothing, flow_control=nothing, clock=nothing,
        metrics=Metrics(), validation_status=200,
    )  # fmt: skip
