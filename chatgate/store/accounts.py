"""Accounts and what is theirs: spaces, senders, templates, fallback policies. Keys and RAM are elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Table, select, update

from chatgate.clock import Instant
from chatgate.domain.account import AccessKey, AccountView, FallbackPolicy, Sender, Space, Standing, Template
from chatgate.errors import NameTaken
from chatgate.store import access_keys, ram, rows, template_rows
from chatgate.store.account_row import touch
from chatgate.store.endpoints import EndpointChange, EndpointOrder, set_endpoints
from chatgate.store.tables import SPACE_ORDER, accounts, fallback_policies, senders, spaces, templates


class Possessions(msgspec.Struct, frozen=True, kw_only=True):
    """What is put into an account in one step. What exists under the same name is replaced; keys never are."""

    keys: Sequence[AccessKey] = ()
    spaces: Sequence[Space] = ()
    senders: Sequence[Sender] = ()
    templates: Sequence[Template] = ()
    policies: Sequence[FallbackPolicy] = ()


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    name: str
    now: Instant
    possessions: Possessions
    endpoints: Sequence[EndpointChange] = ()
    """Where it is told, from the beginning."""
    subscribed: bool = True
    calls_per_second: int | None = None


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    """Possessions for an account that exists."""

    account_id: int
    now: Instant
    possessions: Possessions


def create_account(connection: Connection, items: Sequence[NewAccount]) -> list[int]:
    """Create accounts with their first possessions and endpoints; answer their ids. Raises NameTaken."""
    columns = ("id", "name", "subscribed", "calls_per_second", "created_at", "changed_at")
    for item in items:
        row = (item.account_id, item.name, item.subscribed, item.calls_per_second, item.now, item.now)
        if not rows.insert(connection, accounts, columns, [row], "ON CONFLICT DO NOTHING"):
            raise NameTaken(f"An account named {item.name!r} exists already.")
        _put(connection, item.account_id, item.now, item.possessions)
        set_endpoints(connection, [EndpointOrder(changes=item.endpoints)])
    return [item.account_id for item in items]


def give(connection: Connection, items: Sequence[Gift]) -> list[None]:
    """Put possessions into accounts; what has the same name is replaced, but for keys. Raises NameTaken, NotFound."""
    for item in items:
        touch(connection, item.account_id, item.now)
        _put(connection, item.account_id, item.now, item.possessions)
    return [None] * len(items)


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    subscribed: bool
    now: Instant


def subscribe(connection: Connection, items: Sequence[Subscription]) -> list[None]:
    """Subscribe accounts to the product, or end it: then their calls are refused. Raises NotFound."""
    for item in items:
        touch(connection, item.account_id, item.now)
        own = update(accounts).where(accounts.c.id == item.account_id)
        connection.execute(own.values(subscribed=item.subscribed))
    return [None] * len(items)


def _put(connection: Connection, account_id: int, now: Instant, own: Possessions) -> None:
    access_keys.insert(connection, account_id, now, own.keys)
    space_rows = [space_row(account_id, space) for space in own.spaces]
    sender_rows = [(account_id, s.channel, s.sender, s.service_id, str(s.standing)) for s in own.senders]
    policy_rows = [(account_id, p.policy_id, p.name, p.sms_sender, p.lane, p.enabled) for p in own.policies]
    template_values = [template_rows.given(account_id, t, now) for t in own.templates]
    for table, new in (
        (spaces, space_rows), (senders, sender_rows), (templates, template_values), (fallback_policies, policy_rows),
    ):  # fmt: skip
        _replace(connection, table, new)


def space_row(account_id: int, space: Space) -> rows.Values:
    """Return the row of a space, in the order of the table's columns."""
    return (
        account_id, space.space_id, space.retry_by_task, space.video_button_action, space.clamp_ttl, space.sms_consent,
        space.made_at, msgspec.json.encode(space.details).decode() if space.details else None,
    )  # fmt: skip


def _replace(connection: Connection, table: Table, new: Sequence[rows.Values]) -> None:
    names = [column.name for column in table.columns]
    key = [column.name for column in table.primary_key]
    sets = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key)
    rows.insert(connection, table, names, new, f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sets}")


# --- reading ---------------------------------------------------------------------------------------------------------


def accounts_changed_since(connection: Connection, instant: Instant) -> list[int]:
    return list(connection.execute(select(accounts.c.id).where(accounts.c.changed_at >= instant)).scalars())


def names(connection: Connection) -> list[tuple[int, str]]:
    """Return id and name of every account, by name."""
    found = connection.execute(select(accounts.c.id, accounts.c.name).order_by(accounts.c.name))
    return [(row.id, row.name) for row in found]


def find_account(connection: Connection, name: str) -> int | None:
    return connection.execute(select(accounts.c.id).where(accounts.c.name == name)).scalar()


def load_view(connection: Connection, account_id: int, now: Instant) -> AccountView | None:
    """Return the picture of an account that calls are checked against."""
    account = connection.execute(select(accounts).where(accounts.c.id == account_id)).first()
    if account is None:
        return None

    def own(table: Table) -> Sequence[rows.AnyRow]:
        order = SPACE_ORDER if table is spaces else table.primary_key
        mine = select(table).where(table.c.account_id == account_id).order_by(*order)
        return connection.execute(mine).all()

    return AccountView(
        account_id=account.id,
        name=account.name,
        subscribed=account.subscribed,
        calls_per_second=account.calls_per_second,
        loaded_at=now,
        spaces={r.space_id: _space(r) for r in own(spaces)},
        senders={
            r.sender: Sender(sender=r.sender, channel=r.channel, service_id=r.service_id, standing=Standing(r.standing))
            for r in own(senders)
        },
        templates={(r.template_code, r.language): template_rows.sendable(r) for r in own(templates)},
        policies={
            r.policy_id: FallbackPolicy(
                policy_id=r.policy_id, name=r.name, sms_sender=r.sms_sender, lane=r.lane, enabled=r.enabled
            )
            for r in own(fallback_policies)
        },
        users=ram.load_users(connection, account_id),
    )


def _space(row: rows.AnyRow) -> Space:
    return Space(
        space_id=row.space_id, retry_by_task=row.retry_by_task, video_button_action=row.video_button_action,
        clamp_ttl=row.clamp_ttl, sms_consent=row.sms_consent, made_at=row.made_at,
        details=msgspec.json.decode(row.details, type=dict[str, str]) if row.details else {},
    )  # fmt: skip
