"""The Viber partner's wire: what is written, how each reply and each callback is read."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec
import pytest

from chatgate.domain.message import Draft, Label, MessageKind, MessageType, Outcome, SendResult
from chatgate.domain.receipt import News, Receipt, ReceiptStatus, Reply
from chatgate.errors import SettingError
from chatgate.providers import viber_partner
from chatgate.providers.base import HttpProvider, UnreadableReceipt
from chatgate.wire import HttpRequest, HttpResponse
from tests.drafts import ACTION, CONTENTS, LINK, NOW, NUMBER, TEMPLATE, TEXT, THUMBNAIL, draft, message
from tests.providers import kit

URL = "http://127.0.0.1:1/vibersrvc/1/send_message"
TOKEN = "5379697806260881548"
"""Larger than 2^53: as a float it would end in 000."""


def partner(url: str = URL, reply_timeout: float = 2.0) -> HttpProvider:
    return viber_partner.build("viber", kit.settings(url, "viber_partner", reply_timeout), kit.outbound(reply_timeout))


class TestAlways(kit.Always):
    ACCEPTED = b'{"status":0,"seq":1,"message_token":"5379697806260881548"}'

    def provider(self, url: str, reply_timeout: float = 2.0) -> HttpProvider:
        return partner(url, reply_timeout)


# --- writing ---------------------------------------------------------------------------------------------------------


def written(of: Draft, now: int = NOW, id: int = 4242) -> dict[str, object]:
    """Return the body as the partner reads it."""
    request = partner().encode(message(of, id=id), now)
    assert (request.method, request.path) == ("POST", URL)
    assert request.headers == {"content-type": "application/json"}
    body: dict[str, object] = msgspec.json.decode(request.body)
    return body


VIDEO = {"duration": 12, "file_size": 1_572_864}

# What stands in the body besides what every message has: for each message type, by label.
BODIES: dict[MessageType, dict[str, object]] = {
    MessageType.TEXT: {"message": {"#txt": TEXT, "#tracking_data": ""}},
    MessageType.IMAGE: {"type": 207, "message": {"#img": LINK, "#tracking_data": ""}},
    MessageType.TEXT_IMAGE_BUTTON: {
        "type": 208,
        "message": {"#txt": TEXT, "#img": LINK, "#caption": "Open", "#action": ACTION, "#tracking_data": ""},
    },
    MessageType.TEXT_IMAGE: {
        "type": 208,
        "message": {"#txt": TEXT, "#img": LINK, "#caption": "", "#action": "", "#tracking_data": ""},
    },
    MessageType.TEXT_BUTTON: {
        "type": 209,
        "message": {"#txt": TEXT, "#caption": "Open", "#action": ACTION, "#tracking_data": ""},
    },
    MessageType.DOCUMENT: {
        "type": 220,
        "file_type": "pdf",
        "message": {"#fileName": "bill.pdf", "#action": LINK, "#tracking_data": ""},
    },
    MessageType.VIDEO: {
        "type": 230,
        **VIDEO,
        "message": {"#thumbnail": THUMBNAIL, "#action": LINK, "#tracking_data": ""},
    },
    MessageType.TEXT_VIDEO: {
        "type": 231,
        **VIDEO,
        "message": {"#txt": TEXT, "#thumbnail": THUMBNAIL, "#action": LINK, "#tracking_data": ""},
    },
    MessageType.TEXT_VIDEO_BUTTON: {
        "type": 232,
        **VIDEO,
        "message": {"#txt": TEXT, "#thumbnail": THUMBNAIL, "#caption": "Play", "#action": LINK, "#tracking_data": ""},
    },
}
SEQ = int.from_bytes(blake2b((4242).to_bytes(8, "big"), digest_size=8).digest(), "big") >> 11
TEXT_TYPES = {Label.TRANSACTION: 206, Label.PROMOTION: 225}


@pytest.mark.parametrize("label", Label)
@pytest.mark.parametrize("message_type", MessageType)
def test_every_message_type(message_type: MessageType, label: Label) -> None:
    always = {"service_id": 3100, "dest": NUMBER, "seq": SEQ, "label": str(label), "ttl": 120}
    kind = {"type": TEXT_TYPES[label]} if message_type is MessageType.TEXT else {}
    assert written(draft(message_type, label=label)) == always | kind | BODIES[message_type]


@pytest.mark.parametrize("label", Label)
def test_video_with_a_button_of_its_own(label: Label) -> None:
    content = msgspec.structs.replace(CONTENTS[MessageType.TEXT_VIDEO_BUTTON], action=ACTION)
    body = written(draft(MessageType.TEXT_VIDEO_BUTTON, label=label, content=content))
    assert body["type"] == 233
    assert body["message"] == {
        "#txt": TEXT, "#thumbnail": THUMBNAIL, "#caption": "Play", "#media": LINK, "#action": ACTION,
        "#tracking_data": "",
    }  # fmt: skip


def test_template_that_the_partner_knows() -> None:
    body = written(draft(kind=MessageKind.TEMPLATE, partner_template=TEMPLATE, tag="spring", tracking_data="id:42"))
    assert body == {
        "service_id": 3100, "dest": NUMBER, "seq": SEQ, "label": "transaction", "ttl": 120, "tag": "spring",
        "type": 1702, "templateId": "t-1", "templateLang": "en", "templateParams": {"param1": "Ann", "param2": "7"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("label", "template", "kind"),
    [(Label.PROMOTION, TEMPLATE, 225), (Label.PROMOTION, None, 225), (Label.TRANSACTION, None, 206)],
)
def test_template_as_its_text(label: Label, template: object, kind: int) -> None:
    body = written(draft(kind=MessageKind.TEMPLATE, label=label, partner_template=template))
    assert body["type"] == kind
    assert body["message"] == {"#txt": TEXT, "#tracking_data": ""}
    assert not [name for name in body if name.startswith("template")]


@pytest.mark.parametrize(
    ("ttl", "passed", "told"),
    [
        (120, 0, 120),
        (120, 1, 120),  # a begun second counts
        (120, 1000, 119),
        (120, 60_000, 60),
        (120, 89_999, 31),
        (120, 90_000, 30),
        (120, 91_000, 30),  # the partner's minimum, as long as anything is left
        (120, 119_999, 30),
        (30, 0, 30),
        (1_209_600, 0, 1_209_600),
        (1_209_600, 999, 1_209_600),
    ],
)
def test_time_to_live_is_what_is_left(ttl: int, passed: int, told: int) -> None:
    assert written(draft(ttl=ttl), NOW + passed)["ttl"] == told


@pytest.mark.parametrize("message_type", MessageType)
def test_tag_and_tracking_data(message_type: MessageType) -> None:
    body = written(draft(message_type, tag="spring", tracking_data='{"id":42}'))
    assert body["tag"] == "spring"
    assert body["message"]["#tracking_data"] == '{"id":42}'  # type: ignore[index]


@pytest.mark.parametrize(
    ("megabytes", "size"), [(1, 1_048_576), (200, 209_715_200), (0.5, 524_288), (0.000_001, 1), (1.234_567, 1_294_537)]
)
def test_file_size_is_bytes(megabytes: float, size: int) -> None:
    content = msgspec.structs.replace(CONTENTS[MessageType.VIDEO], file_size_mb=megabytes)
    assert written(draft(MessageType.VIDEO, content=content))["file_size"] == size


@pytest.mark.parametrize("service_id", ["1", "3100", "00042", str(2**53 + 1)])
def test_service_id_is_a_whole_number(service_id: str) -> None:
    assert written(draft(service_id=service_id))["service_id"] == int(service_id)


@pytest.mark.parametrize("service_id", ["", "abc", "3100x", "3.5"])
async def test_service_id_that_is_none_is_quarantined(service_id: str) -> None:
    result = await partner().send(message(draft(service_id=service_id)), NOW)
    assert (result.outcome, result.code) == (Outcome.REFUSED, "Quarantined")


def test_seq_is_one_of_its_own_for_every_message() -> None:
    """Keys of neighbours differ in a few bits only, and where they differ is not always at the end."""
    keys = [moment << 22 | node << 12 | place for moment in range(500) for node in (0, 3) for place in (0, 1)]
    seqs = {written(draft(), id=key)["seq"] for key in keys}
    assert len(seqs) == len(keys)
    assert all(isinstance(seq, int) and 0 <= seq < 2**53 for seq in seqs)
    assert written(draft(), id=7)["seq"] == written(draft(), id=7)["seq"]


def test_text_is_sent_as_it_is() -> None:
    text = 'quotes " and \\, \u2028, 👩\u200d👩\u200d👧, Кирилл\nline'
    body = written(draft(content=msgspec.structs.replace(CONTENTS[MessageType.TEXT], text=text)))
    assert body["message"] == {"#txt": text, "#tracking_data": ""}


# --- replies ---------------------------------------------------------------------------------------------------------


def read(body: bytes, status: int = 200) -> SendResult:
    return partner().decode(message(), HttpResponse(status=status, body=body))


# facts: public partner documentation and client code; every status that any of them names.
STATUSES: dict[int, tuple[str, Outcome]] = {
    1: ("SRVC_INTERNAL_FAILURE", Outcome.DEFERRED),
    2: ("SRVC_BAD_SERVICE_ID", Outcome.REFUSED),
    3: ("SRVC_BAD_DATA", Outcome.REFUSED),
    4: ("SRVC_BLOCKED_MESSAGE_TYPE", Outcome.REFUSED),
    5: ("SRVC_BAD_MESSAGE_TYPE", Outcome.REFUSED),
    6: ("SRVC_BAD_PARAMETERS", Outcome.REFUSED),
    7: ("SRVC_TIMEOUT", Outcome.UNKNOWN),
    8: ("SRVC_USER_BLOCKED", Outcome.REFUSED),
    9: ("SRVC_NOT_VIBER_USER", Outcome.REFUSED),
    10: ("SRVC_NO_SUITABLE_DEVICE", Outcome.REFUSED),
    11: ("SRVC_UNAUTHORIZED_IP", Outcome.REFUSED),
    12: ("SRVC_ALREADY_SENT", Outcome.UNKNOWN),
    13: ("SRVC_NOT_PERMITTED", Outcome.REFUSED),
    14: ("SRVC_BILLING_FAILURE", Outcome.REFUSED),
    17: ("SRVC_NO_MORE_MESSAGES", Outcome.REFUSED),
    18: ("SRVC_BAD_LABEL", Outcome.REFUSED),
    20: ("SRVC_INVALID_TTL", Outcome.REFUSED),
    21: ("SRVC_WAIT_FOR_USER_RESPONSE", Outcome.REFUSED),
    27: ("SRVC_INVALID_PHONE_NUMBER", Outcome.REFUSED),
    28: ("SRVC_FILE_NOT_PERMITTED", Outcome.REFUSED),
    29: ("SRVC_BAD_FILE_NAME_LENGTH", Outcome.REFUSED),
    30: ("SRVC_BAD_THUMBNAIL", Outcome.REFUSED),
    31: ("SRVC_BAD_FILE_SIZE", Outcome.REFUSED),
    32: ("SRVC_BAD_DURATION", Outcome.REFUSED),
    38: ("SRVC_TEMPLATE_NOT_FOUND", Outcome.REFUSED),
    39: ("SRVC_TEMPLATE_VALIDATION_ERROR", Outcome.REFUSED),
    40: ("SRVC_SURVEY_VALIDATION_ERROR", Outcome.REFUSED),
    41: ("SRVC_CAROUSEL_VALIDATION_ERROR", Outcome.REFUSED),
    43: ("SRVC_SERVICE_BLOCKED", Outcome.REFUSED),
    401: ("SRVC_UNAUTHORIZED_IP", Outcome.REFUSED),
    # what nobody names
    19: ("SRVC_19", Outcome.REFUSED),
    999: ("SRVC_999", Outcome.REFUSED),
    -1: ("SRVC_-1", Outcome.REFUSED),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("more", ["", ',"seq":1', ',"message_token":"5379697806260881548"'])
def test_every_refusal(status: int, more: str) -> None:
    result = read(f'{{"status":{status}{more}}}'.encode())
    assert (result.code, result.outcome, result.token) == (*STATUSES[status], None)


def test_no_status_is_forgotten() -> None:
    assert viber_partner.STATUSES.keys() == {0} | {status for status in STATUSES if status not in (19, 999, -1)}


@pytest.mark.parametrize("token", [f'"{TOKEN}"', TOKEN])
@pytest.mark.parametrize("more", ["", ',"seq":7', ',"session_id":"1","matching_template_id":3,"new":[{}]'])
def test_accepted(token: str, more: str) -> None:
    result = read(f'{{"status":0,"message_token":{token}{more}}}'.encode())
    assert result == SendResult(outcome=Outcome.SENT, token=TOKEN, code="SRVC_SUCCESS")


@pytest.mark.parametrize("token", ["1", "0", "18446744073709551616", "123456789012345678901234567890"])
def test_token_of_any_size_stays_as_it_is(token: str) -> None:
    assert read(f'{{"status":0,"message_token":{token}}}'.encode()).token == token


@pytest.mark.parametrize("body", ['{"status":0}', '{"status":0,"message_token":null}'])
def test_accepted_without_a_token_is_accepted(body: str) -> None:
    """Sending it again would be twice; only its receipts cannot be joined."""
    assert (read(body.encode()).outcome, read(body.encode()).token) == (Outcome.SENT, None)


@pytest.mark.parametrize(
    "body",
    [
        '{"status":0,"message_token":""}',
        '{"status":0,"message_token":1.5}',
        '{"status":0,"message_token":true}',
        '{"status":0,"message_token":["1"]}',
        '{"status":0,"message_token":"a\\u0000b"}',
        '{"status":0,"message_token":"a b"}',
        f'{{"status":0,"message_token":"{"9" * 65}"}}',
        '{"status":"0"}',
        '{"status":null}',
        '{"status":true}',
        '{"message_token":"1"}',
        "{}",
    ],
)
def test_a_reply_that_settles_nothing_is_unknown(body: str) -> None:
    assert (read(body.encode()).outcome, read(body.encode()).token) == (Outcome.UNKNOWN, None)


# --- callbacks -------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("options", [{"max_inflight": 3}, {"token": "x"}])
def test_a_setting_that_does_not_exist_is_refused(options: dict[str, object]) -> None:
    settings = msgspec.structs.replace(kit.settings(URL, "viber_partner"), options=options)
    with pytest.raises(SettingError, match=f"providers.viber: the kind viber_partner has no setting '{min(options)}'"):
        viber_partner.build("viber", settings, kit.outbound())
