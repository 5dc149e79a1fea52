"""The partner's admin side over HTTP, for the stand-alone server. Nothing of the gateway may depend on it.

It answers only loopback callers that name a loopback host, and no web page: whatever carries ``Origin``, or says
``Sec-Fetch-Site: cross-site``, is refused.

| route | what |
|---|---|
| ``PUT /admin/services/{service_id}`` | ``{"callback_url":…,"blocked":false}`` |
| ``PUT …/services/{service_id}/templates/{template_id}`` | ``{"language":…,"body":…,"approved":true,"otp":false}`` |
| ``PUT DELETE …/services/{service_id}/numbers/{number}`` | ``{"answers":[0],"steps":[{"after":"2s","do":"seen"}]}`` |
| ``POST …/services/{service_id}/phones/{number}`` | ``{"do":"block"|"unblock"|"off"|"on"|"reply","text":…}`` |
| ``GET /admin/phones/{number}`` | the inbox; ``?service_id=`` as often as needed, default all |
| ``POST /admin/messages/{token}`` | ``{"do":"delivered"|"seen"|"expired"|"reply"|…,"text":…}``: it happens now |
| ``GET PUT DELETE /admin/switches`` | ``?service_id=`` for one service; DELETE goes back to the default |
| ``GET POST /admin/time`` | ``?service_id=``; ``{"advance":"61s"}`` |
| ``GET /admin/requests``, ``GET /admin/journal`` | the last of them, oldest first |
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chatgate.simulators.viber.durations import milliseconds
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.scripts import Do, Script
from chatgate.simulators.viber.switches import Switches
from chatgate.simulators.viber.templates import Template

T = TypeVar("T")


class ServiceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    callback_url: str | None = None
    blocked: bool | None = None


class TemplateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    language: str
    body: str
    approved: bool = True
    otp: bool = False


class PhoneBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    do: Literal["block", "unblock", "off", "on", "reply"]
    text: str = ""


class EventBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    do: Do
    text: str = ""


class TimeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    advance: str


def admin_app(partner: ViberPartner) -> ASGIApp:
    """Return the admin side of a partner as an ASGI application."""
    desk = _Desk(partner)
    service = "/admin/services/{service_id:int}"
    inner = Starlette(
        routes=[
            Route(service, _answering(desk.put_service), methods=["PUT"]),
            Route(service + "/templates/{template_id}", _answering(desk.put_template), methods=["PUT"]),
            Route(service + "/numbers/{number}", _answering(desk.script), methods=["PUT", "DELETE"]),
            Route(service + "/phones/{number}", _answering(desk.post_phone), methods=["POST"]),
            Route("/admin/phones/{number}", _answering(desk.get_inbox), methods=["GET"]),
            Route("/admin/messages/{token}", _answering(desk.post_event), methods=["POST"]),
            Route("/admin/switches", _answering(desk.switches), methods=["GET", "PUT", "DELETE"]),
            Route("/admin/time", _answering(desk.time), methods=["GET", "POST"]),
            Route("/admin/requests", _answering(desk.get_requests), methods=["GET"]),
            Route("/admin/journal", _answering(desk.get_journal), methods=["GET"]),
        ]
    )

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (reason := _refusal(Request(scope))):
            await _json({"error": reason}, 403)(scope, receive, send)
        else:
            await inner(scope, receive, send)

    return guarded


class _Desk:
    """One method for each route: reads the request, returns what is answered as JSON."""

    def __init__(self, partner: ViberPartner) -> None:
        self._partner = partner

    async def put_service(self, request: Request) -> object:
        body = await _body(request, ServiceBody)
        self._partner.register_service(request.path_params["service_id"], body.callback_url, blocked=body.blocked)
        return body

    async def put_template(self, request: Request) -> object:
        body = await _body(request, TemplateBody)
        template = Template(id=request.path_params["template_id"], **msgspec.structs.asdict(body))
        self._partner.register_template(request.path_params["service_id"], template)
        return template

    async def script(self, request: Request) -> object:
        script = await _body(request, Script) if request.method == "PUT" else None
        self._partner.script_number(request.path_params["service_id"], request.path_params["number"], script)
        return script

    async def post_phone(self, request: Request) -> object:
        body = await _body(request, PhoneBody)
        service_id, number = request.path_params["service_id"], request.path_params["number"]
        match body.do:
            case "block" | "unblock":
                self._partner.block(service_id, number, body.do == "block")
            case "off" | "on":
                self._partner.switch_phone(service_id, number, body.do == "off")
            case "reply":
                self._partner.reply(service_id, number, body.text)
        return body

    async def get_inbox(self, request: Request) -> object:
        number = request.path_params["number"]
        asked = [int(service_id) for service_id in request.query_params.getlist("service_id")]
        return {"number": number, "messages": self._partner.inbox(asked or self._partner.services(), number)}

    async def post_event(self, request: Request) -> object:
        body = await _body(request, EventBody)
        self._partner.force(request.path_params["token"], body.do, body.text)
        return body

    async def switches(self, request: Request) -> object:
        service_id = _service_of(request)
        if request.method == "PUT":
            self._partner.set_switches(await _body(request, Switches), service_id)
        elif request.method == "DELETE":
            self._partner.set_switches(None, service_id)
        return self._partner.switches(service_id)

    async def time(self, request: Request) -> object:
        service_id = _service_of(request)
        if request.method == "POST":
            self._partner.advance(service_id, milliseconds((await _body(request, TimeBody)).advance))
            await self._partner.run_due()
        return {"now": self._partner.now(service_id or 0), "next_due": self._partner.next_due(service_id)}

    async def get_requests(self, request: Request) -> object:
        return self._partner.requests()

    async def get_journal(self, request: Request) -> object:
        return [msgspec.Raw(line) for line in self._partner.journal()]


def _refusal(request: Request) -> str:
    """Return why a request is not let in; empty if it is."""
    if request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
        return "the admin side answers loopback callers only"
    if request.url.hostname not in ("localhost", "127.0.0.1", "::1"):
        return "the admin side answers to a loopback host name only"
    if "origin" in request.headers or request.headers.get("sec-fetch-site") == "cross-site":
        return "the admin side answers no web page"
    return ""


def _answering(handler: Callable[[Request], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return _json(await handler(request), 200)
        except KeyError as error:
            return _json({"error": f"not known: {error.args[0]}"}, 404)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            return _json({"error": str(error)}, 400)

    return endpoint


async def _body(request: Request, kind: type[T]) -> T:
    return msgspec.json.decode(await request.body(), type=kind)


def _service_of(request: Request) -> int | None:
    service_id = request.query_params.get("service_id")
    return None if service_id is None else int(service_id)


def _json(content: object, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
