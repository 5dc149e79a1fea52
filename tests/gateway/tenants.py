"""Tenants in one installation: each has an object of every kind, made by its own calls.

The stations are the real ones, but for what carries messages away: so nothing of a tenant changes by itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic_ns
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select

from chatgate.clock import HandClock
from chatgate.domain.account import AccessKey, FallbackPolicy, KeyKind, Sender, Space, Standing
from chatgate.domain.review import ReviewMode
from chatgate.domain.routing import Route
from chatgate.gateway.authenticate import Authenticator, purpose
from chatgate.gateway.chain import Gateway
from chatgate.gateway.desk import Desk
from chatgate.gateway.directory import StoredDirectory
from chatgate.gateway.flow_control import FlowControl
from chatgate.gateway.sender_desk import SenderDesk
from chatgate.gateway.sts import Tokens
from chatgate.gateway.template_desk import TemplateDesk
from chatgate.operations.base import all_operations
from chatgate.receipts.intake import Intake
from chatgate.sandbox import routes, seeds
from chatgate.store import database, tables_ram
from chatgate.store.accounts import NewAccount, Possessions
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.web.app import App
from chatgate.web.metadata.pages import Metadata
from chatgate.web.proxies import TrustedProxies
from chatgate.web.whole import WHOLE
from chatgate.wire import HttpResponse
from tests.fresh_store import RING, fresh_store
from tests.sandbox.phones import OnPhone, Phones, SmsPhones
from tests.signing import sign_v3

HOST = "127.0.0.1:8080"

TEXT: Mapping[str, str] = {
    "ChannelType": "viber", "Type": "message", "MessageType": "text", "Label": "promotion", "Content": '{"text":"hi"}'
}  # fmt: skip

_NONE: Mapping[str, str] = {}

_ids = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{24}|cams-[0-9a-z]{12}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\b")


@dataclass(frozen=True, slots=True)
class Tenant:
    """Who it is, and the name of one object of every kind. No two tenants have one in common."""

    number: int
    account_id: int
    made: dict[str, str] = field(default_factory=dict)
    """What the service named."""

    @property
    def name(self) -> str:
        return f"tenant-{self.number}-shop"

    @property
    def key(self) -> str:
        return f"key-of-tenant-{self.number}"

    @property
    def own(self) -> dict[str, str]:
        """The names of its objects by kind."""
        n = self.number
        return {
            "space": f"77251486512358000{n}", "sender": f"2754{n}", "policy": f"S_70000{n}",
            "template name": f"parcel-of-tenant-{n}", "request type": f"wish-of-tenant-{n}",
            "instance name": f"instance-of-tenant-{n}", "phone": f"63927000000{n}", "task": f"task-of-tenant-{n}",
            "url": f"https://shop{n}.example.com/hook", "file": f"tenant-{n}/logo.jpg",
            "receivers": receivers(f"63927000001{n}"), "retry key": f"retry-of-tenant-{n}", **self.made,
        }  # fmt: skip


NOBODY: Mapping[str, str] = {
    "space": "772514865123580009", "sender": "27549", "policy": "S_700009", "template name": "parcel-of-nobody",
    "request type": "wish-of-nobody", "instance name": "instance-of-nobody", "phone": "639270000009",
    "task": "task-of-nobody", "url": "https://nobody.example.com/hook", "file": "nobody/logo.jpg",
    "receivers": '[{"To":"639270000019","TemplateParams":{}}]', "retry key": "retry-of-nobody",
    "template": "9" * 32, "request": "9" * 24, "message": "9" * 24, "group": "9" * 24, "instance": "cams-999999999999",
}  # fmt: skip
"""Names of the same form that no object has."""


def receivers(number: str) -> str:
    return json.dumps([{"To": number, "TemplateParams": {}}], separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body, and ``Code`` of an API call."""

    status: int
    text: str
    code: str = ""

    def without(self, name: str) -> Answer:
        """Return the answer with the name that was asked for, and all that is new with every call, made the same."""
        return Answer(self.status, _ids.sub("<new>", self.text.replace(json.dumps(name)[1:-1], "<it>")), self.code)


