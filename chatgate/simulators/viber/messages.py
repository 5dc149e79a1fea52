"""An accepted message and what happens to it on the phone. These are the records that the journal keeps whole."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chatgate.clock import Instant
from chatgate.simulators.viber.scripts import Do


class EventState(StrEnum):
    """How far an event and its callback are. The last two are final."""

    PLANNED = "planned"
    HAPPENED = "happened"
    """On the phone; the callback is not acknowledged yet."""
    ACKNOWLEDGED = "acknowledged"
    DROPPED = "dropped"


class MessageStatus(StrEnum):
    """What is true of a message on the phone; a later word of this list is never undone by an earlier one."""

    ACCEPTED = "accepted"
    EXPIRED = "expired"
    DELIVERED = "delivered"
    SEEN = "seen"


class Event(msgspec.Struct, kw_only=True, gc=False):
    """One thing that happens on a phone. It changes in place as it proceeds."""

    id: int
    service_id: int
    number: str
    do: Do
    at: Instant
    """When it happens, in the time of its service; ``message_time`` of the callback."""
    token: str | None = None
    """The message it is about, if any."""
    text: str = ""
    only_if_off: bool = False
    """The expiry of a message that waits for a phone that is switched off."""
    state: EventState = EventState.PLANNED
    reason: str = ""
    """Why the callback was dropped."""

    @property
    def settled(self) -> bool:
        return self.state in (EventState.ACKNOWLEDGED, EventState.DROPPED)


class Message(msgspec.Struct, kw_only=True):
    """One accepted send. It changes in place as its events proceed."""

    token: str
    service_id: int
    number: str
    seq: int
    type: int
    at: Instant
    """When it was accepted, in the time of its service."""
    ttl: int
    """Milliseconds."""
    request: msgspec.Raw
    """The whole request, as compact JSON."""
    events: list[Event]
    status: MessageStatus = MessageStatus.ACCEPTED
    landed_at: Instant | None = None
    """When it appeared on the phone."""

    @property
    def settled(self) -> bool:
        """Whether nothing more will be told about it, as far as is planned."""
        return all(event.settled for event in self.events)

    def happen(self, do: Do, at: Instant) -> None:
        """Take note of an event."""
        match do:
            case Do.DELIVERED | Do.SEEN:
                if self.landed_at is None:
                    self.landed_at = at
                if self.status is not MessageStatus.SEEN:
                    self.status = MessageStatus(do.value)
            case Do.EXPIRED if self.status is MessageStatus.ACCEPTED:
                self.status = MessageStatus.EXPIRED
            case _:
                pass
