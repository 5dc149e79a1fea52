"""A mass sending with the newest Python SDK's typed methods: sent, followed, told, listed."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.exceptions import ThrottlingException  # type: ignore[import-untyped]

from tests.e2e.sandbox import PACE, PATIENCE, SENDER, SPACE, TEMPLATE, Sandbox
from tests.gateway.wire import Caller, ask_all
from tests.sdk import python5
from tests.sdk.calls import TEXT, Call

pytestmark = pytest.mark.xdist_group("sdk")

LIMIT = 10


@pytest.fixture
def client(sandbox: Sandbox, account: str) -> Client:
    return python5.client(Call(sandbox.host, account, account, TEXT))


def receivers(count: int) -> list[Any]:
    """Return receivers whose phones deliver."""
    receiver = models.SendChatappMassMessageRequestSenderList
    return [
        receiver(to=f"63917{n:05}00", template_params={"param1": f"Zoë {n}", "param2": str(n)}) for n in range(count)
    ]


def request(to: list[Any], **more: object) -> Any:
    return models.SendChatappMassMessageRequest(
        channel_type="viber", from_=SENDER, cust_space_id=SPACE, language="en", template_code=TEMPLATE,
        label="transaction", sender_list=to, **more,
    )  # fmt: skip


def settled(sandbox: Sandbox, account: str, count: int) -> list[dict[str, Any]]:
    """Return the messages of an account once so many are delivered."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = sandbox.messages(account)
        if sum(message["status"] == "delivered" for message in found) == count:
            return found
        assert time.monotonic() < deadline, Counter(message["status"] for message in found)
        time.sleep(PACE)


def test_a_mass_sending(sandbox: Sandbox, account: str, client: Client) -> None:
    body = client.send_chatapp_mass_message(request(receivers(20), task_id="campaign-7")).body
    assert (body.code, body.message) == ("OK", "OK")
    messages = settled(sandbox, account, 20)
    texts = {message["to"]: message["text"] for message in messages}
    assert texts["639170000300"] == "Hello Zoë 3, your order 3 is on its way."
    assert len(set(texts.values())) == 20

    asked = models.ListChatappMessageRequest(
        business_number=SENDER, channel_type="viber", cust_space_id=SPACE, group_message_id=body.group_message_id,
        page=models.ListChatappMessageRequestPage(index=1, size=100),
    )  # fmt: skip
    listed = client.list_chatapp_message(asked).body.data
    assert {one.message_id for one in listed} == {message["message_id"] for message in messages}

    deadline = time.monotonic() + PATIENCE
    while len(told := [one for post in sandbox.callbacks(account) for one in post["body"]]) < 40:
        assert time.monotonic() < deadline
        time.sleep(PACE)
    assert {(one["GroupId"], one["TaskId"]) for one in told} == {(body.group_message_id, "campaign-7")}
    assert {one["MessageId"] for one in told} == set(message["message_id"] for message in messages)


def test_a_thousand_receivers(sandbox: Sandbox, account: str, client: Client) -> None:
    """The SDK puts all of them into the address of the request."""
    body = client.send_chatapp_mass_message(request(receivers(1000))).body
    assert body.code == "OK"
    assert len(sandbox.messages(account)) == 1000


def test_a_wrong_receiver_stores_nothing(sandbox: Sandbox, account: str, client: Client) -> None:
    wrong = receivers(3)
    wrong[1].to = "+639170000000"
    body = client.send_chatapp_mass_message(request(wrong)).body
    assert (body.code, body.group_message_id) == ("InvalidParameter.ToOnlyNumeric", None)
    assert body.message == "Entry 2 of SenderList: To must be digits only."
    assert sandbox.messages(account) == []


def test_ten_calls_a_second(sandbox: Sandbox, account: str, client: Client) -> None:
    """Its limit is its own: single messages still pass, and the SDK is told how long to wait."""
    caller = Caller(sandbox.host, account)
    params = mass()
    began = time.monotonic()
    replies = ask_all(sandbox.host, [caller.v3(params, action="SendChatappMassMessage") for _ in range(3 * LIMIT)])
    seconds = int(time.monotonic() - began)
    codes = Counter(reply.code for reply in replies)
    assert codes.keys() == {"OK", "System.LimitControl"}
    assert LIMIT <= codes["OK"] <= LIMIT * (1 + seconds)
    assert python5.run([replace(Call(sandbox.host, account, account, TEXT))])[0].code == "OK"
    refused = next(reply for reply in replies if reply.code != "OK")
    assert refused.headers["x-ratelimit-user-api"].startswith(f"Limit:{LIMIT},Remain:0,")
    ask_all(sandbox.host, [caller.v3(params, action="SendChatappMassMessage") for _ in range(2 * LIMIT)])
    with pytest.raises(ThrottlingException):
        client.send_chatapp_mass_message(request(receivers(1)))


def mass(**changed: str) -> dict[str, str]:
    return {
        "ChannelType": "viber", "From": SENDER, "Language": "en", "TemplateCode": TEMPLATE, "Label": "transaction",
        "SenderList": '[{"To":"639170000000","TemplateParams":{"param1":"a","param2":"b"}}]', **changed,
    }  # fmt: skip


def test_the_same_call_again(sandbox: Sandbox, account: str) -> None:
    """Byte by byte it is a replay; under the same key it is the same sending; with another content it is refused."""
    caller, action = Caller(sandbox.host, account), "SendChatappMassMessage"
    key = {"idempotency-key": "campaign-7"}
    request = caller.v3(mass(), action=action, unsigned=key)
    first, replay, again, other = ask_all(
        sandbox.host,
        [request, request, caller.v3(mass(), action=action, unsigned=key),
         caller.v3(mass(Tag="t"), action=action, unsigned=key)],
    )  # fmt: skip
    assert [reply.code for reply in (first, replay, again, other)] == [
        "OK", "SignatureNonceUsed", "OK", "IdempotentParameterMismatch",
    ]  # fmt: skip
    assert first.json["GroupMessageId"] == again.json["GroupMessageId"]
    assert len(sandbox.messages(account)) == 1


def test_an_entry_that_fails_falls_back(sandbox: Sandbox, account: str) -> None:
    """With sentFailed its fault is its own: the others go out, and it becomes an SMS."""
    entries = '[{"To":"639170000000","TemplateParams":{"param1":"a","param2":"b"}},{"To":"639170000100"}]'
    order = {"FallBackId": "S_000001", "FallBackContent": "By SMS.", "FallBackRule": "sentFailed"}
    request = Caller(sandbox.host, account).v3(mass(SenderList=entries, **order), action="SendChatappMassMessage")
    assert ask_all(sandbox.host, [request])[0].code == "OK"
    settled(sandbox, account, 2)
    found = {(one["to"], one["channel"]): one["status"] for one in sandbox.messages(account)}
    assert found == {
        ("639170000000", "viber"): "delivered", ("639170000100", "viber"): "failed",
        ("639170000100", "sms"): "delivered",
    }  # fmt: skip
