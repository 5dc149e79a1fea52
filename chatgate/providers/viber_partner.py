"""Rakuten Viber's partner API (Viber Business Messages, v11.3): send, status codes, receipts, replies.

The facts behind each table are public partner documentation and public client code; Viber does not publish the API
openly (``docs/fidelity.md`` says what is not confirmed). Rules:

1. A rejection comes as HTTP 200; ``status`` in the body is the truth, 0 is accepted.
2. ``message_token`` is larger than 2^53: it is text here, whether it comes as a number or a string.
3. There is no key: the partner trusts our address and the service id, we trust the receipts address.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chatgate.clock import SECOND, Instant
from chatgate.domain.message import Content, Label, Message, MessageType, Outcome, SendResult
from chatgate.domain.receipt import News, Receipt, ReceiptStatus, Reply
from chatgate.outbound import Outbound
from chatgate.providers.base import (
    UNREADABLE,
    HttpProvider,
    ProviderSettings,
    UnreadableReceipt,
    by_status,
    refuse_options,
    refuse_url,
)
from chatgate.wire import HttpRequest, HttpResponse

CHANNELS = frozenset({"viber"})

SHORTEST_TTL = 30
"""Seconds. With less than that left the partner is still given 30, as long as anything is left."""

BYTES_PER_MEGABYTE = 1024 * 1024
"""``fileSize`` is megabytes in the call and ``file_size`` is bytes on the wire."""

TEMPLATE = 1702
"""Transactional or OTP template, all devices (1701 is phones only). A promotion made from a template goes as its text:
the partner's templates are transactional."""

TYPES: dict[tuple[MessageType, Label], int] = {
    (MessageType.TEXT, Label.TRANSACTION): 206,
    (MessageType.TEXT, Label.PROMOTION): 225,
    **{
        (kind, label): number
        for kind, number in {
            MessageType.IMAGE: 207,
            MessageType.TEXT_IMAGE_BUTTON: 208,
            MessageType.TEXT_IMAGE: 208,  # Viber has no text and image without a button: both button keys empty hide it
            MessageType.TEXT_BUTTON: 209,
            MessageType.DOCUMENT: 220,
            MessageType.VIDEO: 230,
            MessageType.TEXT_VIDEO: 231,
            MessageType.TEXT_VIDEO_BUTTON: 232,  # the button opens the video; with an own URL it is VIDEO_URL_BUTTON
        }.items()
        for label in Label
    },
}
VIDEO_URL_BUTTON = 233

# Status of a reply: name, outcome. 7 may have been accepted all the same (v11.3 also says it of an OTP template without
# its pin; the two cannot be told apart); 12 says that an earlier try was accepted.
STATUSES: dict[int, tuple[str, Outcome]] = {
    0: ("SRVC_SUCCESS", Outcome.SENT),
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
}

MESSAGE_STATUSES: dict[int, ReceiptStatus] = {
    0: ReceiptStatus.DELIVERED,
    1: ReceiptStatus.READ,
    2: ReceiptStatus.EXPIRED,
    4: ReceiptStatus.SUBSCRIBED,
    5: ReceiptStatus.UNSUBSCRIBED,
}


def build(name: str, settings: ProviderSettings, outbound: Outbound) -> ViberPartner:
    refuse_options(name, settings)
    refuse_url(name, settings, "http", "https")
    return ViberPartner(name, settings, outbound)


class ViberPartner(HttpProvider):
    """Speaks the partner wire."""

    def encode(self, message: Message, now: Instant) -> HttpRequest:
        return HttpRequest(
            method="POST",
            path=self.settings.url,
            headers={"content-type": "application/json"},
            body=msgspec.json.encode(_body(message, now)),
        )

    def decode(self, message: Message, response: HttpResponse) -> SendResult:
        if (settled := by_status(response)) is not None:
            return settled
        try:
            reply = msgspec.json.decode(response.body, type=_Reply)
        except UNREADABLE:
            return SendResult(
                outcome=Outcome.UNKNOWN, code="UnreadableReply", reason="The reply is not the partner's JSON."
            )
        name, outcome = STATUSES.get(reply.status, (f"SRVC_{reply.status}", Outcome.REFUSED))
        if outcome is not Outcome.SENT:
            return SendResult(outcome=outcome, code=name, reason=f"The partner answered status {reply.status}.")
        if reply.message_token is None:  # accepted all the same: sending it again would be twice
            return SendResult(outcome=outcome, code="NoToken", reason="Accepted without a token for receipts.")
        return SendResult(outcome=outcome, token=str(reply.message_token), code=name)

    def read_receipts(self, request: HttpRequest) -> list[News]:
        try:
            event = msgspec.json.decode(request.body, type=_Event)
        except UNREADABLE:
            raise UnreadableReceipt("the body is not a Viber partner callback") from None
        if event.message is not None and event.message_status is None and event.phone_number is not None:
            return [self._reply(event, event.message, event.phone_number)]
        if event.message_status is None or event.phone_number is None:
            raise UnreadableReceipt("the callback has neither message_status nor message")
        status = MESSAGE_STATUSES.get(event.message_status)
        if status is None:
            return []  # a status that no public source knows: acknowledged, so that it is not sent for ever
        return [
            Receipt(
                provider=self.name,
                token="" if event.message_token is None else str(event.message_token),
                status=status,
                at=event.message_time or 0,
                service_id="" if event.service_id is None else str(event.service_id),
                recipient=event.phone_number.removeprefix("+"),
                code="SRVC_TIMEOUT" if status is ReceiptStatus.EXPIRED else "",
                reason="Viber reports that the time to live ran out." if status is ReceiptStatus.EXPIRED else "",
            )
        ]

    def _reply(self, event: _Event, message: _Said | str, number: str) -> Reply:
        said = _Said(text=message) if isinstance(message, str) else message
        return Reply(
            provider=self.name, service_id="" if event.service_id is None else str(event.service_id),
            recipient=number.removeprefix("+"), at=(event.time or 0) * SECOND, text=said.text, media=said.media,
            file_name=said.file_name, tracking_data=said.tracking_data,
        )  # fmt: skip


