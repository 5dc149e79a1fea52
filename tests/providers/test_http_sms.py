from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.clock import HandClock
from chatgate.domain.message import Message, Outcome
from chatgate.domain.receipt import Receipt
from chatgate.errors import SettingError
from chatgate.outbound import Outbound
from chatgate.providers import http_sms
from chatgate.providers.base import Provider, ProviderSettings, UnreadableReceipt
from chatgate.providers.http_sms import options
from chatgate.providers.http_sms.provider import HttpSms
from chatgate.wire import HttpRequest, HttpResponse
from tests.providers.short_message import NOW, short_message

URL = "https://sms.example/send"
MESSAGE = short_message("Hi & bye", sender="Shop 1", id=42)
RECEIPTS = {
    "token": "id",
    "receipt_token": "id",
    "receipt_status": "status",
    "receipt_statuses": {"DELIVRD": "delivered", "UNDELIV": "undelivered", "Expired": "expired"},
}

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60) | st.sampled_from(
    ['"', '","to":"1', "\\", "</text><to>1</to>", "]]>", "&to=1", "{secret}", "{to}", "a b+c%20", "#x", "'\"<>&", "\n"]
)


def provider(url: str = URL, /, **own: Any) -> HttpSms:
    settings = ProviderSettings(kind="http_sms", url=url, receipts_secret="r", options=own)
    outbound = Outbound(connect_timeout=1, reply_timeout=1)
    return HttpSms("sms", settings, options.read("sms", settings), outbound, clock=HandClock(NOW))


def encode(url: str = URL, /, message: Message = MESSAGE, **own: Any) -> HttpRequest:
    return provider(url, **own).encode(message, NOW)


# --- request ----------------------------------------------------------------------------------------------------------


def test_a_request_in_the_url() -> None:
    url = "http://sms.example:8080/{message_id}?to={to}&from={from}&text={text}&ttl={ttl}&key={secret}"
    request = encode(url, method="GET", secret="a/b")
    assert request.method == "GET"
    assert request.path == (
        "http://sms.example:8080/42?to=380501234500&from=Shop%201&text=Hi%20%26%20bye&ttl=120&key=a%2Fb"
    )
    assert (request.headers, request.body) == ({}, b"")


def test_a_form() -> None:
    request = encode(form={"To": "+{to}", "From": "{from}", "Body": "{text}", "app": "x&y"})
    assert request.method == "POST"
    assert request.headers == {"content-type": "application/x-www-form-urlencoded"}
    assert request.body == b"To=%2B380501234500&From=Shop+1&Body=Hi+%26+bye&app=x%26y"


def test_a_json_body() -> None:
    template = {"messages": [{"to": ["{to}"], "text": "{text}!", "ttl": "{ttl}", "note": "{ttl}s", "flash": False}]}
    request = encode(json=template, headers={"Authorization": "App {secret}"}, secret="key")
    assert request.headers == {"authorization": "App key", "content-type": "application/json"}
    assert json.loads(request.body) == {
        "messages": [{"to": ["380501234500"], "text": "Hi & bye!", "ttl": 120, "note": "120s", "flash": False}]
    }


@pytest.mark.parametrize(
    ("content_type", "template", "body"),
    [
        ("application/json; charset=utf-8", '{"text":"{text}"}', '{"text":"a\\"b&<\\u00e9"}'),
        ("application/vnd.sms+json", '"{text}"', '"a\\"b&<\\u00e9"'),
        ("text/xml", "<t>{text}</t>", "<t>a&quot;b&amp;&lt;é</t>"),
        ("application/soap+xml", "<t>{text}</t>", "<t>a&quot;b&amp;&lt;é</t>"),
        ("application/x-www-form-urlencoded", "t={text}", "t=a%22b%26%3C%C3%A9"),
        ("text/plain", "SEND {text}", 'SEND a"b&<é'),
        (None, "SEND {text}", 'SEND a"b&<é'),
    ],
)
def test_a_body_is_escaped_as_its_content_type_says(content_type: str | None, template: str, body: str) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    request = encode(message=short_message('a"b&<é'), body=template, headers=headers)
    assert request.body.decode() == body
    assert request.headers["content-type"] == content_type or "text/plain;charset=utf-8"


