"""What the sandbox lets look at: filters, accounts, phones, and who may look."""

from __future__ import annotations

import asyncio
from secrets import token_bytes

import msgspec
import pytest

from chatgate.clock import SECOND, HandClock
from chatgate.domain.lifecycle import DEFAULT_UNKNOWN_POLICY
from chatgate.domain.message import Attempt, Content, Draft, FallbackOrder, Outcome, SendResult
from chatgate.errors import StoreUnavailable
from chatgate.sandbox import routes, seeds
from chatgate.sandbox.phones import JUST_COME
from chatgate.store.acceptance import Acceptance
from chatgate.store.attempts import AttemptEnd
from chatgate.store.claims import Claim
from chatgate.store.store import Store
from tests.drafts import NUMBER, draft
from tests.sandbox.browser import Browser
from tests.sandbox.conftest import MAIN, OTHER, OTHERS
from tests.sandbox.phones import OnPhone, Phones, SmsOnPhone, SmsPhones

SERVICE = seeds.service_id(seeds.MAIN_ACCOUNT)
SMS_SENDER = seeds.sms_sender(seeds.MAIN_ACCOUNT)
SENT = SendResult(outcome=Outcome.SENT, token="token-1", code="SRVC_SUCCESS")
REFUSED = SendResult(outcome=Outcome.REFUSED, code="SRVC_NOT_VIBER_USER", reason="No Viber.")


async def accept(store: Store, clock: HandClock, of: Draft | None = None, lane: str = "viber") -> int:
    key = store.keys.next()
    of = of or draft(account_id=MAIN)
    wanted = Acceptance(
        key=key, draft=of, nonce=token_bytes(16), retry=None, request_id="R", now=clock.now(), lane=lane,
        leased=False, keys=store.keys.next,
    )  # fmt: skip
    assert (await store.accept(wanted)).stored
    return key


async def attempt(store: Store, clock: HandClock, result: SendResult, lane: str = "viber") -> None:
    """Make the attempt of the only message that is due in a lane."""
    now = clock.now()
    claimed = await store.claim(
        Claim(lane=lane, now=now, limit=10, until=now + 30 * SECOND, keys=store.keys.next, unknown_wait=0,
              unknown_policy=DEFAULT_UNKNOWN_POLICY)
    )  # fmt: skip
    (message,) = claimed.to_send
    made = Attempt(message_id=message.id, number=1, provider=lane, started_at=now, ended_at=now, result=result)
    end = AttemptEnd(
        attempt=made, message=message, jitter=0, keys=store.keys.next, unknown_wait=0,
        unknown_policy=DEFAULT_UNKNOWN_POLICY,
    )  # fmt: skip
    await store.record(end)


# --- messages --------------------------------------------------------------------------------------------------------


async def test_a_message_in_the_list(browser: Browser, store: Store, clock: HandClock) -> None:
    key = await accept(store, clock)
    await attempt(store, clock, REFUSED)
    page = await browser("/sandbox/messages")
    assert (page.status, page.json) == (
        200,
        {
            "messages": [
                {
                    "message_id": store.message_ids.public(key), "to": NUMBER, "channel": "viber", "status": "failed",
                    "text": "Your code is 4711", "accepted_at": "2025-03-01T12:00:00.000Z",
                    "failure": {"code": "SRVC_NOT_VIBER_USER", "reason": "No Viber."},
                }
            ]
        },
    )  # fmt: skip


async def test_newest_first(browser: Browser, store: Store, clock: HandClock) -> None:
    keys = []
    for _ in range(3):
        clock.advance(1)
        keys.append(await accept(store, clock))
    page = await browser("/sandbox/messages")
    assert page.ids == [store.message_ids.public(key) for key in reversed(keys)]
    assert (await browser("/sandbox/messages", query={"limit": "2"})).ids == page.ids[:2]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [0, 1, 2]),
        ({"to": NUMBER}, [1, 2]),
        ({"to": "639170000001"}, [0]),
        ({"to": NUMBER[:-1]}, []),
        ({"status": "failed"}, [0]),
        ({"status": "accepted"}, [1, 2]),
        ({"status": "read"}, []),
        ({"channel": "viber"}, [0, 1, 2]),
        ({"channel": "sms"}, []),
        ({"text": "4711"}, [0, 1]),
        ({"text": 'say "%_"'}, [2]),
        ({"text": "%"}, [2]),
        ({"text": "CODE"}, []),
        ({"since": "2m"}, [1, 2]),
        ({"since": "61000ms"}, [2]),
        ({"since": "1d"}, [0, 1, 2]),
        ({"since": "1740830520000"}, [2]),
        ({"since": "2025-03-01T12:01:00Z"}, [1, 2]),
        ({"since": "2025-03-01T14:02:00+02:00"}, [2]),
        ({"since": "2099-01-01"}, []),
        ({"since": "9" * 19}, []),
        ({"limit": "1"}, [2]),
        ({"to": NUMBER, "status": "accepted", "text": "4711", "since": "1h"}, [1]),
        ({"to": NUMBER, "status": "failed"}, []),
    ],
)
async def test_filters(
    browser: Browser, store: Store, clock: HandClock, query: dict[str, str], found: list[int]
) -> None:
    """Three messages, a minute apart; it is a minute after the last."""
    own = draft(account_id=MAIN)
    keys = [await accept(store, clock, msgspec.structs.replace(own, recipient="639170000001"))]
    await attempt(store, clock, REFUSED)
    clock.advance(60 * SECOND)
    keys.append(await accept(store, clock, own))
    clock.advance(60 * SECOND)
    keys.append(await accept(store, clock, msgspec.structs.replace(own, content=Content(text='say "%_"'))))
    clock.advance(60 * SECOND)
    page = await browser("/sandbox/messages", query=query)
    assert page.status == 200
    assert sorted(page.ids) == sorted(store.message_ids.public(keys[n]) for n in found)


