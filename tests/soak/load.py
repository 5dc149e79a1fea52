"""The load of a run: calls of every kind at some rate, over connections that come back after every kill.

``MIX`` is what is offered, and how often. A call with an Idempotency-Key that was not answered is made again until it
is, at any node; another one that was not answered is left alone: nobody knows whether it exists.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any

from tests.e2e.caller import BROKEN, Caller, connect
from tests.e2e.partner import EXPIRING
from tests.soak.ledger import Fallback, Offer
from tests.web.raw_http import Peer

CONNECTIONS = 16
AGAIN = 0.1
"""Seconds until a connection that broke is made again."""
SHARE_KEYED = 0.3
SHARE_AGAIN = 0.1
SHARE_PROMOTIONS = 0.25

WRONG_LABEL = "nonsense"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of call."""

    share: int
    ending: str
    """Last digits of the number: what its phone does (``simulators.viber.profiles``)."""
    arrives: bool = False
    ttl: int | None = 300
    fallback: Fallback | None = None
    label: str | None = None


MIX: tuple[Kind, ...] = (
    Kind(30, "20", arrives=True),
    Kind(5, "20", arrives=True, ttl=None),
    Kind(5, "20", arrives=True, fallback=Fallback(3)),  # called off
    Kind(5, "20", ttl=2),  # may expire in a pause
    Kind(8, "01", arrives=True),  # read
    Kind(5, "10", arrives=True),  # two phones: everything is told twice
    Kind(3, "50", arrives=True),  # deferred once
    Kind(5, "52", arrives=True),  # its reply is lost
    Kind(4, "12", ttl=3),  # silent: our clock ends it
    Kind(8, "12", ttl=8, fallback=Fallback(2)),
    Kind(4, "12", ttl=None, fallback=Fallback(3, "sentFailed")),
    Kind(6, "38", fallback=Fallback()),  # refused: the SMS goes at once
    Kind(3, "38", fallback=Fallback(2)),
    Kind(4, EXPIRING, fallback=Fallback()),
    Kind(2, "71", fallback=Fallback()),  # and its SMS is undeliverable
    Kind(2, "73", fallback=Fallback()),  # and its SMS is throttled once
    Kind(3, "20", fallback=Fallback(rule="sentFailed"), label=WRONG_LABEL),
)


class Load:
    """``async with load.at(urls)``: it calls them, in turns, until the end of the block."""

    def __init__(self, caller: Caller, chance: Random, rate: float, mix: Sequence[Kind] = MIX) -> None:
        self._caller = caller
        self._chance = chance
        self._interval = 1 / rate
        self._mix = mix
        self._next_at = 0.0
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def at(self, urls: Sequence[str]) -> AsyncIterator[None]:
        self._next_at = time.monotonic()
        turns = cycle(urls)
        workers = [asyncio.create_task(self._work(next(turns), urls)) for _ in range(CONNECTIONS)]
        try:
            yield
        finally:
            self._stop.set()
            await asyncio.gather(*workers)

    async def _work(self, url: str, urls: Sequence[str]) -> None:
        open_call: Offer | None = None
        while not self._stop.is_set():
            try:
                async with connect(url) as peer:
                    while not self._stop.is_set():
                        if open_call is None:
                            await self._pace()
                            open_call = self._offer()
                        await self._call(peer, url, open_call)
                        open_call = None
            except BROKEN:
                if open_call is not None and open_call.key is None:
                    open_call = None
                elif open_call is not None:
                    url = self._chance.choice(urls)
                await asyncio.sleep(AGAIN)

    async def _call(self, peer: Peer, url: str, offer: Offer) -> None:
        """A call with a key is made until it is taken, and then perhaps once more: that it could not be taken now says
        nothing about the tries before."""
        again = offer.key is not None and self._chance.random() < SHARE_AGAIN
        for _ in range(1 + again):
            reply = await self._caller.ask(peer, url, offer)
            if offer.key is not None and reply.status == 503:
                raise EOFError
            self._caller.note(offer, reply)

    def _offer(self) -> Offer:
        (kind,) = self._chance.choices(self._mix, [kind.share for kind in self._mix])
        promotion = self._chance.random() < SHARE_PROMOTIONS
        told: Mapping[str, Any] = {"arrives": kind.arrives, "ttl": kind.ttl, "fallback": kind.fallback}
        label = kind.label or ("promotion" if promotion else "transaction")
        return self._caller.offer(kind.ending, label=label, keyed=self._chance.random() < SHARE_KEYED, **told)

    async def _pace(self) -> None:
        self._next_at = max(self._next_at, time.monotonic() - 0.1) + self._interval
        await asyncio.sleep(self._next_at - time.monotonic())