@given(texts)
def test_no_text_can_leave_its_place(text: str) -> None:
    message = short_message(text)
    query = urlsplit(encode(URL + "?text={text}&end=1", message=message).path).query
    assert parse_qs(query, keep_blank_values=True, strict_parsing=True) == {"text": [text], "end": ["1"]}
    form = encode(message=message, form={"text": "{text}", "end": "1"}).body.decode()
    assert parse_qs(form, keep_blank_values=True, strict_parsing=True) == {"text": [text], "end": ["1"]}
    assert json.loads(encode(message=message, json={"text": "{text}", "end": 1}).body) == {"text": text, "end": 1}
    glued = encode(message=message, body='{"text":"{text}","end":1}', headers={"content-type": "application/json"})
    assert json.loads(glued.body) == {"text": text, "end": 1}


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60))
def test_no_text_can_leave_its_element(text: str) -> None:
    body = '<m to="{to}" text="{text}">{text}</m>'
    request = encode(message=short_message(text), body=body, headers={"content-type": "application/xml"})
    element = ElementTree.fromstring(request.body.decode())
    assert (element.attrib, element.text or "") == ({"to": "380501234500", "text": text}, text)


@pytest.mark.parametrize(("left", "ttl"), [(120_999, "120"), (1, "1")])
def test_the_time_that_is_left_is_passed_on(left: int, ttl: str) -> None:
    sms = provider(URL + "?ttl={ttl}")
    assert sms.encode(MESSAGE, MESSAGE.expires_at - left).path.endswith(f"ttl={ttl}")


async def test_a_sender_that_would_end_a_header_is_not_sent() -> None:
    sms = provider(headers={"x-from": "{from}"})
    result = await sms.send(short_message(sender="Shop\r\nx: y"), NOW)
    assert (result.outcome, result.code) == (Outcome.REFUSED, "Quarantined")
    await sms.close()


# --- reply ------------------------------------------------------------------------------------------------------------

OUTCOMES = {"0": "sent", "9": "throttled", "10": "deferred", "11": "unknown"}


