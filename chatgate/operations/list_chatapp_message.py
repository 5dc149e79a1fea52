"""ListChatappMessage: what an account sent from one sender (``DOWN``) and what was written back (``UP``), newest first.

Source: SDK alibabacloud-cams20200606. What it leaves open is our choice:

- ``MessageStatus`` says what became of the sending, ``ClientAcceptStatus`` what the phone has of it: the words are the
  keys of ``MESSAGE_STATUSES`` and ``ACCEPT_STATUSES`` (the SDK's one example is ``success``). A reply is a ``success``.
- ``SendTime`` is when chatgate took the message, in milliseconds; so it can be the ``EndTime`` of a next call.
- A reply belongs to no space. It is listed, as it is told, under the first space of the account.
- ``Total`` is how many fit on all pages; it is left out where counting them all would take too long.
- The SMS of a fallback is no entry of its own: ``FailBackFlag`` is ``Y`` where it was sent.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chatgate import errors
from chatgate.clock import as_text
from chatgate.domain import callback
from chatgate.domain.history import Entry, Question
from chatgate.domain.message import Content, FallbackState, Message, MessageKind, Status
from chatgate.domain.receipt import Reply
from chatgate.errors import PAGE_INVALID, ApiError
from chatgate.operations.base import Call, Desk
from chatgate.operations.send_chatapp_message.parameters import CHANNELS
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Choice, Integer, JsonObject, String

NAME = "ListChatappMessage"

LARGEST_PAGE = 100

DOWN, UP = "DOWN", "UP"

MESSAGE_STATUSES: dict[str, frozenset[Status]] = {
    "success": frozenset({Status.SENT, Status.DELIVERED, Status.READ}),
    "fail": frozenset({Status.FAILED, Status.EXPIRED}),
    "sending": frozenset({Status.ACCEPTED, Status.SENDING}),
    "unknown": frozenset({Status.UNKNOWN}),
}
ACCEPT_STATUSES: dict[str, frozenset[Status]] = {
    "success": frozenset({Status.DELIVERED, Status.READ}),
    "fail": frozenset({Status.FAILED, Status.EXPIRED}),
    "sending": frozenset({Status.ACCEPTED, Status.SENDING, Status.SENT, Status.UNKNOWN}),
}
_NAMES = {"success": "Success", "fail": "Failed", "sending": "Sending", "unknown": "Unknown"}

PARAMETERS = (
    String("BusinessNumber", required=True, description="The sender: From of the calls.", example="27549"),
    Choice(
        "ChannelType",
        values=tuple(CHANNELS),
        required=True,
        wrong=errors.CHANNEL_NOT_SUPPORTED,
        description="The channel. Upper and lower case are the same.",
        example="viber",
    ),
    String("CustSpaceId", required=True, description="The space.", example="282514865123580001"),
    JsonObject(
        "Page",
        required=True,
        wrong=PAGE_INVALID,
        description=f"`Index` from 1, and `Size` from 1 to {LARGEST_PAGE}.",
        example='{"Index":1,"Size":10}',
    ),
    Integer("StartTime", minimum=0, description="The oldest, in milliseconds since 1970.", example="1740830400000"),
    Integer("EndTime", minimum=0, description="The newest, in milliseconds since 1970.", example="1740916800000"),
    Choice("EventAction", values=(DOWN, UP), description="Only messages, or only replies.", example=DOWN),
    String("UserNumber", description="Only to and from this number.", example="639170000001"),
    String("GroupMessageId", description="Only of this mass sending.", example="5b3f0a5c9d1e47a2c0de0001"),
    String("TemplateCode", description="Only of this template.", example="744c4b5c79c9432497a075bdfca30001"),
    Choice(
        "MessageStatus", values=tuple(MESSAGE_STATUSES), description="What became of the sending.", example="success"
    ),
    Choice(
        "ClientAcceptStatus", values=tuple(ACCEPT_STATUSES), description="Whether the phone has it.", example="success"
    ),
    # Of the SDK, and described nowhere: taken and never read.
    String("StartTimeStr", description="Not used."),
    String("EndTimeStr", description="Not used."),
)

ENTRY = (
    Field("MessageId", description="The message or the reply.", example="61851ccb2f1365b16aee0001"),
    Field("UniqueMessageId", description="The same.", example="61851ccb2f1365b16aee0001"),
    Field("ConversationId", description="Empty: of WhatsApp."),
    Field("SendTime", description="When it was taken, in milliseconds since 1970.", example="1740830400000"),
    Field("Month", description="The month of that, in UTC.", example="202503"),
    Field("BusinessNumber", description="The sender.", example="27549"),
    Field("UserNumber", description="The phone.", example="639170000001"),
    Field("ChannelType", description="The channel.", example="viber"),
    Field("EventAction", description="`DOWN`: a message; `UP`: a reply.", example=DOWN),
    Field("EventActionName", description="That in words.", example="Outbound"),
    Field("Type", description="`template` or `message`.", example="template"),
    Field("MessageType", description="What it is made of.", example="text"),
    Field("MessageTypeName", description="That in words.", example="Text"),
    Field("Message", description="The text; anything else as a JSON object.", example="Hello"),
    Field("MessageSource", description="`api` or `user`.", example="api"),
    Field("MessageStatus", description="What became of the sending.", example="success"),
    Field("MessageStatusName", description="That in words.", example="Success"),
    Field("ClientAcceptStatusName", description="Whether the phone has it, in words.", example="Success"),
    Field("ClientReadStatus", description="`read` or `unread`.", example="read"),
    Field("ClientReadStatusName", description="That in words.", example="Read"),
    Field("FailReason", description="Why it failed: a code and a sentence.", example=""),
    Field("FailBackFlag", description="`Y`: the SMS of its fallback was sent.", example="N"),
    Field("FailBackContent", description="The text of that SMS."),
    Field("LanguageCode", description="Language of the template.", example="en"),
    Field("TemplateCode", description="The template.", example="744c4b5c79c9432497a075bdfca30001"),
    Field("TemplateName", description="Its name.", example="order_on_its_way"),
)

RESPONSE = (
    SUCCESS,
    Field("Data", Kind.ARRAY, description="Messages and replies, newest first.", fields=ENTRY),
    Field("Total", Kind.INTEGER, description="How many fit on all pages; absent where they are too many.", example=1),
)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return one page. Raises ApiError when the call is refused."""
    asked = question(call)
    page = await desk.history(call, asked)
    data = [
        _outbound(entry, entry.what) if isinstance(entry.what, Message) else _inbound(entry, entry.what, asked)
        for entry in page.entries
    ]
    total = {} if page.total is None else {"Total": page.total}
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": data, **total}


