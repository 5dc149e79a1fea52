"""The Viber partner's wire: how each callback is read."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chatgate.domain.receipt import News, Receipt, ReceiptStatus, Reply
from chatgate.providers.base import UnreadableReceipt
from chatgate.wire import HttpRequest
from tests.drafts import NOW, NUMBER
from tests.providers.viber import TOKEN, partner


def told(body: bytes | str) -> list[News]:
    raw = body if isinstance(body, bytes) else body.encode()
    return partner().read_receipts(HttpRequest(method="POST", path="/receipts/viber/secret", body=raw))


def event(status: object, token: object = f'"{TOKEN}"', phone: object = f'"{NUMBER}"', service: object = 3100) -> str:
    return (
        f'{{"message_token":{token},"message_status":{status},"message_time":{NOW},"phone_number":{phone},'
        f'"service_id":{service}}}'
    )


@pytest.mark.parametrize(
    ("status", "meaning", "code"),
    [
        (0, ReceiptStatus.DELIVERED, ""),
        (1, ReceiptStatus.READ, ""),
        (2, ReceiptStatus.EXPIRED, "SRVC_TIMEOUT"),
        (4, ReceiptStatus.SUBSCRIBED, ""),
        (5, ReceiptStatus.UNSUBSCRIBED, ""),
    ],
)
@pytest.mark.parametrize("token", [f'"{TOKEN}"', TOKEN])
def test_every_message_status(status: int, meaning: ReceiptStatus, code: str, token: str) -> None:
    (receipt,) = told(event(status, token))
    assert isinstance(receipt, Receipt)
    assert receipt.reason == "" or receipt.reason.endswith(".")
    assert msgspec.structs.replace(receipt, reason="") == Receipt(
        provider="viber", token=TOKEN, status=meaning, at=NOW, service_id="3100", recipient=NUMBER, code=code
    )


@pytest.mark.parametrize("status", [3, 6, 99, -1])
def test_unknown_message_status_is_acknowledged_and_says_nothing(status: int) -> None:
    assert told(event(status)) == []


@pytest.mark.parametrize(
    ("body", "read_as"),
    [
        (
            '{"phone_number":"972512222000","time":1622014595,"message":{"text":"hi","tracking_data":"id:42"}}',
            {"at": 1_622_014_595_000, "text": "hi", "tracking_data": "id:42"},
        ),
        (
            '{"phone_number":"972512222000","time":1622014595,"message":{"media":"https://x/a","file_name":"a.jpg"}}',
            {"at": 1_622_014_595_000, "media": "https://x/a", "file_name": "a.jpg"},
        ),
        (
            '{"phone_number":"+972512222000","service_id":"3100","message":{"text":"a \\u0000 b","new":[{}]}}',
            {"service_id": "3100", "text": "a \0 b"},
        ),
        (
            '{"message":"hi","phone_number":"972512222000","service_id":3100,"message_token":1}',
            {"service_id": "3100", "text": "hi"},
        ),
        ('{"message":{},"phone_number":"972512222000"}', {}),
    ],
)
def test_reply_of_a_user(body: str, read_as: dict[str, Any]) -> None:
    always: dict[str, Any] = {"provider": "viber", "service_id": "", "recipient": "972512222000", "at": 0}
    assert told(body) == [Reply(**(always | read_as))]


@pytest.mark.parametrize(
    "body",
    [
        '{"message":{"text":"hi"}}',
        '{"message":{"text":"hi"},"phone_number":"nobody"}',
        '{"message":{"text":7},"phone_number":"972512222000"}',
        '{"message":7,"phone_number":"972512222000"}',
        '{"message":["hi"],"phone_number":"972512222000"}',
        '{"message":{"text":"hi"},"phone_number":"972512222000","time":"today"}',
    ],
)
def test_what_is_no_reply_is_refused(body: str) -> None:
    with pytest.raises(UnreadableReceipt):
        told(body)


def test_subscription_needs_no_token() -> None:
    (receipt,) = told(f'{{"message_status":5,"message_time":{NOW},"phone_number":"{NUMBER}","service_id":3100}}')
    assert isinstance(receipt, Receipt)
    assert (receipt.token, receipt.status) == ("", ReceiptStatus.UNSUBSCRIBED)


@pytest.mark.parametrize("phone", [f'"{NUMBER}"', f'"+{NUMBER}"'])
@pytest.mark.parametrize(("service", "read_as"), [(3100, "3100"), ('"3100"', "3100"), ("null", "")])
def test_spellings_of_number_and_service(phone: str, service: object, read_as: str) -> None:
    (receipt,) = told(event(0, phone=phone, service=service))
    assert isinstance(receipt, Receipt)
    assert (receipt.recipient, receipt.service_id) == (NUMBER, read_as)


@pytest.mark.parametrize(
    "body",
    [
        event(0, phone="null"),
        event(0, phone="639170000099"),
        event(0, phone='"+63 917 000"'),
        event(0, phone='"63917\\u0000"'),
        event(0, phone='"63917\\n"'),
        event(0, phone=f'"{"6" * 30}"'),
        event(0, token="1.5"),
        event(0, token='""'),
        event(0, token='"a\\u0000"'),
        event(0, token="[1]"),
        event(0, token="true"),
        event(0, service="{}"),
        event("null"),
        event('"delivered"'),
        event("0.5"),
        event("true"),
        event(0).replace(str(NOW), '"today"'),
    ],
)
def test_wrong_types_are_refused(body: str) -> None:
    with pytest.raises(UnreadableReceipt):
        told(body)
