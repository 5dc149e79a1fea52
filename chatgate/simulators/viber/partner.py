"""The simulated partner: what a test, the sandbox or the command ``chatgate simulate viber`` holds in its hands.

It answers sends (``send``), acts out the phones, and sends callbacks to each service's address. What it accepted, was
told, and still has to tell is in the journal and survives a kill; switches, how often a callback was tried, and how
often a number was called (for scripts with more than one answer) do not.

Every service has a time of its own: the clock's, plus what ``advance`` added. All instants it shows are in that time;
``next_due`` is in the clock's, so that the difference to the clock is what to advance by.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from random import Random

from chatgate.clock import Clock, Instant
from chatgate.simulators.journal import Batch, Journal
from chatgate.simulators.viber import callbacks, phones
from chatgate.simulators.viber.events import Events
from chatgate.simulators.viber.http_post import HttpPost
from chatgate.simulators.viber.messages import Event
from chatgate.simulators.viber.phones import PhoneMessage
from chatgate.simulators.viber.reception import Answer, HangUp, Reception, Request, Rules
from chatgate.simulators.viber.records import (
    DECODER,
    NumberScripted,
    PhoneSwitched,
    Record,
    ServiceRegistered,
    TemplateRegistered,
    TimeAdvanced,
)
from chatgate.simulators.viber.schedule import Schedule
from chatgate.simulators.viber.scripts import Do, Script, Timing
from chatgate.simulators.viber.sender import CallbackSender, Envelope, Post
from chatgate.simulators.viber.sessions import UNANSWERED_LIMIT
from chatgate.simulators.viber.switches import SwitchBoard, Switches
from chatgate.simulators.viber.templates import Template
from chatgate.simulators.viber.world import KEEP_MESSAGES, World

COMPACT_ABOVE = 100_000
"""Records in the journal; above, it is rewritten at start if that halves it."""
DEFAULT_TIMING = Timing()


class ViberPartner:
    """Start it before anything else is asked of it.

    ``journal=None`` keeps everything in memory. ``callback_url`` is for services that have none of their own. ``post``
    takes the place of the HTTP client that sends callbacks.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        journal: Path | None,
        random: Random,
        callback_url: str | None = None,
        allow_any_service: bool = False,
        allowed_peers: Collection[str] | None = None,
        timing: Timing = DEFAULT_TIMING,
        unanswered_limit: int = UNANSWERED_LIMIT,
        compact_above: int = COMPACT_ABOVE,
        keep_messages: int = KEEP_MESSAGES,
        post: Post | None = None,
    ) -> None:
        self._callback_url = callback_url
        self._compact_above = compact_above
        self._random = random
        self._world = World(keep_messages)
        self._journal = Journal(journal, DECODER)
        self._board = SwitchBoard()
        self._schedule = Schedule(clock, self._world)
        self._http = HttpPost(timing.callback_timeout)
        self._sender = CallbackSender(
            post=post or self._http,
            schedule=self._schedule,
            retries=timing.retries,
            envelope=self._envelope,
            settle=lambda event, outcome, reason: self._events.settle(event, outcome, reason),
        )
        self._events = Events(
            world=self._world,
            note=self._post,
            schedule=self._schedule,
            sender=self._sender,
            undeliverable=self._undeliverable,
        )
        self._reception = Reception(
            world=self._world,
            post=self._post,
            schedule=self._schedule,
            events=self._events,
            board=self._board,
            random=random,
            timing=timing,
            rules=Rules(allowed_peers, allow_any_service, unanswered_limit),
        )

    async def start(self, *, resume: bool = True) -> None:
        """Read the journal and take up what it left undone. ``JournalError`` if it cannot be read.

        Without ``resume`` nothing is called back until ``resume`` is: where callbacks go may not be known yet.
        """
        records = self._journal.open()
        for record in records:
            self._world.apply(record)
        if len(records) > self._compact_above:
            live = list(self._world.records())
            if len(live) <= len(records) // 2:
                self._journal.compact(live)
        if resume:
            self.resume()

    def resume(self) -> None:
        """Begin to call back: what was left undone, and what comes."""
        self._events.resume()
        self._schedule.start()

    async def stop(self) -> None:
        """Stop at once. Callbacks that are not acknowledged are sent again after the next start."""
        self._reception.stop()
        self._schedule.stop()
        await self._sender.stop()
        await self._journal.close()
        await self._http.close()

    async def send(self, body: bytes, peer: str, hang_up: HangUp) -> Answer:
        """Answer a ``send_message``. ``hang_up`` returns when the caller has gone."""
        return await self._reception.answer(body, peer, hang_up)

    def register_service(
        self, service_id: int, callback_url: str | None = None, *, blocked: bool | None = None
    ) -> None:
        """Make a sender known, or change it.

        ``blocked``: in the business portal, so that every send gets status 43; ``None`` leaves that as it is.
        """
        known = self._world.services.get(service_id)
        if blocked is None:
            blocked = known is not None and known.blocked
        record = ServiceRegistered(service_id=service_id, callback_url=callback_url, blocked=blocked)
        if known != record:
            self._write(record)

    def set_callback_url(self, url: str) -> None:
        """Say where callbacks of services without a URL of their own go; not kept in the journal."""
        self._callback_url = url

    def register_template(self, service_id: int, template: Template) -> None:
        """Make a template known, or change it."""
        record = TemplateRegistered(service_id=service_id, template=template)
        if self._world.templates.get((service_id, template.id, template.language)) != template:
            self._write(record)

    def script_number(self, service_id: int, number: str, script: Script | None) -> None:
        """Give a recipient a script of its own towards one service; ``None`` takes it back."""
        self._write(NumberScripted(service_id=service_id, number=number, script=script))

    def switches(self, service_id: int | None = None) -> Switches:
        """Return the switches of a service, or the common ones."""
        return self._board.of(service_id)

    def set_switches(self, switches: Switches | None, service_id: int | None = None) -> None:
        """Set the switches of a service, or the common ones. ``None``: follow the common ones, or behave."""
        if switches is None and service_id is not None:
            self._board.clear(service_id)
        else:
            self._board.set(switches or Switches(), service_id)

    def inbox(self, service_ids: Collection[int], number: str) -> list[PhoneMessage]:
        """Return what arrived on a phone from some services, newest first."""
        return phones.inbox(self._world, service_ids, number)

    def services(self) -> list[int]:
        """Return the ids of the services that are known."""
        return list(self._world.services)

    def force(self, token: str, do: Do, text: str = "") -> None:
        """Let something happen to an accepted message now. ``KeyError`` if the token is unknown."""
        message = self._world.messages[token]
        self._happen_now(do, message.service_id, message.number, token=token, text=text)

    def reply(self, service_id: int, number: str, text: str) -> None:
        """Let a user write to a service, without being asked."""
        self._happen_now(Do.REPLY, service_id, number, text=text)

    def block(self, service_id: int, number: str, blocked: bool = True) -> None:
        """Let a user block a service, or unblock it. No change, no callback."""
        if ((service_id, number) in self._world.blocked) != blocked:
            self._happen_now(Do.UNSUBSCRIBED if blocked else Do.SUBSCRIBED, service_id, number)

    def switch_phone(self, service_id: int, number: str, off: bool) -> None:
        """Switch a phone off or on, as one service sees it. Nothing but expiry happens on a phone that is off."""
        self._write(PhoneSwitched(service_id=service_id, number=number, off=off))
        if not off:
            self._events.phone_on((service_id, number))

    def now(self, service_id: int) -> Instant:
        """Return the time of a service."""
        return self._schedule.now(service_id)

    def advance(self, service_id: int | None, milliseconds: int) -> None:
        """Move the time of a service (``None``: of all) forward; what it has planned is due so much earlier."""
        self._write(TimeAdvanced(service_id=service_id, milliseconds=milliseconds))
        self._schedule.moved(service_id)

    def next_due(self, service_id: int | None = None) -> Instant | None:
        """Return when a service (``None``: any) has something to do next, in the clock's time; ``None`` if never."""
        return self._schedule.next_due(service_id)

    async def run_due(self) -> None:
        """Do all that is due now, and return when the callbacks of it were tried."""
        self._schedule.run_due()
        while await self._sender.quiet():
            self._schedule.run_due()

    def requests(self) -> list[Request]:
        """Return the last sends and their answers, oldest first."""
        return list(self._reception.requests)

    def journal(self) -> list[bytes]:
        """Return the last lines that went to the journal since the start, oldest first."""
        return list(self._journal.recent)

    def _happen_now(self, do: Do, service_id: int, number: str, *, token: str | None = None, text: str = "") -> None:
        self._events.happen(self._events.plan(do, (service_id, number), self.now(service_id), token=token, text=text))

    def _post(self, record: Record) -> Batch:
        self._world.apply(record)
        return self._journal.post(record)

    def _write(self, record: Record) -> None:
        self._journal.write(record)
        self._world.apply(record)

    def _url_of(self, service_id: int) -> str | None:
        service = self._world.services.get(service_id)
        return (service.callback_url if service is not None else None) or self._callback_url

    def _undeliverable(self, event: Event) -> str:
        if self._random.random() < self._board.of(event.service_id).lost:
            return "lost on purpose"
        return "" if self._url_of(event.service_id) else "no callback address"

    def _envelope(self, event: Event) -> Envelope:
        switches = self._board.of(event.service_id)
        message = self._world.messages.get(event.token or "")
        copies = 2 if self._random.random() < switches.duplicated else 1
        body = callbacks.body_of(event, message, token_as_number=switches.token_as_number)
        return Envelope(url=self._url_of(event.service_id) or "", body=body, copies=copies)
