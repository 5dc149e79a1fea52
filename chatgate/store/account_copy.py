"""An account as one value: all that is its own but messages, read as of one moment, and made again elsewhere.

Rules:

1. A copy names users, policies and keys as people do. Numbers of users and endpoints are made anew: they mean nothing
   to anybody outside this database.
2. Secrets are in it as they are sealed. Whoever takes a copy to another installation opens them and seals them anew.
3. Whoever unsubscribed stays unsubscribed: ``blocks`` go along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, select, update

from chatgate.clock import Instant
from chatgate.domain.account import AccessKey, FallbackPolicy, KeyKind, Sender, Space
from chatgate.domain.review import TemplateRecord
from chatgate.domain.sender_request import SenderRequest
from chatgate.store import access_keys, accounts, ram, reviews, rows, senders, tables, template_rows
from chatgate.store.accounts import NewAccount, Possessions
from chatgate.store.endpoints import EndpointChange, EndpointOrder, list_endpoints, sealed_secret, set_endpoints
from chatgate.store.ram import Attachment, NewUser, PolicyText
from chatgate.store.reviews import Review


class CopiedUser(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    policies: list[str]


class CopiedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    text: str


class CopiedKey(msgspec.Struct, frozen=True, kw_only=True):
    access_key_id: str
    kind: KeyKind
    sealed: bytes
    active: bool
    user: str | None
    """Name of the RAM user; None: the account's own."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    sender: str
    """Empty: of all senders that have no own one."""
    kind: str
    url: str
    batch: int
    """Reports in one call, at most."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who unsubscribed from a sender."""

    service_id: str
    recipient: str
    at: Instant


class AccountCopy(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    name: str
    subscribed: bool
    calls_per_second: int | None
    spaces: list[Space]
    senders: list[Sender]
    templates: list[TemplateRecord]
    fallback_policies: list[FallbackPolicy]
    users: list[CopiedUser]
    policies: list[CopiedPolicy]
    keys: list[CopiedKey]
    webhooks: list[Webhook]
    callback_secret: bytes | None
    """Sealed. There must be one where there are webhooks."""
    requests: list[SenderRequest]
    reviews: list[Review]
    blocks: list[Block]


def read(connection: Connection, account_id: int) -> AccountCopy | None:
    """Return a copy of an account."""
    if connection.dialect.name == "postgresql":  # SQLite's readers see one moment anyway
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    view = accounts.load_view(connection, account_id, 0)
    if view is None:
        return None
    templates, requests, blocks = (
        connection.execute(select(table).where(table.c.account_id == account_id).order_by(*table.primary_key)).all()
        for table in (tables.templates, tables.sender_requests, tables.blocks)
    )
    keys = access_keys.list_keys(connection, account_id)
    return AccountCopy(
        account_id=account_id, name=view.name, subscribed=view.subscribed, calls_per_second=view.calls_per_second,
        spaces=list(view.spaces.values()), senders=list(view.senders.values()),
        templates=[template_rows.record(row) for row in templates], fallback_policies=list(view.policies.values()),
        users=sorted(
            (CopiedUser(name=user.name, policies=[p.name for p in user.policies]) for user in view.users.values()),
            key=lambda user: user.name,
        ),
        policies=[CopiedPolicy(name=row.name, text=row.text) for row in ram.list_policies(connection, account_id)],
        keys=sorted(
            (
                CopiedKey(
                    access_key_id=row.access_key_id, kind=KeyKind(row.kind), sealed=bytes(row.sealed),
                    active=row.active, user=row.user_name,
                )
                for row in keys
            ),
            key=lambda key: key.access_key_id,
        ),
        webhooks=[
            Webhook(sender=row.sender, kind=row.kind, url=row.url, batch=row.batch)
            for row in list_endpoints(connection, account_id)
        ],
        callback_secret=sealed_secret(connection, account_id),
        requests=[senders.as_request(row) for row in requests], reviews=reviews.of_account(connection, account_id),
        blocks=[Block(service_id=row.service_id, recipient=row.recipient, at=row.at) for row in blocks],
    )  # fmt: skip


class Restoration(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that is to be an account."""

    copy: AccountCopy
    """Its ``account_id`` and ``name`` are those of the new account."""
    now: Instant
    keys: Callable[[], int]


def restore(connection: Connection, items: Sequence[Restoration]) -> list[None]:
    """Make accounts of copies. Raises NameTaken: the account, or one of its access keys, is there already."""
    for item in items:
        _restore(connection, item)
    return [None] * len(items)


def _restore(connection: Connection, item: Restoration) -> None:
    copy, account_id, now = item.copy, item.copy.account_id, item.now
    own = Possessions(spaces=copy.spaces, senders=copy.senders, policies=copy.fallback_policies)
    new = NewAccount(
        account_id=account_id, name=copy.name, now=now, possessions=own, subscribed=copy.subscribed,
        calls_per_second=copy.calls_per_second,
    )  # fmt: skip
    accounts.create_account(connection, [new])
    _put_people(connection, item)
    templates = [template_rows.values(account_id, record) for record in copy.templates]
    rows.insert(connection, tables.templates, template_rows.COLUMNS, templates)
    requests = [senders.request_values(account_id, request) for request in copy.requests]
    rows.insert(connection, tables.sender_requests, senders.REQUEST_COLUMNS, requests)
    reviews.put(connection, [msgspec.structs.replace(review, account_id=account_id) for review in copy.reviews])
    blocks = [(account_id, block.service_id, block.recipient, block.at) for block in copy.blocks]
    rows.insert(connection, tables.blocks, ("account_id", "service_id", "recipient", "at"), blocks)
    _put_webhooks(connection, item)


def _put_people(connection: Connection, item: Restoration) -> None:
    """Store users, policies, which is attached to whom, and keys."""
    copy, account_id, now = item.copy, item.copy.account_id, item.now
    ids = {user.name: item.keys() for user in copy.users}
    ram.put_policy(
        connection, [PolicyText(account_id=account_id, name=p.name, text=p.text, now=now) for p in copy.policies]
    )
    ram.create_user(
        connection, [NewUser(account_id=account_id, user_id=ids[u.name], name=u.name, now=now) for u in copy.users]
    )
    attached = [
        Attachment(account_id=account_id, user=user.name, policy=policy, attached=True, now=now)
        for user in copy.users
        for policy in user.policies
    ]
    ram.attach(connection, attached)
    keys = [
        AccessKey(
            access_key_id=key.access_key_id, account_id=account_id, kind=key.kind, sealed=key.sealed,
            active=key.active, user_id=None if key.user is None else ids[key.user],
        )
        for key in copy.keys
    ]  # fmt: skip
    access_keys.insert(connection, account_id, now, keys)


def _put_webhooks(connection: Connection, item: Restoration) -> None:
    copy, account_id = item.copy, item.copy.account_id
    own = update(tables.accounts).where(tables.accounts.c.id == account_id)
    connection.execute(own.values(callback_secret=copy.callback_secret))
    changes = [
        EndpointChange(
            key=item.keys(), account_id=account_id, sender=hook.sender, kind=hook.kind, url=hook.url,
            batch=hook.batch, sealed_secret=copy.callback_secret or b"",
        )
        for hook in copy.webhooks
    ]  # fmt: skip
    set_endpoints(connection, [EndpointOrder(changes=changes)])
