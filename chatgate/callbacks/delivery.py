"""One POST to a customer's endpoint, and whether it was heard.

Heard is a 2xx whose body is ``{"code": 0, …}`` or no JSON object at all (customers answer the documented
``{"code":0,"msg":"Success"}``, frameworks an empty page). Everything else is not: another code, a redirect (never
followed), a time-out after three seconds, a forbidden address.
"""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver

from chatgate.callbacks import guard
from chatgate.callbacks.guard import ForbiddenAddress
from chatgate.callbacks.names import Names

ANSWER_WITHIN = 3.0
"""Seconds (CAMS, "Configure message receipts")."""
LARGEST_ANSWER = 64 * 1024


class Hearing(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one try."""

    heard: bool
    reached: bool
    """Whether the endpoint answered at all; one that does not is given a rest."""
    reason: str
    """One sentence, for the list of undeliverable callbacks; empty when heard."""


class Delivery:
    """Posts to customers' endpoints. Knows no proxy, no cookie, no redirect, no compression."""

    def __init__(
        self, allows: Callable[[str], bool], *, within: float = ANSWER_WITHIN, names: AbstractResolver | None = None
    ) -> None:
        """``allows`` decides about every address right before it is connected to (``guard``); ``names`` (the system's
        resolver, if not given) only says which address that is. ``within``: seconds for the whole of one post."""
        self._within = within
        self._names = names or Names()
        connector = aiohttp.TCPConnector(
            limit=0, limit_per_host=0, resolver=self._names, socket_factory=guard.socket_factory(allows)
        )
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False,
            timeout=aiohttp.ClientTimeout(total=within),
            headers={"user-agent": "chatgate", "accept-encoding": "identity"},
        )  # fmt: skip

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Hearing:
        """Post one body; never raises."""
        sent = {"content-type": "application/json;charset=utf-8", **headers}
        try:
            async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as response:
                return judge(response.status, await _beginning(response.content))
        except TimeoutError:
            return _silent(f"No answer within {self._within:g} seconds.")
        except aiohttp.ClientConnectorError as error:
            forbidden = isinstance(error.os_error, ForbiddenAddress)
            return _silent("The address is not allowed." if forbidden else f"No connection: {type(error).__name__}.")
        except aiohttp.ClientError as error:
            return _silent(f"The connection broke: {type(error).__name__}.")
        except (OSError, ValueError) as error:
            return _silent(f"The address cannot be used: {type(error).__name__}.")

    async def close(self) -> None:
        await self._session.close()
        await self._names.close()


def _silent(reason: str) -> Hearing:
    return Hearing(heard=False, reached=False, reason=reason)


async def _beginning(stream: aiohttp.StreamReader) -> bytes:
    """Return what an endpoint answered, cut off at ``LARGEST_ANSWER``."""
    answer = b""
    while len(answer) < LARGEST_ANSWER and (chunk := await stream.read(LARGEST_ANSWER - len(answer))):
        answer += chunk
    return answer


def judge(status: int, answer: bytes) -> Hearing:
    """Return whether an answer means heard."""
    if not 200 <= status < 300:
        return Hearing(heard=False, reached=True, reason=f"The endpoint answered HTTP {status}.")
    try:
        told = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Hearing(heard=True, reached=True, reason="")
    code = told.get("code", told.get("Code", 0)) if isinstance(told, dict) else 0
    if code in (0, "0"):
        return Hearing(heard=True, reached=True, reason="")
    return Hearing(heard=False, reached=True, reason=f"The endpoint answered code {str(code)[:40]}.")