class World:
    """An installation with two tenants."""

    def __init__(self, store: Store, clock: HandClock, folder: Path) -> None:
        self.store = store
        self.clock = clock
        self.phones = Phones()
        self.a, self.b = (Tenant(number, store.keys.next()) for number in (1, 2))
        self._folder = folder
        self._nonces = count()
        self._stored = StoredDirectory(store, clock)
        self.metrics = Metrics()
        operations = all_operations()
        desk = Desk(
            store, [Route(channel="viber", providers=("viber",)), Route(channel="sms", providers=("sms",))],
            lambda _: None, self.metrics, RING.seal,
            TemplateDesk(store, self._stored.forget, review=ReviewMode.AUTO, review_delay=0), SenderDesk(store),
            self._stored.refresh, default_ttl=120, callback_batch=50,
        )  # fmt: skip
        self._gateway = Gateway(
            store=store, desk=desk, operations=operations, clock=clock, metrics=self.metrics, validation_status=200,
            authenticate=Authenticator(self._stored, RING, Tokens(RING), lambda _key, _now: None),
            flow_control=FlowControl(250, monotonic_ns),
        )  # fmt: skip
        self.app = App(
            gateway=self._gateway, intake=Intake(store, {}, clock, self.metrics), proxies=TrustedProxies.parse(""),
            metadata=Metadata(operations), metrics=self.metrics, ready=self._ready,
            mounts={"sandbox": routes.app(store, self.phones, SmsPhones(), clock, open_to_all=False)},
        )  # fmt: skip

    async def begin(self) -> None:
        for tenant in (self.a, self.b):
            await self._exist(tenant)
        await self._stored.refresh()
        for tenant in (self.a, self.b):
            await self._act(tenant)

    async def call(
        self, tenant: Tenant, action: str, params: Mapping[str, str], headers: Mapping[str, str] = _NONE,
        nonce: str | None = None,
    ) -> Answer:  # fmt: skip
        """Make a signed call."""
        target, signed, body = sign_v3(
            "POST", {}, tenant.key, tenant.key, host=HOST, now=self.clock.now(), nonce=nonce or str(next(self._nonces)),
            form=params, action=action,
        )  # fmt: skip
        answer = await self.fetch("POST", target, {**signed, **headers}, body)
        return Answer(answer.status, answer.text, json.loads(answer.text)["Code"])

    async def fetch(self, method: str, target: str, headers: Mapping[str, str] = _NONE, body: bytes = b"") -> Answer:
        """Ask the application, as its server would."""
        path, _, query = target.partition("?")
        given = {"host": HOST, **headers}
        parts: list[bytes] = []
        status = [0]

        async def send(message: Any) -> None:
            status[0] = message.get("status", status[0])
            parts.append(message.get("body", b""))

        async def whole(answer: HttpResponse) -> None:
            status[0] = answer.status
            parts.append(answer.body)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8080), "extensions": {WHOLE: {"send": whole}},
        }  # fmt: skip
        await self.app(scope, receive, send)
        return Answer(status[0], b"".join(parts).decode())

    def everything(self, tenant: Tenant) -> dict[str, list[tuple[object, ...]]]:
        """Return every row of a tenant, of every table that has any."""
        found: dict[str, list[tuple[object, ...]]] = {}
        engine = database.open_reader(database.sqlite_url(self._folder))
        with engine.connect() as connection:
            for name, table in tables_ram.metadata.tables.items():
                owner = table.c.id if name == "accounts" else table.c.get("account_id")
                if owner is not None:
                    mine = select(table).where(owner == tenant.account_id)
                    found[name] = sorted(map(tuple, connection.execute(mine)), key=repr)
        engine.dispose()
        return {name: rows for name, rows in found.items() if rows}

    async def _ready(self) -> None:
        await self.store.ready(self.clock.now())

    async def _exist(self, tenant: Tenant) -> None:
        own = tenant.own
        key = AccessKey(
            access_key_id=tenant.key, account_id=tenant.account_id, kind=KeyKind.HMAC,
            sealed=RING.seal(tenant.key.encode(), purpose(tenant.key)), active=True,
        )  # fmt: skip
        possessions = Possessions(
            keys=[key],
            spaces=[Space(space_id=own["space"], retry_by_task=True)],
            senders=[
                Sender(sender=own["sender"], channel="viber", service_id=own["sender"], standing=Standing.APPROVED)
            ],
            policies=[FallbackPolicy(policy_id=own["policy"], name="all", sms_sender=f"sms-{tenant.number}")],
        )
        await self.store.create_account(
            NewAccount(
                account_id=tenant.account_id, name=tenant.name, now=self.clock.now(), possessions=possessions
            )
        )  # fmt: skip

    async def _act(self, tenant: Tenant) -> None:
        """Make one object of every kind that calls make."""
        space, own = {"CustSpaceId": tenant.own["space"]}, tenant.own
        body = json.dumps([{"Type": "BODY", "Text": f"Secret of tenant {tenant.number}."}])
        made = await self._data(tenant, "CreateChatappTemplate", {
            **space, "TemplateType": "VIBER", "Name": own["template name"], "Language": "en", "Category": "UTILITY",
            "Components": body,
        })  # fmt: skip
        tenant.made["template"] = made["TemplateCode"]
        made = await self._data(tenant, "CreateInstance", {
            "ChannelType": "viber", "InstanceName": own["instance name"], "OfficeAddress": f"Street {tenant.number}",
        })  # fmt: skip
        tenant.made["instance"] = made["InstanceId"]
        filed = {**space, "RequestType": own["request type"], "AuditRecord": f'{{"ApplyReason":"r{tenant.number}"}}'}
        tenant.made["request"] = (await self._data(tenant, "AddAddressRecoverSuspend", filed))["RequestNo"]
        hook = {**space, "PhoneNumber": own["sender"], "StatusCallbackUrl": own["url"], "UpCallbackUrl": own["url"]}
        assert (await self.call(tenant, "UpdatePhoneWebhook", hook)).code == "OK"
        template = {
            **space, "From": own["sender"], "TemplateCode": tenant.made["template"], "Language": "en",
            "Label": "promotion", "ChannelType": "viber",
        }  # fmt: skip
        sent = {**TEXT, **space, "From": own["sender"], "To": own["phone"], "TaskId": own["task"]}
        answer = await self.call(tenant, "SendChatappMessage", sent, {"idempotency-key": own["retry key"]})
        tenant.made["message"] = json.loads(answer.text)["MessageId"]
        answer = await self.call(tenant, "SendChatappMassMessage", {**template, "SenderList": own["receivers"]})
        tenant.made["group"] = json.loads(answer.text)["GroupMessageId"]
        shown = OnPhone(
            token=f"token-{tenant.number}", received_at=1, service_id=seeds.service_id(tenant.name), text=own["task"]
        )
        self.phones.put(own["phone"], shown)
        heard = await self.fetch(
            "POST", f"/sandbox/callbacks?{urlencode({'account': tenant.name})}", body=own["url"].encode()
        )
        assert heard.status == 200

    async def _data(self, tenant: Tenant, action: str, params: Mapping[str, str]) -> dict[str, str]:
        answer = await self.call(tenant, action, params)
        assert answer.code == "OK", answer
        data: dict[str, str] = json.loads(answer.text)["Data"]
        return data


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    clock = HandClock()
    async with fresh_store(folder, clock) as store:
        made = World(store, clock, folder)
        await made.begin()
        yield made
