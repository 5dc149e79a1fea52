"""Whatever is asked, however wrong: an answer in the envelope of the API, in JSON or XML, never empty or foreign."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from tests.e2e.sandbox import Sandbox
from tests.gateway.wire import Caller, Reply, ask, ask_all, http, text

Sign = Callable[..., bytes]

REFUSAL = ["RequestId", "HostId", "Code", "Message", "Recommend"]
REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def v3_in_xml(caller: Caller, **changed: str | None) -> bytes:
    return caller.v3(text(Format="XML", **changed))


def v1_in_xml(caller: Caller, **changed: str | None) -> bytes:
    return caller.v1(text(**changed), common={"Format": "xml"}, method="GET")


SCHEMES = pytest.mark.parametrize("sign", [v3_in_xml, v1_in_xml], ids=["V3", "V1"])


def xml(reply: Reply) -> tuple[str, dict[str, str]]:
    """Return the name of the root element, and the texts in it."""
    assert reply.headers["content-type"] == "text/xml;charset=utf-8"
    assert reply.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?><')
    root = ElementTree.fromstring(reply.body)
    return root.tag, {child.tag: child.text or "" for child in root}


def check_refusal(sandbox: Sandbox, reply: Reply, fields: dict[str, str]) -> None:
    assert list(fields) == REFUSAL
    assert REQUEST_ID.fullmatch(fields["RequestId"])
    assert reply.headers.get("x-acs-request-id") == fields["RequestId"]
    assert fields["HostId"] == sandbox.host
    assert fields["Recommend"].startswith(f"{sandbox.url}/")


@SCHEMES
def test_success_in_xml(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    reply = ask(sandbox.host, sign(caller))
    root, fields = xml(reply)
    [message] = sandbox.messages(caller.access_key_id)
    assert (reply.status, root) == (200, "SendChatappMessageResponse")
    assert list(fields) == ["RequestId", "Code", "Message", "MessageId"]
    assert (fields["Code"], fields["Message"]) == ("OK", "OK")
    assert fields["MessageId"] == message["message_id"]
    assert REQUEST_ID.fullmatch(fields["RequestId"])


@SCHEMES
def test_validation_code_in_xml(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    reply = ask(sandbox.host, sign(caller, From="27549a"))
    root, fields = xml(reply)
    assert (reply.status, root) == (200, "SendChatappMessageResponse")
    assert list(fields) == ["RequestId", "Code", "Message"]
    assert fields["Code"] == "InvalidParameter.FromOnlyNumeric"


@SCHEMES
def test_refusal_in_xml(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    reply = ask(sandbox.host, sign(caller, To=None))
    root, fields = xml(reply)
    assert (reply.status, root, fields["Code"]) == (400, "Error", "MissingTo")
    check_refusal(sandbox, reply, fields)


@SCHEMES
def test_xml_of_what_the_caller_sent(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    """The string to sign comes back with ``&`` and, in the name of a parameter, with whatever was written there."""
    forged = Caller(caller.host, caller.access_key_id, secret="guessed")
    reply = ask(sandbox.host, sign(forged, **{"<a>&]]>\ufffe\r\n": "é"}))
    root, fields = xml(reply)
    assert (reply.status, root, fields["Code"]) == (400, "Error", "SignatureDoesNotMatch")
    assert "To=639170000000" in fields["Message"] or "To%3D639170000000" in fields["Message"]


def test_format_that_does_not_exist(sandbox: Sandbox, caller: Caller) -> None:
    reply = ask(sandbox.host, caller.v3(text(Format="YAML")))
    assert (reply.status, reply.code) == (400, "InvalidParameter.Format")


@pytest.mark.parametrize("path", ["/nothing", "/cams/", "/favicon.ico", "/sandboxes", "/receipts", "/%2e%2e/x", "//"])
def test_path_that_does_not_exist(sandbox: Sandbox, path: str) -> None:
    reply = ask(sandbox.host, http("GET", path, {"host": sandbox.host}))
    assert (reply.status, reply.code) == (404, "InvalidPath.NotFound")
    check_refusal(sandbox, reply, reply.json)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_method_that_is_not_for_calls(sandbox: Sandbox, caller: Caller, method: str) -> None:
    reply = ask(sandbox.host, caller.v3(text(), method=method))
    assert (reply.status, reply.code) == (405, "UnsupportedHTTPMethod")
    assert reply.headers["allow"] == "GET, POST"
    check_refusal(sandbox, reply, reply.json)
    assert sandbox.messages(caller.access_key_id) == []


def test_head(sandbox: Sandbox, caller: Caller) -> None:
    """A HEAD call has no body, and the connection goes on."""
    [refused, accepted] = ask_all(sandbox.host, [caller.v3(text(), method="HEAD"), caller.v3(text())])
    assert refused.status == 405
    assert refused.headers["allow"] == "GET, POST"
    assert refused.headers["content-type"] == "application/json;charset=utf-8"
    assert accepted.code == "OK"
    assert len(sandbox.messages(caller.access_key_id)) == 1


def test_nothing_at_all(sandbox: Sandbox) -> None:
    """What a browser or a load balancer gets that looks at the address."""
    reply = ask(sandbox.host, http("GET", "/", {"host": sandbox.host}))
    assert (reply.status, reply.code) == (400, "MissingAction")
    check_refusal(sandbox, reply, reply.json)


def test_not_http(sandbox: Sandbox) -> None:
    reply = ask(sandbox.host, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    assert (reply.status, reply.code) == (400, "InvalidRequest")