STATUSES = "accepted, sending, sent, delivered, read, failed, expired, unknown"
MOMENTS = "milliseconds since 1970, an ISO 8601 time, or a length of time such as 5m"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (
            {"status": "gone"},
            f"status must be one of {STATUSES}.",
        ),
        (
            {"since": "yesterday"},
            f"since must be {MOMENTS}.",
        ),
        (
            {"since": "9" * 5000},
            f"since must be {MOMENTS}.",
        ),
        ({"limit": "0"}, "limit must be a number from 1 to 1000."),
        ({"limit": "1001"}, "limit must be a number from 1 to 1000."),
        ({"limit": "-1"}, "limit must be a number from 1 to 1000."),
        ({"limit": "٣"}, "limit must be a number from 1 to 1000."),
        ({"limit": ""}, "limit must be a number from 1 to 1000."),
        ({"limit": "9" * 5000}, "limit must be a number from 1 to 1000."),
    ],
)
async def test_a_filter_that_is_none(browser: Browser, query: dict[str, str], sentence: str) -> None:
    page = await browser("/sandbox/messages", query=query)
    assert (page.status, page.json) == (400, {"error": sentence})


async def test_one_message_and_its_story(browser: Browser, store: Store, clock: HandClock) -> None:
    key = await accept(store, clock)
    clock.advance(5)
    await attempt(store, clock, SENT)
    page = await browser(f"/sandbox/messages/{store.message_ids.public(key)}")
    assert (page.json["status"], page.json["failure"], page.json["fallback"]) == ("sent", None, None)
    assert [(step["at"], step["event"]) for step in page.json["timeline"]] == [
        ("2025-03-01T12:00:00.000Z", "accepted"),
        ("2025-03-01T12:00:00.005Z", "sending"),
        ("2025-03-01T12:00:00.005Z", "sent"),
    ]


async def test_a_fallback_is_told(browser: Browser, store: Store, clock: HandClock) -> None:
    order = FallbackOrder(policy_id="S_000001", content="by SMS", duration=60, rule="undelivered", sms_sender="Shop")
    key = await accept(store, clock, draft(account_id=MAIN, fallback=order))
    page = await browser(f"/sandbox/messages/{store.message_ids.public(key)}")
    assert page.json["fallback"] == {"state": "armed", "message_id": None}


@pytest.mark.parametrize("message_id", ["x", "0" * 24, "f" * 24, "é"])
async def test_a_message_that_does_not_exist(browser: Browser, message_id: str) -> None:
    page = await browser(f"/sandbox/messages/{message_id}")
    assert (page.status, page.json) == (404, {"error": "There is no such message in this account."})


# --- accounts --------------------------------------------------------------------------------------------------------


async def test_one_account_never_sees_another(browser: Browser, store: Store, clock: HandClock) -> None:
    mine = store.message_ids.public(await accept(store, clock))
    theirs = store.message_ids.public(await accept(store, clock, draft(account_id=OTHER)))
    assert (await browser("/sandbox/messages")).ids == [mine]
    assert (await browser("/sandbox/messages", query=OTHERS)).ids == [theirs]
    assert (await browser(f"/sandbox/messages/{theirs}")).status == 404
    assert (await browser(f"/sandbox/messages/{theirs}", query=OTHERS)).status == 200


