"""What a good call becomes, and the operation around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from alibabacloud_cams20200606.models import SendChatappMessageShrinkRequest  # type: ignore[import-untyped]

from chatgate.domain.message import (
    Content,
    Draft,
    FallbackOrder,
    Label,
    MessageKind,
    MessageType,
    PartnerTemplate,
    RetryKey,
)
from chatgate.errors import ApiError
from chatgate.operations import send_chatapp_message as operation
from chatgate.operations.base import all_operations
from tests.operations.desk import MESSAGE_ID, Desk
from tests.operations.send_chatapp_message.example import (
    CODE,
    FALLBACK,
    MESSAGE,
    NO_CHANGES,
    SPACE,
    TEMPLATE,
    THUMBNAIL,
    TTL,
    URL,
    Changes,
    call,
    draft_of,
)

# --- what a good call becomes -----------------------------------------------------------------------------------------


def test_message() -> None:
    assert draft_of(MESSAGE) == Draft(
        account_id=7,
        space_id=SPACE,
        channel="viber",
        sender="27549",
        service_id="s-27549",
        recipient="639170000001",
        kind=MessageKind.MESSAGE,
        message_type=MessageType.TEXT,
        label=Label.PROMOTION,
        content=Content(text="hello whatsapp"),
        ttl=TTL,
    )


def test_message_with_everything() -> None:
    everything = {
        **{
            "CustSpaceId": "sdk",
            "Ttl": "30",
            "Tag": "tag",
            "TrackingData": "tracking_id:123456",
            "TaskId": "100000001",
        },
        **FALLBACK,
        **{"FallBackDuration": "120", "FallBackRule": "undelivered", "Label": "transaction"},
    }
    order = FallbackOrder(
        policy_id="S_000001", sms_sender="ACME", content="plain text", duration=120, rule="undelivered"
    )
    expected = msgspec.structs.replace(
        draft_of(MESSAGE),
        space_id="sdk",
        ttl=30,
        label=Label.TRANSACTION,
        tag="tag",
        tracking_data="tracking_id:123456",
        task_id="100000001",
        fallback=order,
    )
    assert draft_of(MESSAGE, everything) == expected


def test_template() -> None:
    assert draft_of(TEMPLATE) == Draft(
        account_id=7,
        space_id=SPACE,
        channel="viber",
        sender="27549",
        service_id="s-27549",
        recipient="639170000001",
        kind=MessageKind.TEMPLATE,
        message_type=MessageType.TEXT,
        label=Label.TRANSACTION,
        content=Content(text="Hello Ann, your order 7 is on its way."),
        ttl=TTL,
        template_code=CODE,
        language="en",
    )


def test_template_that_the_partner_knows() -> None:
    values = '{"param1":"Ann","param2":7,"more":{"not":"used"}}'
    draft = draft_of(TEMPLATE, {"TemplateCode": "partner", "TemplateParams": values})
    assert draft.content == Content(text="Hello Ann, your order 7 is on its way.")
    parameters = {"param1": "Ann", "param2": "7"}
    assert draft.partner_template == PartnerTemplate(template_id="p-77", language="en", parameters=parameters)


CONTENTS = [
    ("text", {"text": "a"}, Content(text="a")),
    ("image", {"link": URL}, Content(link=URL)),
    (
        "video",
        {"link": URL, "thumbnail": THUMBNAIL, "fileSize": 5, "duration": "9"},
        Content(link=URL, thumbnail=THUMBNAIL, file_size_mb=5.0, duration=9),
    ),
    (
        "document",
        {"link": URL, "fileName": "a.pdf", "fileType": "PDF"},
        Content(link=URL, file_name="a.pdf", file_type="pdf"),
    ),
    ("text_button", {"text": "a", "caption": "b", "action": URL}, Content(text="a", caption="b", action=URL)),
    (
        "text_image_button",
        {"text": "a", "link": URL, "caption": "b", "action": URL},
        Content(text="a", link=URL, caption="b", action=URL),
    ),
    (
        "text_video",
        {"text": "a", "link": URL, "thumbnail": THUMBNAIL, "fileSize": "0.5", "duration": 9},
        Content(text="a", link=URL, thumbnail=THUMBNAIL, file_size_mb=0.5, duration=9),
    ),
    (
        "text_video_button",
        {"text": "a", "link": URL, "thumbnail": THUMBNAIL, "fileSize": 5, "duration": 9, "caption": "b", "action": ""},
        Content(text="a", link=URL, thumbnail=THUMBNAIL, file_size_mb=5.0, duration=9, caption="b"),
    ),
    ("text_image", {"text": "a", "link": URL}, Content(text="a", link=URL)),
]


@pytest.mark.parametrize(("message_type", "document", "content"), CONTENTS)
def test_message_types(message_type: str, document: dict[str, Any], content: Content) -> None:
    draft = draft_of(MESSAGE, {"MessageType": message_type, "Content": json.dumps(document)})
    assert (draft.message_type, draft.content) == (message_type, content)


READINGS: list[tuple[str, Mapping[str, str], Changes, dict[str, object]]] = [
    ("channel in capitals", MESSAGE, {"ChannelType": "VIBER"}, {"channel": "viber"}),
    ("channel in any case", MESSAGE, {"ChannelType": "Viber"}, {"channel": "viber"}),
    ("the SDK's spelling", MESSAGE, {"Label": "pormotion"}, {"label": Label.PROMOTION}),
    ("longest Ttl", MESSAGE, {"Ttl": "1209600"}, {"ttl": 1_209_600}),
    ("no space", MESSAGE, {"CustSpaceId": None}, {"space_id": SPACE}),
    ("a space", MESSAGE, {"CustSpaceId": SPACE}, {"space_id": SPACE}),
    ("blank is not given", MESSAGE, {"Tag": "", "Ttl": "", "FallBackId": "", "FallBackRule": ""}, {"tag": None}),
    ("message type with a template", TEMPLATE, {"MessageType": "sticker"}, {"message_type": MessageType.TEXT}),
    ("content with a template", TEMPLATE, {"Content": "["}, {"kind": MessageKind.TEMPLATE}),
    ("template with a message", MESSAGE, {"TemplateCode": "?", "Language": "?", "TemplateParams": "["},
     {"template_code": None, "language": None}),
    ("rule and duration alone", MESSAGE, {"FallBackRule": "sentFailed", "FallBackDuration": "60"}, {"fallback": None}),
    ("parameters of other channels", MESSAGE, {"Payload": "[", "FlowAction": "x", "Category": "?", "OwnerId": "x",
     "RegionId": "y"}, {"failure": None}),
    ("longest texts", MESSAGE, {"Tag": "x" * 255, "TrackingData": "x" * 1000, "TaskId": "x" * 255},
     {"tag": "x" * 255, "tracking_data": "x" * 1000, "task_id": "x" * 255}),
    ("action where the space allows it", MESSAGE, {"CustSpaceId": "sdk", "MessageType": "text_video_button",
     "Content": json.dumps({"text": "a", "link": URL, "thumbnail": THUMBNAIL, "fileSize": 5, "duration": 9,
                            "caption": "b", "action": URL})}, {"space_id": "sdk"}),
    ("longest duration", MESSAGE, {**FALLBACK, "FallBackDuration": "43200"},
     {"fallback": FallbackOrder(policy_id="S_000001", sms_sender="ACME", content="plain text", duration=43_200,
                                rule="undelivered")}),
    ("the longest fallback", MESSAGE, {**FALLBACK, "FallBackContent": "x" * 1000},
     {"fallback": FallbackOrder(policy_id="S_000001", sms_sender="ACME", content="x" * 1000, duration=None,
                                rule="undelivered")}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("base", "changes", "expected"), [row[1:] for row in READINGS], ids=[row[0] for row in READINGS]
)
def test_readings(base: Mapping[str, str], changes: Changes, expected: dict[str, object]) -> None:
    draft = draft_of(base, changes)
    assert {name: getattr(draft, name) for name in expected} == expected


# --- retries ----------------------------------------------------------------------------------------------------------


def retry_of(changes: Changes = NO_CHANGES, idempotency_key: str | None = None) -> RetryKey | None:
    return operation.compose(call(MESSAGE, changes, idempotency_key), TTL)[1]


def test_no_retry_key() -> None:
    assert retry_of() is None
    assert retry_of({"TaskId": "9"}) is None
    assert retry_of({"CustSpaceId": "tasks"}) is None


def test_retry_key() -> None:
    task = {"CustSpaceId": "tasks", "TaskId": "9"}
    keys = [
        retry_of({}, "a"),
        retry_of({}, "b"),
        retry_of({"CustSpaceId": "sdk"}, "a"),
        retry_of(task),
        retry_of({**task, "TaskId": "8"}),
        retry_of({**task, "To": "639170000002"}),
        retry_of(task, "a"),
        retry_of({"CustSpaceId": "tasks"}, "639170000001\x009"),  # looks like the key of a task
        retry_of({"CustSpaceId": "sdk"}, "2a"),
        retry_of({"CustSpaceId": "sdk2"}, "a"),
    ]
    assert all(keys)
    assert len({key.key for key in keys if key}) == len(keys)
    assert retry_of(task) == retry_of(task)
    same, other = retry_of({}, "a"), retry_of({"Ttl": "60"}, "a")
    assert same
    assert other
    assert same.key == other.key
    assert same.fingerprint != other.fingerprint


def test_fingerprint_does_not_depend_on_the_order_of_parameters() -> None:
    first = call(MESSAGE, {}, "a")
    second = msgspec.structs.replace(first, params=dict(sorted(first.params.items(), reverse=True)))
    assert operation.compose(first, TTL) == operation.compose(second, TTL)


# --- the operation ----------------------------------------------------------------------------------------------------


async def test_execute() -> None:
    desk = Desk()
    made = call(MESSAGE, {}, "a")
    answer = await operation.execute(made, desk)
    assert answer == {"Code": "OK", "Message": "OK", "MessageId": MESSAGE_ID}
    draft, retry = operation.compose(made, 600)
    assert desk.accepted == [(made, draft, retry)]
    assert draft.ttl == 600


async def test_execute_refuses() -> None:
    desk = Desk()
    with pytest.raises(ApiError):
        await operation.execute(call(MESSAGE, {"Ttl": "1"}), desk)
    assert desk.accepted == []


def test_it_is_found_by_its_action() -> None:
    assert all_operations()["SendChatappMessage"] is operation


def test_every_parameter_of_the_sdk_is_declared() -> None:
    attributes = vars(SendChatappMessageShrinkRequest())
    names = set(SendChatappMessageShrinkRequest(**dict.fromkeys(attributes, "x")).to_map())
    hidden = {"OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"}
    assert {row.name for row in operation.PARAMETERS} == names - hidden
