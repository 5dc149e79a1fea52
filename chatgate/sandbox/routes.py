"""The sandbox's own routes: what a test or a curious person looks at.

==========================================  =====================================================================
``GET /sandbox/messages``                   newest first; filters ``to``, ``status``, ``channel``, ``text``, ``since``
``GET /sandbox/messages/{MessageId}``       one message with its timeline
``GET /sandbox/phones/{number}``            what the phone of a number shows, newest first
==========================================  =====================================================================

``account=`` picks the account, default ``sandbox``. The routes have no credentials, so they answer no page of another
site: see ``from_another_site``.

A phone may show a message whose id is not known yet: the partner has it, its reply is being committed. So a message
that has just come is waited for a moment, and its ``message_id`` is null only if the reply was lost.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatgate.clock import Clock, Instant, as_text
from chatgate.domain.message import Message, Status
from chatgate.errors import StoreUnavailable
from chatgate.sandbox import seeds
from chatgate.sandbox.moments import instant
from chatgate.store import search
from chatgate.store.search import Filter, Story
from chatgate.store.store import Store
from chatgate.store.timeline import PublicId, timeline

PROVIDER = "viber"

JUST_COME = 3000
"""Milliseconds for which the id of a message on a phone is waited for."""
LONGEST_WAIT = 2.0
"""Seconds of one request, for all its messages."""
LOOK_EVERY = 0.02
"""Seconds."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Inbox(Protocol):
    """The phones of the simulated partner."""

    def inbox(self, service_ids: Collection[int], number: str) -> Sequence[Any]: ...


class Refused(Exception):
    """A request that is answered with an error; ``status`` is HTTP's."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


def app(store: Store, inbox: Inbox, clock: Clock, *, open_to_all: bool) -> Starlette:
    """Return the application; ``open_to_all`` allows other Host names than loopback's."""
    pages = _Pages(store, inbox, clock)

    def guarded(page: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            try:
                if (sentence := from_another_site(request.headers, open_to_all)) is not None:
                    raise Refused(403, sentence)
                return _json(200, await page(request))
            except Refused as error:
                return _json(error.status, {"error": str(error)})
            except StoreUnavailable:
                return _json(503, {"error": "The database cannot be read now."})

        return answer

    async def unknown(request: Request, _error: Exception) -> Response:
        return _json(404, {"error": f"There is no {request.url.path}."})

    async def wrong_method(request: Request, _error: Exception) -> Response:
        return _json(405, {"error": f"{request.method} is not for {request.url.path}."})

    return Starlette(
        routes=[
            Route("/sandbox/messages", guarded(pages.messages), methods=["GET"]),
            Route("/sandbox/messages/{message_id}", guarded(pages.message), methods=["GET"]),
            Route("/sandbox/phones/{number}", guarded(pages.phone), methods=["GET"]),
        ],
        exception_handlers={404: unknown, 405: wrong_method},
    )


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
    def __init__(self, store: Store, inbox: Inbox, clock: Clock) -> None:
        self._store = store
        self._inbox = inbox
        self._clock = clock

    async def messages(self, request: Request) -> object:
        query = request.query_params
        account_id = await self._account(request)
        status = query.get("status")
        if status is not None and status not in list(Status):
            raise Refused(400, f"status must be one of {', '.join(Status)}.")
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
        story = None if key is None else await self._store.story(await self._account(request), key)
        if story is None:
            raise Refused(404, "There is no such message in this account.")
        public = self._store.message_ids.public
        return self._summary(story.message) | {"timeline": _steps(story, public), "fallback": _fallback(story, public)}

    async def phone(self, request: Request) -> object:
        number = request.path_params["number"]
        if not (number.isascii() and number.isdigit()):
            raise Refused(400, "A number is digits only, with country code and without plus.")
        name = request.query_params.get("account", seeds.MAIN_ACCOUNT)
        await self._account(request)
        shown = []
        patience = asyncio.get_running_loop().time() + LONGEST_WAIT
        for on_phone in self._inbox.inbox([seeds.service_id(name)], number):
            key = await self._key(on_phone.token, on_phone.received_at, patience)
            shown.append({
                "message_id": None if key is None else self._store.message_ids.public(key),
                "channel": "viber",
                "text": on_phone.text, "image": on_phone.image, "video": on_phone.video, "file": on_phone.file,
                "button": on_phone.button,
                "received_at": as_text(on_phone.received_at),
            })  # fmt: skip
        return {"number": number, "messages": shown}

    async def _key(self, token: str, received_at: Instant, patience: float) -> int | None:
        """Return the message behind a token; wait for it, by the loop's clock, when it has just come."""
        while (key := await self._store.find_token(PROVIDER, token)) is None:
            just_come = self._clock.now() - received_at < JUST_COME
            if not just_come or asyncio.get_running_loop().time() >= patience:
                return None
            await asyncio.sleep(LOOK_EVERY)
        return key

    async def _account(self, request: Request) -> int:
        name = request.query_params.get("account", seeds.MAIN_ACCOUNT)
        account_id = await self._store.find_account(name)
        if account_id is None:
            raise Refused(404, f"There is no account {name!r} yet; it begins with its first signed call.")
        return account_id

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