@pytest.mark.parametrize(
    ("own", "status", "body", "outcome", "code", "token"),
    [
        # the status alone
        ({}, 200, b"", "sent", "Accepted", None),
        ({}, 202, b"", "sent", "Accepted", None),
        ({}, 204, b"", "unknown", "Http204", None),
        ({"accepted_status": [204]}, 204, b"", "sent", "Accepted", None),
        ({"accepted_status": [204]}, 200, b"", "unknown", "Http200", None),
        ({}, 400, b"", "refused", "Http400", None),
        ({}, 302, b"", "refused", "Http302", None),
        ({}, 429, b"", "throttled", "Http429", None),
        ({}, 503, b"", "deferred", "Http503", None),
        ({}, 500, b"", "unknown", "Http500", None),
        # the id
        ({"token": "id"}, 200, b'{"id":"abc"}', "sent", "Accepted", "abc"),
        ({"token": "id"}, 200, b'{"id":12345678901234567890123}', "sent", "Accepted", "12345678901234567890123"),
        ({"token": "id"}, 200, b'{"id":1.50}', "sent", "Accepted", "1.50"),
        ({"token": "messages.1.id"}, 200, b'{"messages":[{"id":1},{"id":2}]}', "sent", "Accepted", "2"),
        ({"token": "0.id"}, 200, b'[{"id":7}]', "sent", "Accepted", "7"),
        ({"token": "sms.id"}, 200, b'{"sms.id":7}', "sent", "Accepted", "7"),
        ({"token": {"regex": r"^OK: (\S+)"}}, 200, b"OK: abc-1\r\n", "sent", "Accepted", "abc-1"),
        ({"token": "id"}, 200, b'{"id":null}', "unknown", "NoToken", None),
        ({"token": "id"}, 200, b'{"id":{"a":1}}', "unknown", "NoToken", None),
        ({"token": "id"}, 200, b'{"id":"a\\u0000b"}', "unknown", "NoToken", None),
        ({"token": "id"}, 200, b'{"id":""}', "unknown", "NoToken", None),
        ({"token": "id"}, 200, b"\xff not JSON", "unknown", "NoToken", None),
        ({"token": "id.x.9"}, 200, b'{"id":"abc"}', "unknown", "NoToken", None),
        ({"token": {"regex": "ID (.*)"}}, 200, b"ERR", "unknown", "NoToken", None),
        ({"token": "a"}, 200, b"[" * 100_000, "unknown", "NoToken", None),
        # the code
        ({"code": "c", "outcomes": OUTCOMES}, 200, b'{"c":0}', "sent", "0", None),
        ({"code": "c", "outcomes": OUTCOMES, "token": "id"}, 200, b'{"c":"0","id":5}', "sent", "0", "5"),
        ({"code": "c", "outcomes": OUTCOMES}, 200, b'{"c":9}', "throttled", "9", None),
        ({"code": "c", "outcomes": OUTCOMES}, 200, b'{"c":10}', "deferred", "10", None),
        ({"code": "c", "outcomes": OUTCOMES}, 200, b'{"c":11}', "unknown", "11", None),
        ({"code": "c", "outcomes": OUTCOMES}, 200, b'{"c":12}', "refused", "12", None),
        ({"code": "c", "outcomes": OUTCOMES | {"*": "deferred"}}, 200, b'{"c":12}', "deferred", "12", None),
        ({"code": "ok", "outcomes": {"true": "sent"}}, 200, b'{"ok":true}', "sent", "true", None),
        ({"code": {"regex": r"^(\w+)"}, "outcomes": {"OK": "sent"}}, 200, b"OK 1", "sent", "OK", None),
        ({"code": {"regex": r"^(\w+)"}, "outcomes": {"OK": "sent"}}, 200, b"ERR 1", "refused", "ERR", None),
        # no code
        ({"code": "c", "outcomes": OUTCOMES}, 200, b"{}", "unknown", "NoCode", None),
        ({"code": "c", "outcomes": OUTCOMES | {"": "sent"}}, 200, b"{}", "sent", "Accepted", None),
        ({"code": "c", "outcomes": OUTCOMES | {"": "sent", "*": "refused"}}, 200, b"{}", "sent", "Accepted", None),
        # a code with a status that is not accepted
        ({"code": "c", "outcomes": OUTCOMES}, 400, b'{"c":9}', "throttled", "9", None),
        ({"code": "c", "outcomes": OUTCOMES}, 500, b'{"c":10}', "deferred", "10", None),
        ({"code": "c", "outcomes": OUTCOMES}, 500, b'{"c":0}', "unknown", "Http500", None),
        ({"code": "c", "outcomes": OUTCOMES}, 204, b'{"c":0}', "unknown", "Http204", None),
        ({"code": "c", "outcomes": OUTCOMES | {"*": "refused"}}, 503, b'{"c":99}', "deferred", "Http503", None),
        ({"code": "c", "outcomes": OUTCOMES | {"": "sent"}}, 500, b"{}", "unknown", "Http500", None),
    ],
)
def test_what_a_reply_means(
    own: dict[str, Any], status: int, body: bytes, outcome: str, code: str, token: str | None
) -> None:
    result = provider(**own).decode(MESSAGE, HttpResponse(status=status, body=body))
    assert (result.outcome, result.code, result.token) == (outcome, code, token)


def test_a_wait_that_was_asked_for_is_passed_on() -> None:
    response = HttpResponse(status=429, headers={"retry-after": "3"})
    assert provider().decode(MESSAGE, response).retry_after == 3000


# --- receipts ---------------------------------------------------------------------------------------------------------


def post(body: bytes = b"", query: str = "", content_type: str = "application/json") -> HttpRequest:
    headers = {"content-type": content_type}
    return HttpRequest(method="POST", path="/receipts/sms/r", query=query, headers=headers, body=body)


@pytest.mark.parametrize(
    ("own", "request_", "receipts"),
    [
        ({}, post(b'{"id":7,"status":"DELIVRD"}'), [("7", "delivered", "")]),
        ({}, post(b'{"id":"7","status":"undeliv"}'), [("7", "undelivered", "undeliv")]),
        ({}, post(b'{"id":"7","status":"expired"}'), [("7", "expired", "expired")]),
        ({}, post(b'{"id":"7","status":"ENROUTE"}'), []),
        ({}, post(b"id=7&status=DELIVRD", content_type="application/x-www-form-urlencoded"), [("7", "delivered", "")]),
        ({}, post(query="id=a%2Fb&status=DELIVRD"), [("a/b", "delivered", "")]),
        ({}, post(b'{"status":"DELIVRD"}', query="id=7"), [("7", "delivered", "")]),
        (
            {},
            post(b'[{"id":7,"status":"DELIVRD"},{"id":8,"status":"UNDELIV"}]'),
            [("7", "delivered", ""), ("8", "undelivered", "UNDELIV")],
        ),
        ({}, post(b'[{"id":7,"status":"DELIVRD"},{"about":"something else"},3]'), [("7", "delivered", "")]),
        (
            {"receipt_list": "results", "receipt_status": "status.groupName"},
            post(b'{"results":[{"id":7,"status":{"groupName":"DELIVRD"}}]}'),
            [("7", "delivered", "")],
        ),
    ],
)
def test_receipts(own: dict[str, Any], request_: HttpRequest, receipts: list[tuple[str, str, str]]) -> None:
    news = provider(**(RECEIPTS | own)).read_receipts(request_)
    read = [each for each in news if isinstance(each, Receipt)]
    assert len(read) == len(news)
    assert [(receipt.token, str(receipt.status), receipt.code) for receipt in read] == receipts
    assert {(receipt.provider, receipt.at) for receipt in read} <= {("sms", NOW)}