async def test_one_account_never_sees_the_phones_of_another(
    browser: Browser, phones: Phones, sms_phones: SmsPhones, clock: HandClock
) -> None:
    other, other_sms = seeds.service_id("sandbox-other"), seeds.sms_sender("sandbox-other")
    at = clock.now() - 5000
    phones.put(NUMBER, OnPhone(token="1", received_at=at, service_id=SERVICE, text="mine"))
    phones.put(NUMBER, OnPhone(token="2", received_at=at, service_id=other, text="theirs"))
    sms_phones.put(NUMBER, SmsOnPhone(token="3", received_at=at, sender=SMS_SENDER, text="mine by SMS"))
    sms_phones.put(NUMBER, SmsOnPhone(token="4", received_at=at, sender=other_sms, text="theirs by SMS"))
    for account, text in (("sandbox", "mine"), ("sandbox-other", "theirs")):
        page = await browser(f"/sandbox/phones/{NUMBER}", query={"account": account})
        assert {message["text"] for message in page.json["messages"]} == {text, f"{text} by SMS"}


@pytest.mark.parametrize(
    "path", ["/sandbox/messages", "/sandbox/messages/x", f"/sandbox/phones/{NUMBER}", "/sandbox/callbacks"]
)
async def test_an_account_that_nobody_used(browser: Browser, path: str, store: Store, clock: HandClock) -> None:
    path = path.replace("/x", "/" + store.message_ids.public(await accept(store, clock)))
    page = await browser(path, query={"account": "sandbox-new"})
    assert page.status == 404
    assert page.json["error"] == "There is no account 'sandbox-new' yet; it begins with its first signed call."


# --- phones ----------------------------------------------------------------------------------------------------------


async def test_a_phone(browser: Browser, store: Store, phones: Phones, clock: HandClock) -> None:
    key = await accept(store, clock)
    await attempt(store, clock, SENT)
    button = {"caption": "Open", "action": "https://x"}
    phones.put(NUMBER, OnPhone("token-1", clock.now() + 7, SERVICE, "Sale", "https://i", None, None, button))
    page = await browser(f"/sandbox/phones/{NUMBER}")
    assert page.json == {
        "number": NUMBER,
        "messages": [
            {
                "message_id": store.message_ids.public(key), "channel": "viber", "text": "Sale", "image": "https://i",
                "video": None, "file": None, "button": button, "received_at": "2025-03-01T12:00:00.007Z",
            }
        ],
    }  # fmt: skip
    assert (await browser("/sandbox/phones/639170000001")).json["messages"] == []


async def test_a_phone_shows_both_channels(
    browser: Browser, store: Store, phones: Phones, sms_phones: SmsPhones, clock: HandClock
) -> None:
    """Tokens are a provider's own: the same one is another message at another provider."""
    viber = await accept(store, clock)
    await attempt(store, clock, SENT)
    sms = await accept(store, clock, draft(account_id=MAIN, channel="sms", service_id=SMS_SENDER), "sms")
    await attempt(store, clock, SENT, "sms")
    phones.put(NUMBER, OnPhone("token-1", clock.now() + 7, SERVICE, "first"))
    sms_phones.put(NUMBER, SmsOnPhone("token-1", clock.now() + 8, SMS_SENDER, "second"))
    phones.put(NUMBER, OnPhone("never", clock.now() + 9 - JUST_COME, SERVICE, "long ago"))
    clock.advance(9)
    page = await browser(f"/sandbox/phones/{NUMBER}")
    public = store.message_ids.public
    assert [(each["channel"], each["text"], each["message_id"]) for each in page.json["messages"]] == [
        ("sms", "second", public(sms)), ("viber", "first", public(viber)), ("viber", "long ago", None),
    ]  # fmt: skip
    assert page.json["messages"][0] == {
        "message_id": public(sms), "channel": "sms", "text": "second", "image": None, "video": None, "file": None,
        "button": None, "received_at": "2025-03-01T12:00:00.008Z",
    }  # fmt: skip


@pytest.mark.parametrize("number", ["+639170000099", "x", "٣", "63 917"])
async def test_a_number_is_digits(browser: Browser, number: str) -> None:
    assert (await browser(f"/sandbox/phones/{number}")).status == 400


async def test_the_id_of_a_message_that_has_just_come_is_waited_for(
    browser: Browser, store: Store, phones: Phones, clock: HandClock
) -> None:
    """The partner has it, its reply is being committed."""
    key = await accept(store, clock)
    phones.put(NUMBER, OnPhone(token="token-1", received_at=clock.now(), service_id=SERVICE))
    asked = asyncio.ensure_future(browser(f"/sandbox/phones/{NUMBER}"))
    await asyncio.sleep(0.05)
    assert not asked.done()
    await attempt(store, clock, SENT)
    assert (await asked).ids == [store.message_ids.public(key)]