_Id = int | Annotated[str, Meta(pattern=r"^[!-~]{1,64}\Z")]


class _Reply(msgspec.Struct):
    status: int
    message_token: _Id | None = None


class _Said(msgspec.Struct):
    text: str | None = None
    media: str | None = None
    file_name: str | None = None
    tracking_data: str | None = None


class _Event(msgspec.Struct):
    message_token: _Id | None = None
    message_status: int | None = None
    message_time: int | None = None
    phone_number: Annotated[str, Meta(pattern=r"^\+?[0-9]{1,20}\Z")] | None = None
    service_id: _Id | None = None
    time: int | None = None
    """Seconds; of a reply."""
    message: _Said | str | None = None
    """As text alone it is in no public source; it can mean but one thing."""


def _body(message: Message, now: Instant) -> dict[str, Any]:
    draft = message.draft
    left = -(-(message.expires_at - now) // SECOND)
    body: dict[str, Any] = {
        "service_id": int(draft.service_id),
        "dest": draft.recipient,
        "seq": _sequence(message.id),
        "label": str(draft.label),
        "ttl": max(SHORTEST_TTL, left),
    }
    if draft.tag is not None:
        body["tag"] = draft.tag
    template = draft.partner_template
    if template is not None and draft.label is Label.TRANSACTION:
        body |= {
            "type": TEMPLATE,
            "templateId": template.template_id,
            "templateLang": template.language,
            "templateParams": template.parameters,
        }
        return body
    content, kind = draft.content, TYPES[draft.message_type, draft.label]
    if draft.message_type is MessageType.TEXT_VIDEO_BUTTON and content.action:
        kind = VIDEO_URL_BUTTON
    body["type"] = kind
    body["message"] = _parts(content, draft.message_type, kind) | {"#tracking_data": draft.tracking_data or ""}
    if draft.message_type is MessageType.DOCUMENT:
        body["file_type"] = content.file_type
    if content.duration is not None:
        body["duration"] = max(1, content.duration)  # a template may say 0, and has no size
        body["file_size"] = max(1, round((content.file_size_mb or 0) * BYTES_PER_MEGABYTE))
    return body


def _sequence(message_id: int) -> int:
    """Return the ``seq`` of a message: the same for all its attempts, another for every other message.

    Its range is not published; public clients send milliseconds since 1970, so 53 bits, which every JSON reader takes.
    A digest, because the low bits of a key repeat.
    """
    return int.from_bytes(blake2b(message_id.to_bytes(8, "big"), digest_size=8).digest(), "big") >> 11


def _parts(content: Content, message_type: MessageType, kind: int) -> dict[str, str]:
    """Return the keys inside ``message``. The partner names a URL by what is done with it."""
    parts = {"#txt": content.text, "#thumbnail": content.thumbnail, "#caption": content.caption}
    match message_type:
        case MessageType.IMAGE | MessageType.TEXT_IMAGE_BUTTON | MessageType.TEXT_BUTTON:
            parts |= {"#img": content.link, "#action": content.action}
        case MessageType.TEXT_IMAGE:
            parts |= {"#img": content.link, "#caption": "", "#action": ""}
        case MessageType.DOCUMENT:
            parts |= {"#fileName": content.file_name, "#action": content.link}
        case MessageType.VIDEO | MessageType.TEXT_VIDEO | MessageType.TEXT_VIDEO_BUTTON:
            if kind == VIDEO_URL_BUTTON:
                parts |= {"#media": content.link, "#action": content.action}
            else:
                parts |= {"#action": content.link}
    return {key: value for key, value in parts.items() if value is not None}