@pytest.mark.parametrize(
    "request_",
    [
        post(),
        post(b"not a receipt"),
        post(b'{"id":7}'),
        post(b'{"status":"DELIVRD"}'),
        post(b'{"id":null,"status":"DELIVRD"}'),
        post(b'{"id":"a\\u0000b","status":"DELIVRD"}'),
        post(b"[]"),
        post(b"7"),
        post(b"[" * 100_000),
        post(b"\xff\xfe"),
    ],
)
def test_what_is_no_receipt(request_: HttpRequest) -> None:
    with pytest.raises(UnreadableReceipt, match="lacks id or status"):
        provider(**RECEIPTS).read_receipts(request_)


def test_without_configuration_there_are_no_receipts() -> None:
    with pytest.raises(UnreadableReceipt, match="configured"):
        provider().read_receipts(post(b'{"id":7,"status":"DELIVRD"}'))


# --- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"mehtod": "GET"}, "mehtod"),
        ({"method": "DELETE"}, "method"),
        ({"secret": "a\nb"}, "secret"),
        ({"body": "x", "json": {}}, "json and body exclude each other"),
        ({"form": {}, "method": "GET"}, "form needs another method than GET"),
        ({"body": "{phone}"}, r"body has the placeholder \{phone\}"),
        ({"form": {"a": "{phone}"}}, "form a has the placeholder"),
        ({"json": {"a": [{"b": "{phone}"}]}}, "json a 0 b has the placeholder"),
        ({"headers": {"a b": "x"}}, "headers must not name 'a b'"),
        ({"headers": {"Host": "x"}}, "headers must not name 'Host'"),
        ({"headers": {"x": "a\r\nb: c"}}, "headers x must be printable"),
        ({"headers": {"x": "{text}"}}, "headers x must be"),
        ({"headers": {"x": "{phone}"}}, "headers x has the placeholder"),
        ({"accepted_status": [500]}, "accepted_status"),
        ({"outcomes": {"1": "sent"}}, "outcomes needs code"),
        ({"code": "c", "outcomes": {"1": "fine"}}, "outcomes"),
        ({"token": {"regex": "("}}, r"token\.regex is not a regular expression"),
        ({"token": {"regex": "abc"}}, r"token\.regex must have one group"),
        ({"code": {"regex": "(a)(b)"}}, r"code\.regex must have one group"),
        ({"token": {"pattern": "(a)"}}, "token"),
        ({"token": "id", "receipt_token": "id"}, "go together"),
        (RECEIPTS | {"token": None}, "token is missing"),
        (RECEIPTS | {"receipt_statuses": {"OK": "read"}}, "receipt_statuses"),
        ({"receipt_list": "results"}, "receipt_list needs receipt_token"),
    ],
)
def test_options_that_are_wrong(own: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence) as refused:
        provider(**own)
    assert str(refused.value).startswith("providers.sms")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sms.example/send",
        "smpp://sms.example",
        "https:///send",
        "https://{to}.example/send",
        "https://sms.example:{ttl}/send",
        "https://user:pass@sms.example/send",
        "https://sms.example/send#part",
        "https://sms.example/a b",
        "https://sms.example/{text}",
        "https://sms.example/{from}?text={text}",
        "https://sms.example/?a={phone}",
    ],
)
def test_urls_that_are_wrong(url: str) -> None:
    with pytest.raises(SettingError, match=r"^providers\.sms\.url"):
        provider(url)


async def test_the_kind_carries_sms() -> None:
    settings = ProviderSettings(kind="http_sms", url=URL, receipts_secret="r")
    built: Provider = http_sms.build("sms", settings, Outbound(connect_timeout=1, reply_timeout=1))
    assert (built.name, http_sms.CHANNELS) == ("sms", frozenset({"sms"}))
    await built.close()