async def test_the_id_of_an_old_message_is_not_waited_for(browser: Browser, phones: Phones, clock: HandClock) -> None:
    """Its reply was lost: the receipt may still find it."""
    phones.put(NUMBER, OnPhone(token="never", received_at=clock.now() - JUST_COME, service_id=SERVICE))
    assert (await browser(f"/sandbox/phones/{NUMBER}")).ids == [None]


async def test_the_wait_ends_when_the_message_is_no_more_new(
    browser: Browser, phones: Phones, clock: HandClock
) -> None:
    phones.put(NUMBER, OnPhone(token="never", received_at=clock.now(), service_id=SERVICE))
    asked = asyncio.ensure_future(browser(f"/sandbox/phones/{NUMBER}"))
    await asyncio.sleep(0.05)
    assert not asked.done()
    clock.advance(JUST_COME)
    assert (await asked).ids == [None]


# --- who may look ----------------------------------------------------------------------------------------------------

LOCAL = ["127.0.0.1", "127.0.0.1:8080", "localhost", "localhost:8080", "LocalHost:1", "[::1]", "[::1]:8080"]
FOREIGN = [
    "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.5:8080",
    "127.0.0.1@evil.example", "", "[", "[::1", "::1",
]  # fmt: skip


@pytest.mark.parametrize("host", LOCAL)
async def test_names_of_this_machine(browser: Browser, host: str) -> None:
    assert (await browser("/sandbox/messages", {"host": host})).status == 200


@pytest.mark.parametrize("host", [*FOREIGN, None])
async def test_a_name_that_was_bound_to_this_machine(browser: Browser, host: str | None) -> None:
    page = await browser("/sandbox/messages", {"host": host})
    assert page.status == 403
    assert page.json == {"error": "This sandbox answers on loopback only; start it with --open for other names."}


@pytest.mark.parametrize("host", ["evil.example", "192.168.1.5:8080"])
async def test_an_open_sandbox_answers_to_every_name(store: Store, clock: HandClock, host: str) -> None:
    open_to_all = Browser(routes.app(store, Phones(), SmsPhones(), clock, open_to_all=True))
    assert (await open_to_all("/sandbox/messages", {"host": host})).status == 200
    assert (await open_to_all("/sandbox/messages", {"host": host, "origin": "https://a.example"})).status == 403
    assert (await open_to_all("/sandbox/messages", {"host": host, "sec-fetch-site": "cross-site"})).status == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "none"}, 200),  # typed in by the person
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),  # another port of this machine
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "whatever"}, 403),
        ({"origin": "http://127.0.0.1:8080"}, 200),
        ({"origin": "https://127.0.0.1:8080"}, 200),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "http://localhost:8080"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "https://evil.example/127.0.0.1:8080"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://["}, 403),
        ({"origin": "ftp://127.0.0.1:8080"}, 403),
        ({"origin": "http://127.0.0.1:8080", "sec-fetch-site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize(
    "path", ["/sandbox/messages", "/sandbox/messages/x", f"/sandbox/phones/{NUMBER}", "/sandbox/callbacks"]
)
async def test_pages_of_other_sites(
    browser: Browser, store: Store, clock: HandClock, path: str, headers: dict[str, str], status: int
) -> None:
    path = path.replace("/x", "/" + store.message_ids.public(await accept(store, clock)))
    page = await browser(path, headers)
    assert page.status == status
    assert status == 200 or page.json == {"error": "Requests of other sites are refused."}


# --- the rest --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/sandbox", "/sandbox/", "/sandbox/nothing", "/sandbox/phones/", "/sandbox/messages/a/b"]
)
async def test_a_page_that_does_not_exist(browser: Browser, path: str) -> None:
    page = await browser(path)
    assert (page.status, page.json) == (404, {"error": f"There is no {path}."})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_nothing_can_be_changed(browser: Browser, method: str) -> None:
    page = await browser("/sandbox/messages", method=method)
    assert (page.status, page.json) == (405, {"error": f"{method} is not for /sandbox/messages."})


@pytest.mark.parametrize("path", ["/sandbox/messages", f"/sandbox/phones/{NUMBER}", "/sandbox/callbacks"])
async def test_a_database_that_is_away(clock: HandClock, path: str) -> None:
    class Away:
        async def find_account(self, name: str) -> int | None:
            raise StoreUnavailable("the database cannot be read: OperationalError")

    app = routes.app(Away(), Phones(), SmsPhones(), clock, open_to_all=False)  # type: ignore[arg-type]
    page = await Browser(app)(path)
    assert (page.status, page.json) == (503, {"error": "The database cannot be read now."})
