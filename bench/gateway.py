"""The gateway under measurement: a real ``chatgate serve`` over a data folder that is prepared through the store.

The accounts have the sandbox's seeds and the limit that everybody has (250 calls a second).
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from bench import calls
from bench.process import BenchError, Child
from chatgate import ids, sealing
from chatgate.clock import HOUR, MINUTE, SystemClock
from chatgate.domain.account import AccessKey, KeyKind
from chatgate.domain.message import Content, Draft, Failure, Label, MessageKind, MessageType, PartnerTemplate
from chatgate.gateway.authenticate import purpose
from chatgate.sandbox import seeds
from chatgate.sealing import KeyRing
from chatgate.store import database
from chatgate.store.acceptance import Acceptance
from chatgate.store.accounts import NewAccount
from chatgate.store.calls import nonce_key
from chatgate.store.store import Store

PROVIDER = "viber"
NOBODY = 9
"""Port of what is never called (discard)."""

_AT_ONCE = 4096
_RECEIPTS_SECRET = "no-secret-in-the-bench"

Role = Literal["all", "api"]


class Gateway(Child):
    """A running gateway."""

    def __init__(self, data: Path, *, role: Role, partner: int, core: int | None) -> None:
        """``partner``: the port on which the partner listens."""
        self.data = data
        settings = data.with_suffix(".toml")
        settings.write_text(
            f"[providers.{PROVIDER}]\n"
            'kind = "viber_partner"\n'
            f'url = "http://127.0.0.1:{partner}/vibersrvc/1/send_message"\n'
            f'receipts_secret = "{_RECEIPTS_SECRET}"\n'
            "[[routes]]\n"
            'channel = "viber"\n'
            f'providers = ["{PROVIDER}"]\n'
            "[providers.sms]\n"  # the calls order a fallback; none fires
            'kind = "http_sms"\n'
            f'url = "http://127.0.0.1:{NOBODY}/"\n'
            f'receipts_secret = "{_RECEIPTS_SECRET}"\n'
            "[[routes]]\n"
            'channel = "sms"\n'
            'providers = ["sms"]\n'
        )
        where = ["--config", str(settings), "--data", str(data), "--port", "0"]
        serve = ["-m", "chatgate", "serve", *where, "--role", role]
        super().__init__("gateway", serve, core=core, folder=data.parent)

    @property
    def port(self) -> int:
        return port_of(self.ready)

    @property
    def receipts(self) -> str:
        """The address for the partner's receipts."""
        return f"http://127.0.0.1:{self.port}/receipts/{PROVIDER}/{_RECEIPTS_SECRET}"


def port_of(ready_line: str) -> int:
    """Return the port in a line such as ``chatgate ready http://127.0.0.1:8080``."""
    port = urlsplit(ready_line.rpartition(" ")[2]).port
    if port is None:
        raise BenchError(f"There is no port in {ready_line!r}.")
    return port


def prepare(data: Path) -> None:
    """Make a data folder with the accounts of the calls."""

    async def work(store: Store, ring: KeyRing) -> None:
        await asyncio.gather(*(store.create_account(_account(store, ring, n)) for n in range(calls.ACCOUNTS)))

    _with_store(data, work)


def copy(data: Path, to: Path) -> Path:
    """Return a copy of a prepared folder."""
    shutil.copytree(data, to)
    return to


def fill(data: Path, count: int) -> None:
    """Store messages that are at rest, each with a nonce of minutes ago, as a gateway has that has been at work."""

    async def work(store: Store, _ring: KeyRing) -> None:
        ids_of = [account_id for account_id, _ in await store.account_names()]
        for start in range(0, count, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, count))
            await asyncio.gather(*(store.accept(_old(store, ids_of[n % len(ids_of)], n)) for n in numbers))

    _with_store(data, work)


def _with_store(data: Path, work: Callable[[Store, KeyRing], Awaitable[None]]) -> None:
    data.mkdir(parents=True, exist_ok=True)
    ring = sealing.load_or_create(data / "key-ring")

    async def run() -> None:
        store = await Store.open(database.sqlite_url(data), clock=SystemClock(), key_ring=ring, on_fatal=_fatal)
        try:
            await work(store, ring)
        finally:
            await store.close()

    asyncio.run(run())


def _account(store: Store, ring: KeyRing, number: int) -> NewAccount:
    name, account_id = calls.account(number), store.keys.next()
    sealed = ring.seal(calls.secret(name).encode(), purpose(name))
    key = AccessKey(access_key_id=name, account_id=account_id, kind=KeyKind.HMAC, sealed=sealed, active=True)
    possessions = seeds.possessions(name, key)
    made = SystemClock().now() - HOUR  # what has changed just now is read again every second for a while
    return NewAccount(account_id=account_id, name=name, now=made, possessions=possessions)


def _old(store: Store, account_id: int, number: int) -> Acceptance:
    now = SystemClock().now()
    parameters = {"param1": "Ann Example", "param2": "100-2345/7"}
    template = PartnerTemplate(template_id=seeds.PARTNER_TEMPLATE, language=seeds.LANGUAGE, parameters=parameters)
    draft = Draft(
        account_id=account_id, space_id=seeds.SPACE, channel="viber", sender=seeds.SENDER, service_id=str(account_id),
        recipient=str(639_270_000_000 + number), kind=MessageKind.TEMPLATE, message_type=MessageType.TEXT,
        label=Label.TRANSACTION, content=Content(text="Hello Ann Example, your order 100-2345/7 is on its way."),
        ttl=600, template_code=seeds.TEMPLATE, language=seeds.LANGUAGE, partner_template=template, tag="orders",
        tracking_data=f"tracking_id:{number}", task_id=str(number),
        failure=Failure(code="SRVC_NOT_VIBER_USER", reason="The partner answered status 9."),
    )  # fmt: skip
    nonce = nonce_key("filled", secrets.token_hex(16), now - 5 * MINUTE)
    return Acceptance(
        key=store.keys.next(), draft=draft, nonce=nonce, retry=None, request_id=ids.request_id(), now=now,
        lane=PROVIDER, leased=False, keys=store.keys.next,
    )  # fmt: skip


def _fatal(reason: str) -> None:
    raise BenchError(reason)
