"""The options of an HTTP gateway, and what they must not contradict."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chatgate.domain.message import Outcome
from chatgate.errors import SettingError
from chatgate.providers.base import ProviderSettings
from chatgate.providers.http_sms import template

# Scheme and host are fixed; what follows may hold placeholders.
_URL = re.compile(r"https?://[^/?#@{}\s]+(?P<path>/[^?#\s]*)?(?:\?[^#\s]*)?")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[ -~]*")
FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Headers that belong to the HTTP client."""


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a reply that is not JSON: what the one group of a regular expression matches."""

    regex: str


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What only this kind knows. Templates are strings with ``{to}``, ``{from}``, ``{text}``, ``{message_id}``,
    ``{ttl}`` (whole seconds left) and ``{secret}``; paths are keys and list indexes with dots between them."""

    method: Literal["GET", "POST", "PUT"] = "POST"
    secret: Annotated[str, Meta(pattern="^[ -~]*$")] = ""
    """What ``{secret}`` stands for; give it as ``{ env = "NAME" }``."""
    headers: dict[str, str] = {}
    body: str | None = None
    """Template of the whole body; the header ``content-type`` says how placeholders are escaped."""
    form: dict[str, str] | None = None
    json: dict[str, Any] | None = None
    accepted_status: tuple[Annotated[int, Meta(ge=200, le=299)], ...] = (200, 201, 202)
    token: str | Pattern | None = None
    """Where the reply has the gateway's id of the message."""
    code: str | Pattern | None = None
    outcomes: dict[str, Outcome] = {}
    receipt_list: str = ""
    """Where a JSON receipt has its list, if it carries several; a body that is a list needs no path."""
    receipt_token: str = ""
    """Path in a JSON receipt, or name of a form field or query parameter."""
    receipt_status: str = ""
    receipt_statuses: dict[str, Literal["delivered", "undelivered", "expired"]] = {}
    """Case does not matter. A word that is not here says nothing."""


def read(name: str, settings: ProviderSettings) -> Options:
    """Return the options of a ``[providers.NAME]`` section; raises SettingError with one sentence."""
    try:
        options = msgspec.convert(dict(settings.options), Options)
    except msgspec.ValidationError as error:
        raise SettingError(f"providers.{name}: {error}.") from None
    try:
        _check_url(settings.url)
        _check_request(options)
        _check_reply(options)
        _check_receipts(options)
    except ValueError as error:
        raise SettingError(f"providers.{name}.{error}.") from None
    return options


def _check_url(url: str) -> None:
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("url must be http:// or https://, a host without placeholders or password, a path and a query")
    template.check("url", url)
    if any(free in (match["path"] or "") for free in ("{text}", "{from}")):
        raise ValueError("url must have {text} and {from} in its query: a path of dots would lead elsewhere")


def _check_request(options: Options) -> None:
    given = [name for name in ("body", "form", "json") if getattr(options, name) is not None]
    if len(given) > 1:
        raise ValueError(f"{given[1]} and {given[0]} exclude each other")
    if given and options.method == "GET":
        raise ValueError(f"{given[0]} needs another method than GET")
    for header, value in options.headers.items():
        if not _HEADER_NAME.fullmatch(header) or header.lower() in FRAMING:
            raise ValueError(f"headers must not name {header!r}")
        if not _HEADER_VALUE.fullmatch(value) or "{text}" in value:
            raise ValueError(f"headers {header} must be printable ASCII, without {{text}}")
        template.check(f"headers {header}", value)
    for place, text in template.strings({"body": options.body, "form": options.form, "json": options.json}):
        template.check(place, text)


def _check_reply(options: Options) -> None:
    if options.outcomes and options.code is None:
        raise ValueError("outcomes needs code, the place of what it lists")
    for name, where in (("token", options.token), ("code", options.code)):
        if isinstance(where, Pattern):
            try:
                groups = re.compile(where.regex).groups
            except re.error as error:
                raise ValueError(f"{name}.regex is not a regular expression: {error}") from None
            if groups != 1:
                raise ValueError(f"{name}.regex must have one group")


def _check_receipts(options: Options) -> None:
    given = [bool(options.receipt_token), bool(options.receipt_status), bool(options.receipt_statuses)]
    if any(given) and not all(given):
        raise ValueError("receipt_token, receipt_status and receipt_statuses go together; one of them is missing")
    if any(given) and options.token is None:
        raise ValueError("token is missing, so receipts could not be joined to their messages")
    if options.receipt_list and not any(given):
        raise ValueError("receipt_list needs receipt_token")
