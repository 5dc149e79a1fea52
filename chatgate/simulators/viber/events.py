"""Makes planned events happen on the phones, and hands their callbacks to the sender.

A phone that is switched off holds back everything but the expiry of a message. When it comes back, what was held
happens at once; when the message expires before, it never does.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable

from chatgate.clock import Instant
from chatgate.simulators.viber.due_queue import Row
from chatgate.simulators.viber.messages import Event, EventState
from chatgate.simulators.viber.records import CallbackSettled, EventHappened, EventPlanned, Record
from chatgate.simulators.viber.schedule import Schedule
from chatgate.simulators.viber.scripts import Do
from chatgate.simulators.viber.sender import CallbackSender
from chatgate.simulators.viber.world import Recipient, World

Note = Callable[[Record], object]
"""Applies a record to the world and posts it to the journal."""
Undeliverable = Callable[[Event], str]
"""Says why the callback of an event is not to be sent; empty if it is."""


class Events:
    """Everything that happens on phones passes here."""

    def __init__(
        self, *, world: World, note: Note, schedule: Schedule, sender: CallbackSender, undeliverable: Undeliverable
    ) -> None:
        self._world = world
        self._note = note
        self._schedule = schedule
        self._sender = sender
        self._undeliverable = undeliverable
        self._held: defaultdict[Recipient, list[Event]] = defaultdict(list)
        self._expiries: dict[str, tuple[Event, Row]] = {}
        """By token: expiries that hold only while the phone is off."""

    def resume(self) -> None:
        """Take up what the journal left unsettled; what is overdue is due now."""
        for event in list(self._world.pending.values()):
            if event.state is EventState.HAPPENED:
                self._tell(event)
            else:
                self.schedule(event)

    def schedule(self, event: Event) -> None:
        """Let a planned event happen when it is due."""
        row = self._schedule.at(event.service_id, event.at, lambda: self._due(event, event.at))
        if event.only_if_off and event.token is not None:
            self._expiries[event.token] = (event, row)

    def happen(self, event: Event) -> asyncio.Event | None:
        """Let an event happen now. The answer is set when its callback was tried; ``None`` if none is sent now."""
        return self._due(event, self._schedule.now(event.service_id))

    def plan(
        self,
        do: Do,
        recipient: Recipient,
        at: Instant,
        *,
        token: str | None = None,
        text: str = "",
        only_if_off: bool = False,
    ) -> Event:
        """Add an event that was in no plan."""
        event = Event(
            id=self._world.new_event_id(),
            service_id=recipient[0],
            number=recipient[1],
            do=do,
            at=at,
            token=token,
            text=text,
            only_if_off=only_if_off,
        )
        self._note(EventPlanned(event=event))
        return event

    def phone_on(self, recipient: Recipient) -> None:
        """Let what was held back happen, in its order."""
        for event in self._held.pop(recipient, []):
            if event.token in self._expiries:
                expiry, row = self._expiries.pop(event.token)
                self._schedule.cancel(row)
                self.settle(expiry, EventState.DROPPED, "the phone came back in time")
            if event.state is EventState.PLANNED:
                self.happen(event)

    def settle(self, event: Event, outcome: EventState, reason: str) -> None:
        self._note(CallbackSettled(id=event.id, outcome=outcome, reason=reason))

    def _due(self, event: Event, at: Instant) -> asyncio.Event | None:
        if event.state is not EventState.PLANNED:
            return None
        recipient = (event.service_id, event.number)
        if event.do is Do.EXPIRED:
            self._expire_held(recipient, event)
        elif recipient in self._world.off:
            self._hold(recipient, event)
            return None
        self._note(EventHappened(id=event.id, at=at))
        return self._tell(event)

    def _tell(self, event: Event) -> asyncio.Event | None:
        if reason := self._undeliverable(event):
            self.settle(event, EventState.DROPPED, reason)
            return None
        return self._sender.submit(event)

    def _hold(self, recipient: Recipient, event: Event) -> None:
        self._held[recipient].append(event)
        message = self._world.messages.get(event.token or "")
        if message is None or any(other.do is Do.EXPIRED for other in message.events):
            return
        expires_at = message.at + message.ttl
        self.schedule(self.plan(Do.EXPIRED, recipient, expires_at, token=event.token, only_if_off=True))

    def _expire_held(self, recipient: Recipient, expiry: Event) -> None:
        held = self._held.get(recipient, [])
        for event in [event for event in held if event.token == expiry.token]:
            held.remove(event)
            self.settle(event, EventState.DROPPED, "expired while the phone was off")
        self._expiries.pop(expiry.token or "", None)
