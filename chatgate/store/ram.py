"""RAM users, their policies, and which of them are attached to whom.

Whatever changes here changes the account's ``changed_at``: its picture is read again by every node.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec
from sqlalchemy import Connection, delete, select

from chatgate.clock import Instant
from chatgate.domain.account import User
from chatgate.domain.ram import policy, system_policies
from chatgate.domain.ram.policy import MalformedPolicy, Policy
from chatgate.errors import ChatgateError, NameTaken, NotFound
from chatgate.store import rows
from chatgate.store.account_row import touch
from chatgate.store.tables import access_keys
from chatgate.store.tables_ram import ram_attachments, ram_policies, ram_users


class InUse(ChatgateError):
    """What is to be deleted is still needed by something else; the sentence says by what."""


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    user_id: int
    name: str
    now: Instant


class GoneUser(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    name: str
    now: Instant


class PolicyText(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    name: str
    text: str
    now: Instant
    replace: bool = False
    """Whether one of that name may exist."""


class GonePolicy(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    name: str
    now: Instant


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    user: str
    policy: str
    attached: bool
    now: Instant


def create_user(connection: Connection, items: Sequence[NewUser]) -> list[None]:
    """Create RAM users without any permission. Raises NameTaken."""
    for item in items:
        touch(connection, item.account_id, item.now)
        columns = ("id", "account_id", "name", "created_at")
        row = (item.user_id, item.account_id, item.name, item.now)
        if not rows.insert(connection, ram_users, columns, [row], "ON CONFLICT DO NOTHING"):
            raise NameTaken(f"A user named {item.name!r} exists already.")
    return [None] * len(items)


def delete_user(connection: Connection, items: Sequence[GoneUser]) -> list[None]:
    """Delete RAM users with their attachments. Raises NotFound; InUse while they have access keys."""
    for item in items:
        touch(connection, item.account_id, item.now)
        user_id = _user_id(connection, item.account_id, item.name)
        own = (access_keys.c.account_id == item.account_id) & (access_keys.c.user_id == user_id)
        left = select(access_keys.c.access_key_id).where(own, access_keys.c.deleted_at.is_(None))
        if keys := connection.execute(left).scalars().all():
            raise InUse(f"{item.name} has access keys; delete them first: {', '.join(keys)}.")
        theirs = (ram_attachments.c.account_id == item.account_id) & (ram_attachments.c.user_id == user_id)
        connection.execute(delete(ram_attachments).where(theirs))
        connection.execute(delete(ram_users).where(ram_users.c.id == user_id))
    return [None] * len(items)


def put_policy(connection: Connection, items: Sequence[PolicyText]) -> list[None]:
    """Create policies, or replace them where that is meant. Their texts were read before. Raises NameTaken."""
    for item in items:
        touch(connection, item.account_id, item.now)
        columns = ("account_id", "name", "text", "created_at", "changed_at")
        row = (item.account_id, item.name, item.text, item.now, item.now)
        then = "ON CONFLICT DO NOTHING"
        if item.replace:
            then = "ON CONFLICT (account_id, name) DO UPDATE SET text = excluded.text, changed_at = excluded.changed_at"
        if item.name in system_policies.TEXTS:
            raise NameTaken(f"{item.name} is a system policy.")
        if not rows.insert(connection, ram_policies, columns, [row], then):
            raise NameTaken(f"A policy named {item.name!r} exists already; --replace changes it.")
    return [None] * len(items)


def delete_policy(connection: Connection, items: Sequence[GonePolicy]) -> list[None]:
    """Delete policies. Raises NotFound; InUse while one is attached."""
    for item in items:
        touch(connection, item.account_id, item.now)
        same = (ram_attachments.c.account_id == item.account_id) & (ram_attachments.c.policy == item.name)
        users = select(ram_users.c.name).where(
            ram_users.c.account_id == item.account_id, ram_users.c.id.in_(select(ram_attachments.c.user_id).where(same))
        )
        if names := connection.execute(users.order_by(ram_users.c.name)).scalars().all():
            raise InUse(f"{item.name} is attached to {', '.join(names)}; detach it first.")
        own = (ram_policies.c.account_id == item.account_id) & (ram_policies.c.name == item.name)
        if not connection.execute(delete(ram_policies).where(own)).rowcount:
            raise NotFound(f"There is no policy {item.name!r} of the account.")
    return [None] * len(items)


def attach(connection: Connection, items: Sequence[Attachment]) -> list[None]:
    """Attach policies to users, or detach them; twice is once. Raises NotFound."""
    for item in items:
        touch(connection, item.account_id, item.now)
        user_id = _user_id(connection, item.account_id, item.user)
        if item.attached:
            if policy_text(connection, item.account_id, item.policy) is None:
                raise NotFound(f"There is no policy {item.policy!r}.")
            row = (item.account_id, user_id, item.policy)
            columns = ("account_id", "user_id", "policy")
            rows.insert(connection, ram_attachments, columns, [row], "ON CONFLICT DO NOTHING")
        else:
            own = (ram_attachments.c.account_id == item.account_id) & (ram_attachments.c.user_id == user_id)
            gone = delete(ram_attachments).where(own, ram_attachments.c.policy == item.policy)
            if not connection.execute(gone).rowcount:
                raise NotFound(f"{item.policy} is not attached to {item.user}.")
    return [None] * len(items)


def _user_id(connection: Connection, account_id: int, name: str) -> int:
    found = user_id(connection, account_id, name)
    if found is None:
        raise NotFound(f"There is no user {name!r} of the account.")
    return found


# --- reading ---------------------------------------------------------------------------------------------------------


def user_id(connection: Connection, account_id: int, name: str) -> int | None:
    same = (ram_users.c.account_id == account_id) & (ram_users.c.name == name)
    return connection.execute(select(ram_users.c.id).where(same)).scalar()


def policy_text(connection: Connection, account_id: int, name: str) -> str | None:
    """Return the text of a policy of the account or of the system."""
    if name in system_policies.TEXTS:
        return system_policies.TEXTS[name]
    same = (ram_policies.c.account_id == account_id) & (ram_policies.c.name == name)
    return connection.execute(select(ram_policies.c.text).where(same)).scalar()


def list_policies(connection: Connection, account_id: int) -> list[rows.AnyRow]:
    """Return name, times and text of an account's own policies, by name."""
    mine = select(ram_policies).where(ram_policies.c.account_id == account_id)
    return list(connection.execute(mine.order_by(ram_policies.c.name)))


def list_users(connection: Connection, account_id: int) -> list[rows.AnyRow]:
    """Return an account's users, by name."""
    mine = select(ram_users).where(ram_users.c.account_id == account_id)
    return list(connection.execute(mine.order_by(ram_users.c.name)))


def load_users(connection: Connection, account_id: int) -> dict[int, User]:
    """Return an account's users with their policies, read and ready to be asked."""
    users = list_users(connection, account_id)
    if not users:
        return {}
    texts = system_policies.TEXTS | {row.name: row.text for row in list_policies(connection, account_id)}
    mine = select(ram_attachments).where(ram_attachments.c.account_id == account_id)
    attached = connection.execute(mine.order_by(ram_attachments.c.user_id, ram_attachments.c.policy)).all()
    ready = {name: _compiled(name, texts.get(name, "")) for name in {row.policy for row in attached}}
    of_user = {
        owner: tuple(ready[row.policy] for row in own) for owner, own in groupby(attached, lambda row: row.user_id)
    }
    return {row.id: User(user_id=row.id, name=row.name, policies=of_user.get(row.id, ())) for row in users}


def _compiled(name: str, text: str) -> Policy:
    try:
        return policy.compiled(name, text)
    except MalformedPolicy:
        return policy.unreadable(name)
