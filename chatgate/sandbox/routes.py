"""The sandbox's own routes: what a test or a curious person looks at.

==========================================  =====================================================================
``GET /sandbox/messages``                   newest first; filters ``to``, ``status``, ``channel``, ``text``, ``since``
``GET /sandbox/messages/{MessageId}``       one message with its timeline
``GET /sandbox/phones/{number}``            what the phone of a number shows, newest first
``GET /sandbox/callbacks``                  what the built-in customer endpoint heard, newest first
``POST /sandbox/callbacks``                 that endpoint
==========================================  =====================================================================

``account=`` picks the account, default ``sandbox``. The routes have no credentials, so they answer no page of another
site: see ``from_another_site``. The node's own calls to the customer endpoint pass: they come from no page, and name
this node as their Host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from chatgate.clock import Clock, as_text
from chatgate.domain.message import Message, Status
from chatgate.errors import StoreUnavailable
from chatgate.sandbox import seeds
from chatgate.sandbox.customer import ANSWER, CALLBACKS, Customer
from chatgate.sandbox.moments import instant
from chatgate.sandbox.phones import Phones, SmsInbox, ViberInbox
from chatgate.store import search
from chatgate.store.search import Filter, Story
from chatgate.store.store import Store
from chatgate.store.timeline import PublicId, timeline

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


LONGEST_TEXT = 1000
"""Characters of a text that is looked for; no message has more."""


class Refused(Exception):
    """A request that is answered with an error; ``status`` is HTTP's."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


def app(store: Store, viber: ViberInbox, sms: SmsInbox, clock: Clock, *, open_to_all: bool) -> Starlette:
    """Return the application; ``open_to_all`` allows other Host names than loopback's."""
    pages = _Pages(store, Phones(store, viber, sms, clock), Customer(clock), clock)

    def guarded(page: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                if (sentence := from_another_site(request.headers, open_to_all)) is not None:
                    raise Refused(403, sentence)
                return _json(200, await page(request))
            except Refused as error:
                return _json(error.status, {"error": str(error)})
            except ClientDisconnect:
                return _json(400, {"error": "The request broke off."})
            except StoreUnavailable:
                return _json(503, {"error": "The database cannot be read now."})

        return answer

    async def unknown(request: Request, _error: Exception) -> Response:
        return _json(404, {"error": f"There is no {request.url.path}."})

    async def wrong_method(request: Request, _error: Exception) -> Response:
        return _json(405, {"error": f"{request.method} is not for {request.url.path}."})

    application = Starlette(
        routes=[
            Route("/sandbox/messages", guarded(pages.messages), methods=["GET"]),
            Route("/sandbox/messages/{message_id}", guarded(pages.message), methods=["GET"]),
            Route("/sandbox/phones/{number}", guarded(pages.phone), methods=["GET"]),
            Route(CALLBACKS, guarded(pages.callbacks), methods=["GET", "POST"]),
        ],
        exception_handlers={404: unknown, 405: wrong_method},
    )
    application.router.redirect_slashes = False  # a redirect would answer before the guard
    return application


def from_another_site(headers: Mapping[str, str], open_to_all: bool) -> str | None:
    """Return why a request must not be answered, None when it may.

    A page of any site can make the browser of the person who runs the sandbox call loopback (and a name can be rebound
    to loopback): browsers tell by ``Sec-Fetch-Site`` and ``Origin``, and the Host name must be loopback's.
    """
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return "Requests of other sites are refused."
    host = headers.get("host", "")
    origin = headers.get("origin")
    if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
        return "Requests of other sites are refused."
    if not open_to_all and _name(host) not in LOOPBACK:
        return "This sandbox answers on loopback only; start it with --open for other names."
    return None


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class _Pages:
    def __init__(self, store: Store, phones: Phones, customer: Customer, clock: Clock) -> None:
        self._store = store
        self._phones = phones
        self._customer = customer
        self._clock = clock

    async def messages(self, request: Request) -> object:
        query = request.query_params
        _, account_id = await self._account(request)
        status = query.get("status")
        if status is not None and status not in list(Status):
            raise Refused(400, f"status must be one of {', '.join(Status)}.")
        if len(query.get("text", "")) > LONGEST_TEXT:
            raise Refused(400, f"text must have at most {LONGEST_TEXT} characters.")
        since, limit = query.get("since"), query.get("limit", "100")
        if not (re.fullmatch("[0-9]{1,4}", limit) and 1 <= int(limit) <= search.LONGEST_LIST):
            raise Refused(400, f"limit must be a number from 1 to {search.LONGEST_LIST}.")
        try:
            moment = instant(since, self._clock.now()) if since is not None else None
        except ValueError as error:
            raise Refused(400, str(error)) from None
        wanted = Filter(
            account_id=account_id, to=query.get("to"), status=Status(status) if status else None,
            channel=query.get("channel"), text=query.get("text"), since=moment,
            limit=int(limit),
        )  # fmt: skip
        found = await self._store.list_messages(wanted)
        return {"messages": [self._summary(message) for message in found]}

    async def message(self, request: Request) -> object:
        key = self._store.message_ids.key(request.path_params["message_id"])
        _, account_id = await self._account(request)
        story = None if key is None else await self._store.story(account_id, key)
        if story is None:
            raise Refused(404, "There is no such message in this account.")
        public = self._store.message_ids.public
        return self._summary(story.message) | {"timeline": _steps(story, public), "fallback": _fallback(story, public)}

    async def phone(self, request: Request) -> object:
        number = request.path_params["number"]
        if not (number.isascii() and number.isdigit()):
            raise Refused(400, "A number is digits only, with country code and without plus.")
        account, _ = await self._account(request)
        return {"number": number, "messages": await self._phones.shown(account, number)}

    async def callbacks(self, request: Request) -> object:
        account, _ = await self._account(request)
        if request.method == "POST":
            self._customer.hear(account, dict(request.headers), await request.body())
            return ANSWER
        return {"callbacks": self._customer.heard(account)}

    async def _account(self, request: Request) -> tuple[str, int]:
        """Return name and id of the account that is asked about."""
        name = request.query_params.get("account", seeds.MAIN_ACCOUNT)
        account_id = await self._store.find_account(name)
        if account_id is None:
            raise Refused(404, f"There is no account {name!r} yet; it begins with its first signed call.")
        return name, account_id

    def _summary(self, message: Message) -> dict[str, object]:
        failure = message.failure
        return {
            "message_id": self._store.message_ids.public(message.id),
            "to": message.draft.recipient,
            "channel": message.draft.channel,
            "status": message.status,
            "text": message.draft.content.text,
            "accepted_at": as_text(message.accepted_at),
            "failure": None if failure is None else {"code": failure.code, "reason": failure.reason},
        }


def _steps(story: Story, public: PublicId) -> list[dict[str, str]]:
    return [{"at": as_text(step.at), "event": step.event, "detail": step.detail} for step in timeline(story, public)]


def _fallback(story: Story, public: PublicId) -> dict[str, object] | None:
    """Return where the fallback stands, and the SMS once there is one; None where none was ordered."""
    state = story.message.fallback_state
    return None if state is None else {"state": state, "message_id": public(story.sms.id) if story.sms else None}


def _json(status: int, value: object) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
