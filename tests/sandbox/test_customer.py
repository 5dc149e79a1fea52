"""The built-in customer endpoint: what it answers, what it keeps and for whom, and where it is."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from chatgate.callbacks import guard
from chatgate.callbacks.delivery import judge
from chatgate.clock import HandClock
from chatgate.sandbox import customer
from chatgate.sandbox.customer import ANSWER, MOST, Customer
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import OTHERS

HEADERS = {"content-type": "application/json;charset=utf-8", "webhook-id": "msg_1", "webhook-signature": "v1,x"}
REPORT = b'[{"MessageId":"1","Status":"Delivered","Big":12345678901234567890}]'


async def test_what_is_posted_can_be_looked_at(browser: Browser) -> None:
    page = await browser("/sandbox/callbacks", HEADERS, method="POST", body=REPORT)
    assert (page.status, page.json) == (200, {"code": 0, "msg": "Success"})
    assert (await browser("/sandbox/callbacks")).json == {
        "callbacks": [
            {
                "received_at": "2025-03-01T12:00:00.000Z",
                "headers": {"host": "127.0.0.1:8080"} | HEADERS,
                "body": json.loads(REPORT),
            }
        ]
    }


async def test_newest_first_and_by_account(browser: Browser, clock: HandClock) -> None:
    for number in range(3):
        clock.advance(1)
        query = OTHERS if number == 1 else None
        await browser("/sandbox/callbacks", method="POST", query=query, body=b"[%d]" % number)
    mine = (await browser("/sandbox/callbacks")).json["callbacks"]
    assert [(call["received_at"][-4:], call["body"]) for call in mine] == [("003Z", [2]), ("001Z", [0])]
    theirs = (await browser("/sandbox/callbacks", query=OTHERS)).json["callbacks"]
    assert [call["body"] for call in theirs] == [[1]]


async def test_an_account_that_nobody_used_hears_nothing(browser: Browser) -> None:
    page = await browser("/sandbox/callbacks", method="POST", query={"account": "sandbox-new"}, body=REPORT)
    assert page.status == 404


async def test_a_call_that_broke_off_was_not_heard(browser: Browser) -> None:
    page = await browser("/sandbox/callbacks", method="POST", body=None)
    assert (page.status, page.json) == (400, {"error": "The request broke off."})
    assert (await browser("/sandbox/callbacks")).json == {"callbacks": []}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_nothing_else_can_be_done(browser: Browser, method: str) -> None:
    assert (await browser("/sandbox/callbacks", method=method)).status == 405


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"host": "evil.example"},
    ],
)
async def test_a_page_of_another_site_posts_nothing(browser: Browser, headers: dict[str, str]) -> None:
    assert (await browser("/sandbox/callbacks", headers, method="POST", body=REPORT)).status == 403
    assert (await browser("/sandbox/callbacks")).json == {"callbacks": []}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", ""),
        (b"hello", "hello"),
        (b'"hello"', "hello"),
        (b"null", None),
        (b"{}{}", "{}{}"),
        (b"\xff[]", "\ufffd[]"),
        (b'["\xff"]', '["\ufffd"]'),
        (b'"\\ud800"', '"\\ud800"'),
        (b"[" * 100_000, "[" * 100_000),
    ],
)
async def test_whatever_is_posted_is_kept(browser: Browser, body: bytes, kept: object) -> None:
    assert (await browser("/sandbox/callbacks", method="POST", body=body)).status == 200
    (call,) = (await browser("/sandbox/callbacks")).json["callbacks"]
    assert call["body"] == kept


def test_it_forgets_the_oldest(clock: HandClock) -> None:
    built_in = Customer(clock)
    for number in range(MOST + 1):
        built_in.hear("sandbox", {"n": str(number)}, b"[]")
    built_in.hear("sandbox-other", {}, b"[]")
    kept = [call["headers"] for call in built_in.heard("sandbox")]
    assert kept == [{"n": str(number)} for number in range(MOST, 0, -1)]


def test_its_answer_means_heard() -> None:
    assert judge(200, json.dumps(ANSWER).encode()).heard


@pytest.mark.parametrize("account", ["sandbox", "sandbox-1", "sandbox-a&b=c", "sandbox-# %20+/?", "sandbox-\\'\""])
@pytest.mark.parametrize("own_url", ["http://127.0.0.1:8080", "http://[::1]:1"])
def test_its_address_moves_with_the_sandbox(account: str, own_url: str) -> None:
    stored = customer.address(account)
    assert guard.check_url(stored) == ""
    called = urlsplit(customer.resolved(stored, own_url))
    assert f"{called.scheme}://{called.netloc}{called.path}" == f"{own_url}/sandbox/callbacks"
    assert parse_qs(called.query) == {"account": [account]}


@pytest.mark.parametrize(
    "url",
    ["https://shop.example/status", "http://sandbox.invalid.example/x", "http://127.0.0.1/http://sandbox.invalid/"],
)
def test_other_addresses_stay_as_they_are(url: str) -> None:
    assert customer.resolved(url, "http://127.0.0.1:8080") == url
