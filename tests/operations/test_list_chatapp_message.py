"""ListChatappMessage: what a call asks for, and what the typed SDK reads from the answer."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]

from chatgate.clock import HandClock
from chatgate.domain import callback
from chatgate.domain.history import Entry, Page, Question
from chatgate.domain.message import Failure, FallbackOrder, FallbackState, MessageKind, MessageType, Status
from chatgate.domain.receipt import Reply
from chatgate.errors import ApiError
from chatgate.operations import list_chatapp_message as operation
from chatgate.operations.base import all_operations
from tests import drafts
from tests.operations.desk import MESSAGE_ID, Desk
from tests.operations.send_chatapp_message.example import CODE, NO_CHANGES, SPACE, Changes, call

ASKED = {
    "BusinessNumber": "27549", "ChannelType": "viber", "CustSpaceId": SPACE, "Page": '{"Index":1,"Size":10}',
}  # fmt: skip
PLAIN = Question(channel="viber", sender="27549", space_id=SPACE, outbound=True, inbound=True, index=1, size=10)
"""What ``ASKED`` means: ``SPACE`` is the first of the account, so replies are in it."""

AT = HandClock().now()


def question(changes: Changes = NO_CHANGES) -> Question:
    return operation.question(call(ASKED, changes))


def refusal(changes: Changes) -> ApiError:
    with pytest.raises(ApiError) as refused:
        question(changes)
    return refused.value


async def listed(*entries: Entry, total: int | None = None) -> dict[str, Any]:
    return dict(await operation.execute(call(ASKED), Desk(Page(entries=entries, total=total))))


async def one(entry: Entry) -> dict[str, str]:
    """Return the one object of the answer for an entry."""
    [found] = (await listed(entry))["Data"]
    return dict(found)


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_everything() -> None:
    assert question() == PLAIN


@pytest.mark.parametrize(
    ("changes", "narrowed"),
    [
        ({"ChannelType": "Viber"}, {}),
        ({"Page": '{"Index":3,"Size":100}'}, {"index": 3, "size": 100}),
        ({"Page": '{"Size":"7","Index":"2"}'}, {"index": 2, "size": 7}),
        ({"Page": f'{{"Index":{10**30},"Size":1}}'}, {"index": 10**30, "size": 1}),
        ({"StartTime": "5", "EndTime": "5"}, {"since": 5, "until": 5}),
        ({"EndTime": "0"}, {"until": 0}),
        ({"StartTimeStr": "yesterday", "EndTimeStr": "x"}, {}),
        ({"EventAction": "DOWN"}, {"inbound": False}),
        ({"EventAction": "UP"}, {"outbound": False}),
        ({"UserNumber": "639170000001"}, {"number": "639170000001"}),
        ({"GroupMessageId": "g-1"}, {"group": "g-1", "inbound": False}),
        ({"TemplateCode": CODE}, {"template_code": CODE, "inbound": False}),
        ({"CustSpaceId": "tasks"}, {"space_id": "tasks", "inbound": False}),
        (
            {"MessageStatus": "success"},
            {"statuses": {Status.SENT, Status.DELIVERED, Status.READ}, "inbound": True},
        ),
        ({"MessageStatus": "fail"}, {"statuses": {Status.FAILED, Status.EXPIRED}, "inbound": False}),
        ({"MessageStatus": "sending"}, {"statuses": {Status.ACCEPTED, Status.SENDING}, "inbound": False}),
        ({"MessageStatus": "unknown"}, {"statuses": {Status.UNKNOWN}, "inbound": False}),
        ({"ClientAcceptStatus": "success"}, {"statuses": {Status.DELIVERED, Status.READ}}),
        ({"MessageStatus": "success", "ClientAcceptStatus": "sending"}, {"statuses": {Status.SENT}, "inbound": False}),
        ({"MessageStatus": "fail", "ClientAcceptStatus": "success"}, {"statuses": set(), "inbound": False}),
    ],
)
def test_narrowed(changes: Changes, narrowed: dict[str, Any]) -> None:
    if "statuses" in narrowed:
        narrowed = {**narrowed, "statuses": frozenset(narrowed["statuses"])}
    assert question(changes) == msgspec.structs.replace(PLAIN, **narrowed)


@pytest.mark.parametrize("words", [operation.MESSAGE_STATUSES, operation.ACCEPT_STATUSES])
def test_every_status_has_one_word(words: dict[str, frozenset[Status]]) -> None:
    assert sorted(status for statuses in words.values() for status in statuses) == sorted(Status)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"BusinessNumber": None}, "MissingBusinessNumber"),
        ({"BusinessNumber": "27550"}, "InvalidParameter.BusinessNumber"),
        ({"BusinessNumber": "5"}, "InvalidParameter.BusinessNumber"),  # an SMS sender
        ({"ChannelType": None}, "MissingChannelType"),
        ({"ChannelType": "whatsapp"}, "InvalidParameter.ChannelTypeNotSupport"),
        ({"CustSpaceId": None}, "MissingCustSpaceId"),
        ({"CustSpaceId": "theirs"}, "Unknown.ResourceOwnerId"),
        ({"Page": None}, "MissingPage"),
        ({"StartTime": "-1"}, "InvalidParameter.StartTime"),
        ({"EndTime": "now"}, "InvalidParameter.EndTime"),
        ({"StartTime": "6", "EndTime": "5"}, "InvalidParameter.EndTime"),
        ({"EventAction": "down"}, "InvalidParameter.EventAction"),
        ({"MessageStatus": "delivered"}, "InvalidParameter.MessageStatus"),
        ({"ClientAcceptStatus": "unknown"}, "InvalidParameter.ClientAcceptStatus"),
        ({"UserNumber": "\0"}, "InvalidParameter.UserNumber"),
    ],
)
def test_refused(changes: Changes, code: str) -> None:
    assert refusal(changes).code == code


@pytest.mark.parametrize(
    "page",
    [
        "1", "[1,10]", "{", "{}", '{"Index":1}', '{"Size":10}', '{"Index":0,"Size":10}', '{"Index":-1,"Size":10}',
        '{"Index":1,"Size":0}', '{"Index":1,"Size":101}', '{"Index":1.0,"Size":10}', '{"Index":true,"Size":10}',
        '{"Index":"1e1","Size":10}', '{"Index":"","Size":10}', '{"Index":"²","Size":10}', '{"Index":[1],"Size":10}',
        '{"Index":null,"Size":10}', '{"index":1,"size":10}',
    ],
)  # fmt: skip
def test_pages_that_are_none(page: str) -> None:
    refused = refusal({"Page": page})
    assert (refused.code, refused.http) == ("InvalidParameter.PageInvalid", 200)


async def test_desk_is_asked_once_and_never_for_a_refused_call() -> None:
    desk = Desk()
    made = call(ASKED)
    await operation.execute(made, desk)
    assert desk.asked == [(made, PLAIN)]
    with pytest.raises(ApiError):
        await operation.execute(call(ASKED, {"Page": "{}"}), desk)
    assert len(desk.asked) == 1


# --- what is answered -------------------------------------------------------------------------------------------------


def entry(status: Status = Status.DELIVERED, **changes: Any) -> Entry:
    """Return a text message; ``changes`` are of the message, or of its draft."""
    plain = drafts.message(drafts.draft())
    own = {name: value for name, value in changes.items() if name in plain.__struct_fields__}
    draft = msgspec.structs.replace(plain.draft, **{name: changes[name] for name in changes.keys() - own.keys()})
    message = msgspec.structs.replace(plain, status=status, draft=draft, sender=draft.sender, **own)
    return Entry(public_id=MESSAGE_ID, at=AT, what=message)


ORDER = FallbackOrder(
    policy_id="S_000001", content="plain text", duration=60, rule="undelivered", sms_sender="ACME"
)  # fmt: skip


async def test_message() -> None:
    assert await one(entry()) == {
        "MessageId": MESSAGE_ID, "UniqueMessageId": MESSAGE_ID,
        "BusinessNumber": "27549", "UserNumber": drafts.NUMBER, "ChannelType": "viber",
        "EventAction": "DOWN", "EventActionName": "Outbound", "Type": "message",
        "MessageType": "text", "MessageTypeName": "Text", "Message": drafts.TEXT, "MessageSource": "api",
        "MessageStatus": "success", "MessageStatusName": "Success", "ClientAcceptStatusName": "Success",
        "ClientReadStatus": "unread", "ClientReadStatusName": "Unread", "FailReason": "",
        "FailBackFlag": "N", "FailBackContent": "", "LanguageCode": "", "TemplateCode": "", "TemplateName": "",
        "ConversationId": "", "SendTime": str(AT), "Month": "202503",
    }  # fmt: skip


async def test_template() -> None:
    made = entry(kind=MessageKind.TEMPLATE, template_code=CODE, language="en")
    found = await one(msgspec.structs.replace(made, template_name="order"))
    names = ("Type", "TemplateCode", "TemplateName", "LanguageCode", "Message")
    assert [found[name] for name in names] == ["template", CODE, "order", "en", drafts.TEXT]


async def test_reply() -> None:
    reply = Reply(provider="viber", service_id="s", recipient="639170000001", at=AT - 5, text="Thanks")
    found = await one(Entry(public_id="61851ccb2f1365b16aee0002", at=AT, what=reply))
    assert found == {
        **await one(entry()), "MessageId": "61851ccb2f1365b16aee0002", "UniqueMessageId": "61851ccb2f1365b16aee0002",
        "UserNumber": "639170000001", "EventAction": "UP", "EventActionName": "Inbound", "Message": "Thanks",
        "MessageSource": "user", "ClientReadStatus": "", "ClientReadStatusName": "",
    }  # fmt: skip


@pytest.mark.parametrize(("file_name", "kind"), [(None, "image"), ("a.pdf", "document")])
async def test_reply_with_media(file_name: str | None, kind: str) -> None:
    reply = Reply(
        provider="viber", service_id="s", recipient="1", at=AT, media="https://m.example/a", file_name=file_name
    )
    found = await one(Entry(public_id="x", at=AT, what=reply))
    told = json.loads(callback.inbound(reply, "x", "27549", SPACE))
    assert (found["MessageType"], found["Message"]) == (kind, told["Message"])
    assert json.loads(found["Message"])["url"] == "https://m.example/a"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.ACCEPTED, ("sending", "Sending", "unread")),
        (Status.SENDING, ("sending", "Sending", "unread")),
        (Status.SENT, ("success", "Sending", "unread")),
        (Status.DELIVERED, ("success", "Success", "unread")),
        (Status.READ, ("success", "Success", "read")),
        (Status.FAILED, ("fail", "Failed", "unread")),
        (Status.EXPIRED, ("fail", "Failed", "unread")),
        (Status.UNKNOWN, ("unknown", "Sending", "unread")),
    ],
)
async def test_statuses(status: Status, words: tuple[str, ...]) -> None:
    found = await one(entry(status))
    assert (found["MessageStatus"], found["ClientAcceptStatusName"], found["ClientReadStatus"]) == words


@pytest.mark.parametrize("state", [None, *FallbackState])
async def test_only_a_fallback_that_fired_is_one(state: FallbackState | None) -> None:
    found = await one(entry(fallback=None if state is None else ORDER, fallback_state=state))
    fired = state is FallbackState.FIRED
    assert (found["FailBackFlag"], found["FailBackContent"]) == (("Y", "plain text") if fired else ("N", ""))


async def test_failure() -> None:
    failure = Failure(code="SRVC_NOT_VIBER_USER", reason="No Viber there.")
    found = await one(entry(Status.FAILED, failure=failure))
    assert found["FailReason"] == "SRVC_NOT_VIBER_USER:No Viber there."


@pytest.mark.parametrize("message_type", sorted(set(MessageType) - {MessageType.TEXT}))
async def test_content_is_as_a_call_has_it(message_type: MessageType) -> None:
    found = await one(entry(message_type=message_type, content=drafts.CONTENTS[message_type]))
    content = json.loads(found["Message"])
    assert found["MessageType"] == message_type
    assert content
    assert content.keys() <= {
        "text", "link", "caption", "action", "thumbnail", "fileSize", "duration", "fileName", "fileType",
    }  # fmt: skip
    assert content.get("fileSize", 1.5) == 1.5


async def test_answer() -> None:
    assert await listed(total=0) == {"Code": "OK", "Message": "OK", "Success": True, "Data": [], "Total": 0}
    assert "Total" not in await listed(total=None)


async def test_typed_clients_know_every_field() -> None:
    [found] = (await listed(entry()))["Data"]
    typed = models.ListChatappMessageResponseBodyData().from_map(found)
    assert typed.to_map() == found
    assert all(type(value) is str or isinstance(value, str) for value in found.values())
    assert len(found) == len(vars(typed))


def test_it_is_found_by_its_action() -> None:
    assert all_operations()["ListChatappMessage"] is operation


def test_every_parameter_of_the_sdk_is_declared() -> None:
    attributes = vars(models.ListChatappMessageShrinkRequest())
    names = set(models.ListChatappMessageShrinkRequest(**dict.fromkeys(attributes, "x")).to_map())
    hidden = {"OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"}
    assert {row.name for row in operation.PARAMETERS} == names - hidden
