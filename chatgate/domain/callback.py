"""What the customer is told about a message: a report for each change of status, until it was heard or given up.

Names and shape of a report are Alibaba's (``ChatAppStatus``, "Message receipts" of the developer reference); the retry
schedule is Standard Webhooks' (its appendix), three days and a half.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chatgate.clock import HOUR, MINUTE, SECOND, Instant
from chatgate.domain.message import Draft, Failure, MessageKind, Status
from chatgate.domain.receipt import Reply


class ReportStatus(StrEnum):
    """``Status`` of a report."""

    SENT = "Sent"
    DELIVERED = "Delivered"
    READ = "Read"
    FAILED = "Failed"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


class CallbackState(StrEnum):
    """Where a report stands."""

    WAITING = "waiting"
    HEARD = "heard"
    UNDELIVERABLE = "undeliverable"
    """Given up: it is listed, and can be replayed."""


REPORTED: dict[Status, ReportStatus] = {
    Status.SENT: ReportStatus.SENT,
    Status.DELIVERED: ReportStatus.DELIVERED,
    Status.READ: ReportStatus.READ,
    Status.FAILED: ReportStatus.FAILED,
    Status.EXPIRED: ReportStatus.FAILED,
    Status.UNKNOWN: ReportStatus.FAILED,
}
"""What is told of a change. Expired is Failed with SRVC_TIMEOUT. Unknown is a change at rest only: its time is over and
nobody knows. Accepted and sending are not told."""

RETRIES = (
    5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
"""Waits after the first, second … failed try; 75 hours 35 minutes in all. After the last it is undeliverable."""


def next_try(tries: int, jitter: float) -> int | None:
    """Return the milliseconds until the next try after ``tries`` failed ones; None: it is undeliverable.

    ``jitter`` (0 to 1) spreads the wait by a tenth, upwards, so that the schedule stays at least as long as promised.
    """
    if tries > len(RETRIES):
        return None
    return int(RETRIES[tries - 1] * (1 + jitter / 10))


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """One element of the array that is posted. Field names on the wire are these in PascalCase."""

    message_id: str
    from_: str = msgspec.field(name="From")
    to: str
    status: ReportStatus
    status_description: str
    timestamp: Instant
    msg_frame_type: str
    type: str
    task_id: str
    error_code: str | None = None
    error_description: str | None = None
    template_code: str | None = None
    template_name: str | None = None
    language: str | None = None
    group_id: str | None = None


def report(
    draft: Draft, public_id: str, status: ReportStatus, at: Instant, failure: Failure | None,
    template_name: str | None, group_id: str | None = None,
) -> Report:  # fmt: skip
    """Return the report of one change. ``public_id``: of the message that the caller knows (an SMS's parent);
    ``group_id``: of its mass sending."""
    template = draft.kind is MessageKind.TEMPLATE and draft.channel != "sms"
    kind = "SMS" if draft.channel == "sms" else "TEMPLATE" if template else _TYPES.get(draft.message_type, "none")
    return Report(
        message_id=public_id, from_=draft.sender, to=draft.recipient, status=status, status_description=str(status),
        timestamp=at, msg_frame_type="template" if template else "message", type=kind,
        task_id=draft.task_id or public_id, error_code=None if failure is None else failure.code,
        error_description=None if failure is None else f"{failure.code}:{failure.reason}".removesuffix(":"),
        template_code=draft.template_code if template else None, template_name=template_name if template else None,
        language=draft.language if template else None, group_id=group_id,
    )  # fmt: skip


def subscription(status: ReportStatus, sender: str, recipient: str, at: Instant) -> bytes:
    """Return the report that somebody subscribed to, or unsubscribed from, a sender. It is about no message."""
    told = Report(
        message_id="", from_=sender, to=recipient, status=status, status_description=str(status), timestamp=at,
        msg_frame_type="message", type="none", task_id="",
    )  # fmt: skip
    return msgspec.json.encode(told)


def inbound(reply: Reply, public_id: str, sender: str, space_id: str) -> bytes:
    """Return the report of a reply (``ChatAppInbound``). The sample for Viber is not published: fields as documented,
    ``caption`` is ours."""
    text, kind = reply.text or "", "TEXT"
    if reply.media is not None:
        kind = "IMAGE" if reply.file_name is None else "DOCUMENT"
        media = {"url": reply.media, "filename": reply.file_name, "caption": reply.text}
        text = msgspec.json.encode({key: value for key, value in media.items() if value is not None}).decode()
    told = {
        "MessageId": public_id, "From": reply.recipient, "To": sender, "Timestamp": reply.at, "Type": kind,
        "Message": text, "CustSpaceId": space_id, "NoticeType": "inbound",
    }  # fmt: skip
    return msgspec.json.encode(told)


# ``Type`` is documented as image, video, document, audio or none.
_TYPES = {
    "image": "image", "text_image": "image", "text_image_button": "image", "video": "video", "text_video": "video",
    "text_video_button": "video", "document": "document",
}  # fmt: skip
