"""Webhooks and history with the newest Python SDK's typed methods: what is set is told, what was sent is listed."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.exceptions import ClientException  # type: ignore[import-untyped]

from tests.e2e.sandbox import PACE, PATIENCE, SENDER, SPACE, TEMPLATE, Sandbox
from tests.gateway.wire import Caller, ask
from tests.sdk import python5
from tests.sdk.calls import FILLED, TEMPLATE_TO, TEXT, TEXT_TO, Call

pytestmark = pytest.mark.xdist_group("sdk")

OK = '{"code":0,"msg":"Success"}'


@pytest.fixture
def call(sandbox: Sandbox, account: str) -> Call:
    return Call(sandbox.host, account, account, TEXT)


@pytest.fixture
def client(call: Call) -> Client:
    return python5.client(call)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """An endpoint of a customer."""
    shop = Shop()
    thread = threading.Thread(target=shop.server.serve_forever)
    thread.start()
    yield shop
    shop.server.shutdown()
    thread.join()
    shop.server.server_close()


class Shop:
    def __init__(self) -> None:
        heard = self.heard = queue.Queue[tuple[str, dict[str, Any]]]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                for report in json.loads(self.rfile.read(int(self.headers["content-length"]))):
                    heard.put((self.path, report))
                self.send_response(200)
                self.send_header("content-length", str(len(OK)))
                self.end_headers()
                self.wfile.write(OK.encode())

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def statuses(self, until: str) -> list[tuple[str, str, str]]:
        """Return path, MessageId and status of what is heard, up to a status."""
        found = []
        deadline = time.monotonic() + PATIENCE
        while True:
            path, report = self.heard.get(timeout=max(0, deadline - time.monotonic()))
            found.append((path, report["MessageId"], report["Status"]))
            if report["Status"] == until:
                return found


def send(call: Call, params: dict[str, object] = TEXT) -> str:
    [outcome] = python5.run([replace(call, params=params)])
    assert outcome.message_id is not None, outcome
    return outcome.message_id


def history(client: Client, *, index: int = 1, size: int = 10, **more: Any) -> list[dict[str, Any]]:
    """Return the objects of one page, as the typed client has read them."""
    asked = {"business_number": SENDER, "channel_type": "viber", "cust_space_id": SPACE, **more}
    page = models.ListChatappMessageRequestPage(index=index, size=size)
    body = client.list_chatapp_message(models.ListChatappMessageRequest(page=page, **asked)).body
    assert (body.code, body.success) == ("OK", True)
    return [one.to_map() for one in body.data]


def test_account_webhook(call: Call, client: Client, shop: Shop) -> None:
    asked = models.UpdateAccountWebhookRequest(
        cust_space_id=SPACE, status_callback_url=f"{shop.url}/status", http_flag="Y", queue_flag="N"
    )
    body = client.update_account_webhook(asked).body
    assert (body.code, body.message) == ("OK", "OK")
    message_id = send(call)
    assert shop.statuses("Delivered") == [
        ("/status", message_id, "Sent"), ("/status", message_id, "Delivered"),
    ]  # fmt: skip


def test_phone_webhook_comes_first_until_it_is_taken_away(call: Call, client: Client, shop: Shop) -> None:
    client.update_account_webhook(
        models.UpdateAccountWebhookRequest(cust_space_id=SPACE, status_callback_url=f"{shop.url}/account")
    )
    for url, path in ((f"{shop.url}/phone", "/phone"), ("", "/account")):
        asked = models.UpdatePhoneWebhookRequest(cust_space_id=SPACE, phone_number=SENDER, status_callback_url=url)
        assert client.update_phone_webhook(asked).body.code == "OK"
        send(call)
        assert {told[0] for told in shop.statuses("Delivered")} == {path}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cust_space_id": "another"}, "Unknown.ResourceOwnerId"),
        ({"queue_flag": "Y"}, "InvalidParameter.QueueFlag"),
        ({"status_callback_url": "shop.example"}, "InvalidParameter.StatusCallbackUrl"),
        ({"phone_number": "1"}, "InvalidParameter.PhoneNumber"),
    ],
)
def test_refused_webhooks(client: Client, changes: dict[str, str], code: str) -> None:
    good = {"cust_space_id": SPACE, "phone_number": SENDER, "status_callback_url": "https://shop.example/"}
    asked = models.UpdatePhoneWebhookRequest(**good | changes)
    if code == "Unknown.ResourceOwnerId":
        with pytest.raises(ClientException) as refused:
            client.update_phone_webhook(asked)
        assert refused.value.code == code
    else:
        assert client.update_phone_webhook(asked).body.code == code


def test_history(sandbox: Sandbox, call: Call, client: Client) -> None:
    assert history(client) == []
    text, template = send(call), send(call, FILLED)
    for message_id in (text, template):
        sandbox.delivered(message_id, call.access_key_id)
    newer, older = history(client)
    assert (newer["MessageId"], older["MessageId"]) == (template, text)
    assert older["Message"] == json.loads(str(TEXT["Content"]))["text"]
    assert (older["UserNumber"], older["Type"], older["MessageType"]) == (TEXT_TO, "message", "text")
    assert (newer["UserNumber"], newer["TemplateCode"], newer["LanguageCode"]) == (TEMPLATE_TO, TEMPLATE, "en")
    assert newer["Message"] == "Hello Ana & Zoë, your order A/7 +1 is on its way."
    for one in (newer, older):
        assert (one["MessageStatus"], one["ClientAcceptStatusName"], one["FailBackFlag"]) == ("success", "Success", "N")
        assert (one["BusinessNumber"], one["ChannelType"], one["EventAction"]) == (SENDER, "viber", "DOWN")
    assert history(client, size=1) == [newer]
    assert history(client, size=1, index=2) == [older]
    assert history(client, size=1, index=3) == []
    assert history(client, end_time=int(older["SendTime"]), start_time=0) == [older]
    assert history(client, user_number=TEMPLATE_TO, message_status="success", event_action="DOWN") == [newer]
    assert history(client, template_code=TEMPLATE, client_accept_status="success") == [newer]
    assert history(client, event_action="UP") == history(client, group_message_id="1") == []


def test_history_of_a_fallback(sandbox: Sandbox, call: Call, client: Client) -> None:
    """Who has no Viber gets the SMS; the history says so, and so does the sandbox."""
    order: dict[str, object] = {"FallBackId": "S_000001", "FallBackContent": "Viber did not arrive."}
    delivered = send(call, TEXT | order)
    sandbox.delivered(delivered, call.access_key_id)
    failed = send(call, TEXT | order | {"To": "639170000038"})
    deadline = time.monotonic() + PATIENCE
    while (fallback := sandbox.message(failed, call.access_key_id)["fallback"])["state"] == "armed":
        assert time.monotonic() < deadline
        time.sleep(PACE)
    assert fallback["state"] == "fired"
    sms = sandbox.message(fallback["message_id"], call.access_key_id)
    assert (sms["to"], sms["channel"], sms["text"]) == ("639170000038", "sms", "Viber did not arrive.")
    assert sms["fallback"] is None
    found = {one["MessageId"]: one for one in history(client)}
    assert found.keys() == {delivered, failed}
    assert (found[failed]["FailBackFlag"], found[failed]["FailBackContent"]) == ("Y", "Viber did not arrive.")
    assert found[failed]["FailReason"].startswith("SRVC_NOT_VIBER_USER:")
    assert (found[delivered]["FailBackFlag"], found[delivered]["FailBackContent"]) == ("N", "")
    assert sandbox.message(delivered, call.access_key_id)["fallback"] == {"state": "called_off", "message_id": None}


def test_history_of_others_is_not_there(sandbox: Sandbox, call: Call, client: Client) -> None:
    send(call)
    other = python5.client(replace(call, access_key_id=f"{call.access_key_id}-2", secret=f"{call.access_key_id}-2"))
    assert history(other) == []
    assert len(history(client)) == 1


def test_refused_page(client: Client) -> None:
    asked = models.ListChatappMessageRequest(
        business_number=SENDER, channel_type="viber", cust_space_id=SPACE,
        page=models.ListChatappMessageRequestPage(index=1, size=101),
    )  # fmt: skip
    body = client.list_chatapp_message(asked).body
    assert (body.code, body.data) == ("InvalidParameter.PageInvalid", [])


@pytest.mark.parametrize("action", ["ListChatappMessage", "UpdateAccountWebhook", "UpdatePhoneWebhook"])
def test_replays_are_refused(sandbox: Sandbox, account: str, action: str) -> None:
    params = {
        "BusinessNumber": SENDER, "ChannelType": "viber", "CustSpaceId": SPACE, "Page": '{"Index":1,"Size":10}',
        "PhoneNumber": SENDER, "HttpFlag": "N",
    }  # fmt: skip
    request = Caller(sandbox.host, account).v3(params, action=action)
    assert [ask(sandbox.host, request).code for _ in range(2)] == ["OK", "SignatureNonceUsed"]
