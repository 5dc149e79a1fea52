"""What the journal holds, one record a line. Whatever the partner must know after a restart is one of these."""

from __future__ import annotations

import msgspec

from chatgate.clock import Instant
from chatgate.simulators.viber.messages import Event, EventState, Message
from chatgate.simulators.viber.scripts import Script
from chatgate.simulators.viber.sessions import Session
from chatgate.simulators.viber.templates import Template


class _Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record"):
    pass


class ServiceRegistered(_Record, frozen=True, tag="service"):
    """A sender exists; a later record of the same id replaces it."""

    service_id: int
    callback_url: str | None = None
    """``None``: the partner's default."""
    blocked: bool = False
    """Blocked in the business portal: every send gets status 43."""


class TemplateRegistered(_Record, frozen=True, tag="template"):
    service_id: int
    template: Template


class NumberScripted(_Record, frozen=True, tag="number"):
    """A recipient has a script of its own towards one service; ``None`` takes it back."""

    service_id: int
    number: str
    script: Script | None


class MessageAccepted(_Record, frozen=True, tag="message"):
    """A send was accepted. In a compacted journal the message stands as far as it has come."""

    message: Message


class EventPlanned(_Record, frozen=True, tag="event"):
    """Something is to happen that was not in the plan of a message."""

    event: Event


class EventHappened(_Record, frozen=True, tag="happened"):
    id: int
    at: Instant


class CallbackSettled(_Record, frozen=True, tag="callback"):
    """A callback was acknowledged or dropped; nothing more is sent for its event."""

    id: int
    outcome: EventState
    reason: str = ""


class PhoneBlocked(_Record, frozen=True, tag="blocked"):
    """A user blocks a sender (or no longer)."""

    service_id: int
    number: str
    blocked: bool


class PhoneSwitched(_Record, frozen=True, tag="phone"):
    """A phone is switched off (or on), as far as one service can tell."""

    service_id: int
    number: str
    off: bool


class SessionKept(_Record, frozen=True, tag="session"):
    """Written by compaction only: otherwise sessions follow from replies and messages."""

    service_id: int
    number: str
    session: Session


class TimeAdvanced(_Record, frozen=True, tag="time"):
    """The time of one service (``None``: of all) was moved forward."""

    service_id: int | None
    milliseconds: int


Record = (
    ServiceRegistered
    | TemplateRegistered
    | NumberScripted
    | MessageAccepted
    | EventPlanned
    | EventHappened
    | CallbackSettled
    | PhoneBlocked
    | PhoneSwitched
    | SessionKept
    | TimeAdvanced
)

DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
"""Reads a line of the journal."""
