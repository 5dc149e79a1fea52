"""A customer: signed calls over keep-alive connections, one at a time or many a second, each noted in the ledger."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from chatgate.sandbox import seeds
from tests.signing import sign_v3
from tests.soak.ledger import Fallback, Ledger, Offer, sms_mark
from tests.web.raw_http import Peer, Reply

BROKEN = (OSError, EOFError, TimeoutError)
"""What a caller sees when its call is not answered."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who calls: AccessKeyId, its secret, and the partner's name of its sender."""

    name: str
    secret: str

    @property
    def service_id(self) -> int:
        return seeds.service_id(self.name)


def sandbox_accounts(number: int) -> list[Account]:
    """Return accounts that a sandbox makes of itself."""
    return [Account(name, name) for name in (f"sandbox-{n}" for n in range(number))]


@asynccontextmanager
async def connect(url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Open a connection to the address of a URL."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, ssl=tls, limit=1 << 22)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()


def text_message(offer: Offer) -> dict[str, str]:
    """Return the parameters of a call whose message is a text, the offer's mark. A label that is none is sent as it is:
    with FallBackRule=sentFailed such a call is taken."""
    given = {
        "ChannelType": "viber", "Type": "message", "MessageType": "text", "From": seeds.SENDER, "To": offer.number,
        "Label": offer.label, "Content": json.dumps({"text": offer.mark}), "TaskId": offer.mark,
    }  # fmt: skip
    if offer.ttl is not None:
        given["Ttl"] = str(offer.ttl)
    if (order := offer.fallback) is not None:
        given |= {"FallBackId": seeds.POLICY, "FallBackContent": sms_mark(offer.mark), "FallBackRule": order.rule}
        if order.duration is not None:
            given["FallBackDuration"] = str(order.duration)
    return given


def signed(
    account: Account, url: str, params: Mapping[str, str], form: Mapping[str, str] | None = None, *,
    key: str | None = None, ahead: int = 0,
) -> bytes:  # fmt: skip
    """Return a signed POST as bytes; ``params`` go to the query, ``form`` to the body. ``key``: Idempotency-Key.
    ``ahead``: milliseconds by which the caller's clock is."""
    target, headers, body = sign_v3(
        "POST", params, account.name, account.secret, host=urlsplit(url).netloc,
        now=time.time_ns() // 1_000_000 + ahead, nonce=uuid.uuid4().hex, form=form,
    )  # fmt: skip
    headers |= {} if key is None else {"idempotency-key": key}
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


async def get(url: str, path: str) -> Reply:
    """GET on a connection of its own."""
    async with connect(url) as peer:
        await peer.send(f"GET {path} HTTP/1.1\r\nhost: {urlsplit(url).netloc}\r\n\r\n".encode())
        return await peer.reply()


class Caller:
    """Offers messages, and keeps the ledger. Every call is of another phone, and of the accounts in turn."""

    def __init__(self, accounts: Sequence[Account], *, rate: float = 300.0, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger()
        self.ahead = 0
        """Milliseconds by which its clock is."""
        self._accounts = accounts
        self._interval = 1 / rate
        self._numbers = count(1)
        self._next_at = 0.0
        self._answered: Callable[[], None] = lambda: None

    def offer(
        self, ending: str = "20", *, label: str = "transaction", arrives: bool = True, ttl: int | None = 300,
        fallback: Fallback | None = None, keyed: bool = False,
    ) -> Offer:  # fmt: skip
        """Return a new offer to a new number; the last two digits say what the simulated phone does."""
        number = next(self._numbers)
        mark = f"mark {number}"
        offer = Offer(
            mark=mark, number=f"63917{number:06}{ending}", label=label, arrives=arrives, account=self._of(mark).name,
            ttl=ttl, fallback=fallback, key=f"key of {mark}" if keyed else None,
        )  # fmt: skip
        self.ledger.offer(offer)
        return offer

    def account(self, offer: Offer) -> Account:
        """Return whose offer it is."""
        return self._of(offer.mark)

    async def call(self, peer: Peer, url: str, offer: Offer, **params: str) -> Reply:
        """Make the call of an offer and note the answer; raises one of ``BROKEN`` when there is none. ``params``: more
        of the call's, or others."""
        reply = await self.ask(peer, url, offer, **params)
        self.note(offer, reply)
        return reply

    async def ask(self, peer: Peer, url: str, offer: Offer, **params: str) -> Reply:
        """Make the call of an offer."""
        all_params = {**text_message(offer), **params}
        await peer.send(signed(self._of(offer.mark), url, all_params, key=offer.key, ahead=self.ahead))
        return await peer.reply()

    def note(self, offer: Offer, reply: Reply) -> None:
        """Write an answer down."""
        answer = reply.json
        good = answer["Code"] == "OK"
        self.ledger.answer(offer.mark, answer["Code"], answer["MessageId"] if good else None)
        if good:
            self._answered()

    def _of(self, mark: str) -> Account:
        return self._accounts[int(mark.split()[1]) % len(self._accounts)]

    async def calls(self, url: str, offers: Sequence[Offer], **params: str) -> list[Reply]:
        """Make calls one after the other on one connection."""
        async with connect(url) as peer:
            return [await self.call(peer, url, offer, **params) for offer in offers]

    @asynccontextmanager
    async def load(self, url: str, *, connections: int = 32) -> AsyncIterator[None]:
        """Call at the caller's rate, over connections of which each ends with the first call that is not answered."""
        stop = asyncio.Event()
        self._next_at = time.monotonic()
        workers = [asyncio.create_task(self._work(url, stop)) for _ in range(connections)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*workers)

    async def answered(self, more: int) -> None:
        """Return at the moment when that many more calls have been answered OK."""
        goal = len(self.ledger.ok) + more
        reached = asyncio.Event()
        self._answered = lambda: reached.set() if len(self.ledger.ok) >= goal else None
        self._answered()
        async with asyncio.timeout(30):
            await reached.wait()

    async def _work(self, url: str, stop: asyncio.Event) -> None:
        try:
            async with connect(url) as peer:
                while not stop.is_set():
                    await self._pace()
                    label = "promotion" if len(self.ledger.offers) % 4 == 0 else "transaction"
                    await self.call(peer, url, self.offer(label=label))
        except BROKEN:
            return

    async def _pace(self) -> None:
        self._next_at = max(self._next_at, time.monotonic() - 0.1) + self._interval
        await asyncio.sleep(self._next_at - time.monotonic())
