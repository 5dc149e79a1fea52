from __future__ import annotations

import json

import msgspec
import pytest

from chatgate.clock import HOUR, MINUTE, SECOND
from chatgate.domain import callback
from chatgate.domain.callback import REPORTED, RETRIES, ReportStatus
from chatgate.domain.message import Draft, Failure, MessageKind, MessageType, Status
from chatgate.domain.receipt import Reply
from tests.drafts import NOW, TEMPLATE, draft

ID = "61851ccb2f1365b16aee0001"

MESSAGE = {
    "MessageId": ID, "From": "27549", "To": "639170000099", "Status": "Sent", "StatusDescription": "Sent",
    "Timestamp": NOW, "MsgFrameType": "message", "Type": "none", "TaskId": ID,
}  # fmt: skip
"""The report of a custom text message, field by field (ChatAppStatus of the developer reference)."""


def told(
    of: Draft, status: ReportStatus = ReportStatus.SENT, failure: Failure | None = None, name: str | None = None
) -> object:
    """Return a report as the receiver's own JSON reader sees it."""
    return json.loads(msgspec.json.encode(callback.report(of, ID, status, NOW, failure, name)))


# --- the report ------------------------------------------------------------------------------------------------------


def test_as_written() -> None:
    """Byte for byte: names, order, numbers as numbers."""
    found = msgspec.json.encode(callback.report(draft(), ID, ReportStatus.SENT, NOW, None, None))
    assert found.decode() == (
        f'{{"MessageId":"{ID}","From":"27549","To":"639170000099","Status":"Sent","StatusDescription":"Sent",'
        f'"Timestamp":{NOW},"MsgFrameType":"message","Type":"none","TaskId":"{ID}"}}'
    )


@pytest.mark.parametrize(
    ("message_type", "type_"),
    [
        (MessageType.TEXT, "none"),
        (MessageType.TEXT_BUTTON, "none"),
        (MessageType.IMAGE, "image"),
        (MessageType.TEXT_IMAGE, "image"),
        (MessageType.TEXT_IMAGE_BUTTON, "image"),
        (MessageType.VIDEO, "video"),
        (MessageType.TEXT_VIDEO, "video"),
        (MessageType.TEXT_VIDEO_BUTTON, "video"),
        (MessageType.DOCUMENT, "document"),
    ],
)
def test_message(message_type: MessageType, type_: str) -> None:
    assert told(draft(message_type)) == MESSAGE | {"Type": type_}


def test_template() -> None:
    of = draft(
        kind=MessageKind.TEMPLATE, template_code="744c4b5c79c9432497a075bdfca30001", language="en",
        partner_template=TEMPLATE,
    )  # fmt: skip
    expected = MESSAGE | {
        "MsgFrameType": "template", "Type": "TEMPLATE", "TemplateCode": "744c4b5c79c9432497a075bdfca30001",
        "TemplateName": "order", "Language": "en",
    }  # fmt: skip
    assert told(of, name="order") == expected
    del expected["TemplateName"]  # the template is gone meanwhile
    assert told(of) == expected


def test_sms() -> None:
    """Under its parent's MessageId; also where the parent was a template's message."""
    of = draft(channel="sms", sender="Shop")
    assert told(of) == MESSAGE | {"From": "Shop", "Type": "SMS"}


@pytest.mark.parametrize("status", [ReportStatus.SENT, ReportStatus.DELIVERED, ReportStatus.READ])
def test_statuses(status: ReportStatus) -> None:
    assert told(draft(), status) == MESSAGE | {"Status": str(status), "StatusDescription": str(status)}


@pytest.mark.parametrize(
    ("failure", "description"),
    [
        (Failure(code="SRVC_NOT_VIBER_USER", reason="Not a Viber user."), "SRVC_NOT_VIBER_USER:Not a Viber user."),
        (Failure(code="SRVC_TIMEOUT", reason=""), "SRVC_TIMEOUT"),
    ],
)
def test_failed(failure: Failure, description: str) -> None:
    assert told(draft(), ReportStatus.FAILED, failure) == MESSAGE | {
        "Status": "Failed", "StatusDescription": "Failed", "ErrorCode": failure.code, "ErrorDescription": description,
    }  # fmt: skip


def test_own_task_id() -> None:
    assert told(draft(task_id="task-1")) == MESSAGE | {"TaskId": "task-1"}


def test_what_is_told() -> None:
    names = {str(status): str(told) for status, told in REPORTED.items()}
    assert names == {
        "sent": "Sent", "delivered": "Delivered", "read": "Read", "failed": "Failed", "expired": "Failed",
        "unknown": "Failed",
    }  # fmt: skip
    assert set(Status) - set(REPORTED) == {Status.ACCEPTED, Status.SENDING}


def test_subscription() -> None:
    assert json.loads(callback.subscription(ReportStatus.UNSUBSCRIBE, "27549", "639170000099", NOW)) == MESSAGE | {
        "MessageId": "", "TaskId": "", "Status": "unsubscribe", "StatusDescription": "unsubscribe",
    }  # fmt: skip


# --- replies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "type_", "message"),
    [
        ({"text": "Salamat \N{SNOWMAN}"}, "TEXT", "Salamat \N{SNOWMAN}"),
        ({}, "TEXT", ""),
        ({"media": "https://a/1.jpg"}, "IMAGE", {"url": "https://a/1.jpg"}),
        ({"media": "https://a/1.jpg", "text": "mine"}, "IMAGE", {"url": "https://a/1.jpg", "caption": "mine"}),
        ({"media": "https://a/1", "file_name": "a.pdf"}, "DOCUMENT", {"url": "https://a/1", "filename": "a.pdf"}),
    ],
)
def test_inbound(reply: dict[str, str], type_: str, message: object) -> None:
    it = Reply(provider="viber", service_id="3100", recipient="639170000099", at=NOW, **reply)
    found = json.loads(callback.inbound(it, ID, "27549", "282514865123580001"))
    if type_ != "TEXT":
        found["Message"] = json.loads(found["Message"])  # a JSON text within JSON, as documented
    assert found == {
        "MessageId": ID, "From": "639170000099", "To": "27549", "Timestamp": NOW, "Type": type_, "Message": message,
        "CustSpaceId": "282514865123580001", "NoticeType": "inbound",
    }  # fmt: skip


# --- the schedule ----------------------------------------------------------------------------------------------------


def test_nine_retries_in_three_days_and_more() -> None:
    waits = [callback.next_try(tries, 0.0) for tries in range(1, 11)]
    assert waits == [*RETRIES, None]
    assert waits[:3] == [5 * SECOND, 5 * MINUTE, 30 * MINUTE]
    assert len(RETRIES) == 9
    assert sum(RETRIES) >= 72 * HOUR


@pytest.mark.parametrize("tries", range(1, 10))
def test_jitter_only_lengthens(tries: int) -> None:
    least, most = callback.next_try(tries, 0.0), callback.next_try(tries, 0.999)
    assert least is not None
    assert most is not None
    assert least < most < least * 1.1
