"""The bodies that the partner sends to a service's callback address.

Delivery status: as in two public emulators; the same body tells of a block (5) and its end (4), without a token when
no message is concerned. Reply: as a partner's public wrapper shows it, with ``service_id`` added.
"""

from __future__ import annotations

from typing import Any

import msgspec

from chatgate.clock import SECOND
from chatgate.simulators.viber.call import Call, text
from chatgate.simulators.viber.messages import Event, Message
from chatgate.simulators.viber.scripts import Do

MESSAGE_STATUS = {Do.DELIVERED: 0, Do.SEEN: 1, Do.EXPIRED: 2, Do.SUBSCRIBED: 4, Do.UNSUBSCRIBED: 5}
"""3 was never seen."""


def body_of(event: Event, message: Message | None, *, token_as_number: bool) -> bytes:
    """Return the callback of an event as JSON. ``message`` is the one it is about, if any."""
    if event.do is Do.REPLY:
        return msgspec.json.encode(_reply(event, message))
    body: dict[str, Any] = {}
    if event.token is not None:
        body["message_token"] = token(event.token, as_number=token_as_number)
    body["message_status"] = MESSAGE_STATUS[event.do]
    body["message_time"] = event.at
    body["phone_number"] = event.number
    body["service_id"] = event.service_id
    return msgspec.json.encode(body)


def token(value: str, *, as_number: bool) -> str | int:
    """Return a message token as it goes on the wire. As a number it exceeds 2^53."""
    return int(value) if as_number else value


def _reply(event: Event, message: Message | None) -> dict[str, Any]:
    parts = {} if message is None else Call.read(bytes(message.request), peer="").message
    return {
        "phone_number": event.number,
        "time": event.at // SECOND,
        "service_id": event.service_id,
        "message": {"text": event.text, "tracking_data": text(parts.get("#tracking_data"))},
    }
