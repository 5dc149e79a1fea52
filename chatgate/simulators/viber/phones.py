"""What the owner of a phone sees."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from chatgate.clock import Instant
from chatgate.simulators.viber.call import Call, text
from chatgate.simulators.viber.message_types import MESSAGE_TYPES, Content
from chatgate.simulators.viber.messages import Message, MessageStatus
from chatgate.simulators.viber.world import World

VIDEO_KEY = {
    Content.VIDEO: "#action",
    Content.VIDEO_TEXT: "#action",
    Content.VIDEO_TEXT_BUTTON: "#action",
    Content.VIDEO_TEXT_LINK: "#media",
}
"""Where a video's address stands."""
WITH_BUTTON = frozenset(
    {Content.IMAGE_TEXT_BUTTON, Content.TEXT_BUTTON, Content.VIDEO_TEXT_BUTTON, Content.VIDEO_TEXT_LINK}
)


class Button(msgspec.Struct, frozen=True, kw_only=True):
    caption: str
    action: str


class PhoneMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message on a phone; what it does not carry is ``None``."""

    token: str
    service_id: int
    text: str | None
    image: str | None
    video: str | None
    file: str | None
    button: Button | None
    type: int
    label: str
    tracking_data: str | None
    received_at: Instant
    """When it appeared, in the time of its service."""
    status: MessageStatus
    """Delivered or seen."""


def inbox(world: World, service_ids: Collection[int], number: str) -> list[PhoneMessage]:
    """Return what arrived on a phone from some services, newest first. What is not delivered is not there."""
    messages = [world.messages[token] for token in reversed(world.phones.get(number, []))]
    arrived = [_show(world, message) for message in messages if message.service_id in service_ids and message.landed_at]
    return sorted(arrived, key=lambda message: message.received_at, reverse=True)


def _show(world: World, message: Message) -> PhoneMessage:
    assert message.landed_at is not None
    call = Call.read(bytes(message.request), peer="")
    content, parts = MESSAGE_TYPES[message.type].content, call.message
    return PhoneMessage(
        token=message.token,
        service_id=message.service_id,
        text=_template_text(world, call) if content is Content.TEMPLATE else _part(parts, "#txt"),
        image=_part(parts, "#img"),
        video=_part(parts, VIDEO_KEY[content]) if content in VIDEO_KEY else None,
        file=_part(parts, "#action") if content is Content.FILE else None,
        button=_button(parts) if content in WITH_BUTTON else None,
        type=message.type,
        label=text(call.body.get("label")),
        tracking_data=parts.get("#tracking_data"),
        received_at=message.landed_at,
        status=message.status,
    )


def _part(parts: dict[str, Any], key: str) -> str | None:
    return text(parts.get(key)) or None


def _button(parts: dict[str, Any]) -> Button | None:
    caption = _part(parts, "#caption")
    return None if caption is None else Button(caption=caption, action=text(parts.get("#action")))


def _template_text(world: World, call: Call) -> str | None:
    template = world.template_of(call)
    return None if template is None else template.render(call.body.get("templateParams") or {})