def question(call: Call) -> Question:
    """Return what a call asks for. Pure. Raises ApiError for the first fault."""
    channel = call.params.get("ChannelType", "").lower()
    values = params.parse(PARAMETERS, {**call.params, "ChannelType": channel})
    account, space_id = call.account, values["CustSpaceId"]
    if space_id not in account.spaces:
        raise ApiError(errors.NOT_OWNER, param="CustSpaceId")
    sender = account.senders.get(values["BusinessNumber"])
    if sender is None or sender.channel != values["ChannelType"]:
        raise errors.invalid("BusinessNumber", "BusinessNumber is not a sender of the account.")
    index, size = read_page(values["Page"])
    since, until = values["StartTime"] or 0, values["EndTime"]
    if until is not None and until < since:
        raise errors.invalid("EndTime", "EndTime must not be before StartTime.")
    words = (values["MessageStatus"], values["ClientAcceptStatus"])
    of_messages = values["TemplateCode"] is not None or values["GroupMessageId"] is not None
    replies_fit = space_id == _first_space(call) and not of_messages and set(words) <= {None, "success"}
    return Question(
        channel=sender.channel,
        sender=sender.sender,
        space_id=space_id,
        outbound=values["EventAction"] != UP,
        inbound=values["EventAction"] != DOWN and replies_fit,
        number=values["UserNumber"],
        template_code=values["TemplateCode"],
        group=values["GroupMessageId"],
        statuses=_statuses(*words),
        since=since,
        until=until,
        index=index,
        size=size,
    )


def read_page(given: Mapping[str, object]) -> tuple[int, int]:
    """Return index and size of a page. Raises ApiError: PAGE_INVALID."""
    index, size = _number(given.get("Index")), _number(given.get("Size"))
    if index < 1 or not 1 <= size <= LARGEST_PAGE:
        raise ApiError(PAGE_INVALID, f"Page needs an Index from 1 and a Size from 1 to {LARGEST_PAGE}.", param="Page")
    return index, size


