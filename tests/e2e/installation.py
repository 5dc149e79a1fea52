"""An installation of ``chatgate serve`` in a folder: settings file, database, accounts, a partner beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from chatgate import sealing
from chatgate.callbacks import signature
from chatgate.clock import SystemClock
from chatgate.domain.account import AccessKey, KeyKind
from chatgate.gateway.authenticate import purpose
from chatgate.sandbox import seeds
from chatgate.store import database as databases
from chatgate.store.accounts import NewAccount
from chatgate.store.endpoints import EndpointChange
from chatgate.store.store import Store
from tests.e2e.caller import Account
from tests.e2e.processes import Process, Processes

RECEIPTS_SECRET = "secret-of-the-receipts-address"

ACCOUNTS = tuple(Account(f"shop-{n}", f"secret-of-shop-{n}") for n in range(3))

QUICK: Mapping[str, object] = {"unknown_wait": 1, "log_level": "warning"}
"""Settings with which a test need not wait long."""


class Installation:
    """One configuration that nodes are started with, all of them if need be."""

    def __init__(self, processes: Processes, folder: Path, database: str | None = None) -> None:
        """``database``: its address; None: the file in the folder."""
        self._processes = processes
        self._folder = folder
        self.database = database or databases.sqlite_url(folder)
        self._config = folder / "chatgate.toml"

    async def configure(
        self,
        partner_url: str,
        provider: Mapping[str, object] | None = None,
        *,
        centre_url: str | None = None,
        customer_url: str | None = None,
        **settings: object,
    ) -> None:
        """Write the settings file and make the accounts. ``provider``: more of its section. ``centre_url``: of an SMS
        centre. ``customer_url``: below it each account has its endpoint, under its own name."""
        section = {
            "kind": "viber_partner",
            "url": partner_url,
            "receipts_secret": RECEIPTS_SECRET,
            "reply_timeout": 1.0,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in {**QUICK, **settings}.items()]
        lines += [
            "[providers.viber]",
            *(f"{name} = {json.dumps(v)}" for name, v in (section | dict(provider or {})).items()),
        ]
        lines += ["[[routes]]", 'channel = "viber"', 'providers = ["viber"]']
        if centre_url is not None:
            sms = {"kind": "smpp", "url": centre_url, "receipts_secret": RECEIPTS_SECRET, "reply_timeout": 1.0}
            sms |= {"system_id": "chatgate", "password": "chatgate"}
            lines += ["[providers.sms]", *(f"{name} = {json.dumps(value)}" for name, value in sms.items())]
            lines += ["[[routes]]", 'channel = "sms"', 'providers = ["sms"]']
        self._config.write_text("\n".join(lines))
        await _make_accounts(self._folder, self.database, customer_url)

    async def migrate(self, program: tuple[object, ...]) -> int:
        """Run ``chatgate migrate`` by a program as of ``start``; return its exit status."""
        module, *before = program
        made = await self._processes.start(
            str(module), *before, "migrate", "--data", self._folder, "--database", self.database, ready=False
        )
        return await made.ended()

    async def start(self, port: int = 0, *options: object, program: tuple[object, ...] = ("chatgate",)) -> Process:
        """Start a node and wait until it serves. ``program``: the module, and what stands before the command."""
        node = await self.begin(port, *options, program=program)
        await node.ready()
        return node

    async def begin(self, port: int = 0, *options: object, program: tuple[object, ...] = ("chatgate",)) -> Process:
        """Start a node."""
        module, *before = program
        return await self._processes.start(
            str(module), *before, "serve", "--config", self._config, "--data", self._folder,
            "--database", self.database, "--port", port, *options, ready=False,
        )  # fmt: skip


def receipts_url(port: int) -> str:
    """Return where a node on this port takes the partner's callbacks."""
    return f"http://127.0.0.1:{port}/receipts/viber/{RECEIPTS_SECRET}"


def callback_secret(account: str) -> bytes:
    """Return the secret by which an account's endpoint knows us."""
    return hashlib.sha256(account.encode()).digest()


async def _make_accounts(folder: Path, database: str, customer_url: str | None) -> None:
    clock, ring = SystemClock(), sealing.load_or_create(folder / "key-ring")
    store = await Store.open(database, clock=clock, key_ring=ring, on_fatal=_fail)
    try:
        for account in ACCOUNTS:
            account_id = store.keys.next()
            key = AccessKey(
                access_key_id=account.name, account_id=account_id, kind=KeyKind.HMAC,
                sealed=ring.seal(account.secret.encode(), purpose(account.name)), active=True,
            )  # fmt: skip
            sealed = ring.seal(callback_secret(account.name), signature.purpose(account_id))
            endpoint = EndpointChange(
                key=store.keys.next(), account_id=account_id, sender="", kind="status",
                url=f"{customer_url}/{account.name}", batch=50, sealed_secret=sealed,
            )  # fmt: skip
            await store.create_account(
                NewAccount(
                    account_id=account_id,
                    name=account.name,
                    now=clock.now(),
                    possessions=seeds.possessions(account.name, key),
                    endpoints=[] if customer_url is None else [endpoint],
                )
            )
    finally:
        await store.close()


def _fail(reason: str) -> None:
    raise AssertionError(reason)
