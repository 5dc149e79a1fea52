"""All that the partner knows. It changes only by records, so that reading the journal again gives the same world.

The partner is not a database: beyond ``keep_messages`` the oldest message that has nothing left to tell (looked
for among the oldest hundred) is forgotten, with its ``seq``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from chatgate.simulators.viber.call import Call, text
from chatgate.simulators.viber.message_types import MESSAGE_TYPES
from chatgate.simulators.viber.messages import Event, EventState, Message
from chatgate.simulators.viber.records import (
    CallbackSettled,
    EventHappened,
    EventPlanned,
    MessageAccepted,
    NumberScripted,
    PhoneBlocked,
    PhoneSwitched,
    Record,
    ServiceRegistered,
    SessionKept,
    TemplateRegistered,
    TimeAdvanced,
)
from chatgate.simulators.viber.scripts import Do, Script
from chatgate.simulators.viber.sessions import Session, after_reply
from chatgate.simulators.viber.templates import Template

KEEP_MESSAGES = 100_000

Recipient = tuple[int, str]
"""A service id and a number: what a phone is to one service."""


class World:
    """Read it freely; change it by ``apply``."""

    def __init__(self, keep_messages: int = KEEP_MESSAGES) -> None:
        self.services: dict[int, ServiceRegistered] = {}
        self.templates: dict[tuple[int, str, str], Template] = {}
        self.scripts: dict[Recipient, Script] = {}
        self.messages: dict[str, Message] = {}
        """By token, oldest first."""
        self.phones: defaultdict[str, list[str]] = defaultdict(list)
        """Tokens by number, oldest first."""
        self.seqs: set[tuple[int, int]] = set()
        self.pending: dict[int, Event] = {}
        """Events whose callbacks are not settled."""
        self.blocked: set[Recipient] = set()
        self.off: set[Recipient] = set()
        self.sessions: dict[Recipient, Session] = {}
        self._ahead: dict[int | None, int] = {}
        self._last_event = 0
        self._keep_messages = keep_messages

    def ahead(self, service_id: int) -> int:
        """Return by how many milliseconds the time of a service is ahead of the clock."""
        return self._ahead.get(None, 0) + self._ahead.get(service_id, 0)

    def template_of(self, call: Call) -> Template | None:
        """Return the template that a call names."""
        if call.service_id is None:
            return None
        key = (call.service_id, text(call.body.get("templateId")), text(call.body.get("templateLang")))
        return self.templates.get(key)

    def new_event_id(self) -> int:
        self._last_event += 1
        return self._last_event

    def apply(self, record: Record) -> None:
        """Take note of one record. A record about something forgotten changes nothing."""
        match record:
            case MessageAccepted(message=message):
                self._accept(message)
            case EventHappened():
                self._happen(record)
            case CallbackSettled():
                self._settle(record)
            case EventPlanned(event=event):
                self._plan(event)
            case ServiceRegistered():
                self.services[record.service_id] = record
            case TemplateRegistered(template=template):
                self.templates[record.service_id, template.id, template.language] = template
            case NumberScripted(script=None):
                self.scripts.pop((record.service_id, record.number), None)
            case NumberScripted(script=Script() as script):
                self.scripts[record.service_id, record.number] = script
            case PhoneBlocked():
                _put(self.blocked, (record.service_id, record.number), record.blocked)
            case PhoneSwitched():
                _put(self.off, (record.service_id, record.number), record.off)
            case SessionKept():
                self.sessions[record.service_id, record.number] = record.session
            case TimeAdvanced():
                self._ahead[record.service_id] = self._ahead.get(record.service_id, 0) + record.milliseconds

    def records(self) -> Iterator[Record]:
        """Return the records from which the same world can be built: the journal without its history."""
        for service_id, ahead in self._ahead.items():
            yield TimeAdvanced(service_id=service_id, milliseconds=ahead)
        yield from self.services.values()
        for (service_id, _, _), template in self.templates.items():
            yield TemplateRegistered(service_id=service_id, template=template)
        for (service_id, number), script in self.scripts.items():
            yield NumberScripted(service_id=service_id, number=number, script=script)
        for message in self.messages.values():
            yield MessageAccepted(message=message)
        for event in self.pending.values():
            if event.token is None:
                yield EventPlanned(event=event)
        for service_id, number in self.blocked:
            yield PhoneBlocked(service_id=service_id, number=number, blocked=True)
        for service_id, number in self.off:
            yield PhoneSwitched(service_id=service_id, number=number, off=True)
        # After the messages: these count themselves into a session.
        for (service_id, number), session in self.sessions.items():
            yield SessionKept(service_id=service_id, number=number, session=session)

    def _accept(self, message: Message) -> None:
        self.messages[message.token] = message
        self.phones[message.number].append(message.token)
        self.seqs.add((message.service_id, message.seq))
        for event in message.events:
            self._await(event)
        recipient = (message.service_id, message.number)
        if MESSAGE_TYPES[message.type].session and recipient in self.sessions:
            self.sessions[recipient] = self.sessions[recipient].after_send()
        if len(self.messages) > self._keep_messages:
            self._forget_oldest()

    def _plan(self, event: Event) -> None:
        if event.token is not None and event.token in self.messages:
            self.messages[event.token].events.append(event)
        self._await(event)

    def _await(self, event: Event) -> None:
        self._last_event = max(self._last_event, event.id)
        if not event.settled:
            self.pending[event.id] = event

    def _happen(self, record: EventHappened) -> None:
        event = self.pending.get(record.id)
        if event is None:
            return
        event.state, event.at = EventState.HAPPENED, record.at
        if event.token is not None and event.token in self.messages:
            self.messages[event.token].happen(event.do, event.at)
        recipient = (event.service_id, event.number)
        match event.do:
            case Do.SUBSCRIBED | Do.UNSUBSCRIBED:
                _put(self.blocked, recipient, event.do is Do.UNSUBSCRIBED)
            case Do.REPLY:
                self.sessions[recipient] = after_reply(self.sessions.get(recipient), event.at)
            case _:
                pass

    def _settle(self, record: CallbackSettled) -> None:
        event = self.pending.pop(record.id, None)
        if event is not None:
            event.state, event.reason = record.outcome, record.reason

    def _forget_oldest(self) -> None:
        for message in islice(self.messages.values(), 100):
            if message.settled:
                del self.messages[message.token]
                self.seqs.discard((message.service_id, message.seq))
                self.phones[message.number].remove(message.token)
                if not self.phones[message.number]:
                    del self.phones[message.number]
                return


def _put(members: set[Recipient], member: Recipient, present: bool) -> None:
    if present:
        members.add(member)
    else:
        members.discard(member)