def _number(value: object) -> int:
    """Return a whole number, also one in digits (``Page.Index=1`` of generic callers); 0 for anything else."""
    if type(value) is str and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if type(value) is int else 0


def _statuses(message_status: str | None, accept_status: str | None) -> frozenset[Status] | None:
    if message_status is None and accept_status is None:
        return None
    every = frozenset(Status)
    sent = every if message_status is None else MESSAGE_STATUSES[message_status]
    return sent & (every if accept_status is None else ACCEPT_STATUSES[accept_status])


def _first_space(call: Call) -> str:
    return next(iter(call.account.spaces))


# --- the answer -------------------------------------------------------------------------------------------------------


def _outbound(entry: Entry, message: Message) -> dict[str, str]:
    draft, status = message.draft, message.status
    sent, accepted = _word(MESSAGE_STATUSES, status), _word(ACCEPT_STATUSES, status)
    read = status is Status.READ
    failure, order = message.failure, draft.fallback
    fell_back = order is not None and message.fallback_state is FallbackState.FIRED
    return _times(entry) | {
        "BusinessNumber": message.sender, "UserNumber": draft.recipient, "ChannelType": draft.channel,
        "EventAction": DOWN, "EventActionName": "Outbound", "Type": draft.kind,
        "MessageType": draft.message_type, "MessageTypeName": _title(draft.message_type),
        "Message": _message(draft.content), "MessageSource": "api",
        "MessageStatus": sent, "MessageStatusName": _NAMES[sent], "ClientAcceptStatusName": _NAMES[accepted],
        "ClientReadStatus": "read" if read else "unread", "ClientReadStatusName": "Read" if read else "Unread",
        "FailReason": "" if failure is None else f"{failure.code}:{failure.reason}",
        "FailBackFlag": "Y" if fell_back else "N",
        "FailBackContent": order.content if order is not None and fell_back else "",
        "LanguageCode": draft.language or "", "TemplateCode": draft.template_code or "",
        "TemplateName": entry.template_name or "",
    }  # fmt: skip


def _inbound(entry: Entry, reply: Reply, asked: Question) -> dict[str, str]:
    """Return a reply; its type and its message are as they were told."""
    told = msgspec.json.decode(callback.inbound(reply, entry.public_id, asked.sender, asked.space_id))
    kind = told["Type"].lower()
    return _times(entry) | {
        "BusinessNumber": asked.sender, "UserNumber": reply.recipient, "ChannelType": asked.channel,
        "EventAction": UP, "EventActionName": "Inbound", "Type": MessageKind.MESSAGE,
        "MessageType": kind, "MessageTypeName": _title(kind),
        "Message": told["Message"], "MessageSource": "user",
        "MessageStatus": "success", "MessageStatusName": _NAMES["success"], "ClientAcceptStatusName": _NAMES["success"],
        "ClientReadStatus": "", "ClientReadStatusName": "",
        "FailReason": "", "FailBackFlag": "N", "FailBackContent": "",
        "LanguageCode": "", "TemplateCode": "", "TemplateName": "",
    }  # fmt: skip


def _times(entry: Entry) -> dict[str, str]:
    return {
        "MessageId": entry.public_id, "UniqueMessageId": entry.public_id, "ConversationId": "",
        "SendTime": str(entry.at), "Month": as_text(entry.at)[:7].replace("-", ""),
    }  # fmt: skip


def _word(words: Mapping[str, frozenset[Status]], status: Status) -> str:
    return next(word for word, statuses in words.items() if status in statuses)


def _title(word: str) -> str:
    return word.replace("_", " ").capitalize()


def _message(content: Content) -> str:
    """Return a text as it is, anything else as the JSON object that a call's ``Content`` would be."""
    keys = {
        "text": content.text, "link": content.link, "caption": content.caption, "action": content.action,
        "thumbnail": content.thumbnail, "fileSize": content.file_size_mb, "duration": content.duration,
        "fileName": content.file_name, "fileType": content.file_type,
    }  # fmt: skip
    given = {key: value for key, value in keys.items() if value is not None}
    if given.keys() <= {"text"}:
        return content.text or ""
    return msgspec.json.encode(given).decode()
