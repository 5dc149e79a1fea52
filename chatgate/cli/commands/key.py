"""``chatgate key``: access keys of accounts and of their users. A secret is shown once, when it is made."""

from __future__ import annotations

from typing import Annotated

import typer

from chatgate.cli import key_making, opening, output
from chatgate.clock import Instant, SystemClock, as_text
from chatgate.config import Configuration
from chatgate.domain.account import KeyKind
from chatgate.errors import NotFound, SettingError
from chatgate.sealing import KeyRing
from chatgate.store.access_keys import KeyDeletion, KeySwitch
from chatgate.store.accounts import Gift, Possessions
from chatgate.store.store import Store

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Name of the account.")]
KeyId = Annotated[str, typer.Argument(metavar="ACCESS_KEY_ID")]
User = Annotated[str | None, typer.Option(help="RAM user; none: the account's own key, which may do everything.")]
Rsa = Annotated[typer.FileBinaryRead | None, typer.Option(help="PEM public key: for ACS3-RSA-SHA256.")]


def register(app: typer.Typer) -> None:
    key = typer.Typer(help="Access keys.", no_args_is_help=True, rich_markup_mode=None)
    key.command("create")(create)
    key.command("list")(list_keys)
    key.command("disable")(disable)
    key.command("enable")(enable)
    key.command("delete")(delete)
    key.command("rotate")(rotate)
    app.add_typer(key, name="key")


def create(
    account: Account, user: User = None, rsa: Rsa = None, as_json: opening.AsJson = False,
    config: opening.Config = None, data: opening.Data = None, database: opening.Database = None,
) -> None:  # fmt: skip
    """Create one more access key of an account or of one of its users. The secret is shown this once."""
    pem = None if rsa is None else rsa.read()

    async def work(store: Store, ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        user_id = None if user is None else await opening.user_id(store, account_id, user)
        await _give(store, ring, (account_id, account), (user_id, user), pem, as_json)

    opening.with_store(opening.configuration(config, data=data, database=database), work)


def list_keys(
    account: Account, as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """List the access keys of an account and its users. Last use is written down once a minute."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        return [
            {
                "access_key_id": row.access_key_id, "user": row.user_name, "kind": row.kind,
                "state": "enabled" if row.active else "disabled", "created_at": as_text(row.created_at),
                "last_used_at": _text(row.last_used_at),
            }
            for row in await store.list_keys(await opening.account_id(store, account))
        ]  # fmt: skip

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty=f"{account} has no access key.")


def disable(
    access_key_id: KeyId, config: opening.Config = None, data: opening.Data = None, database: opening.Database = None
) -> None:
    """Disable an access key: its calls are refused within a second."""
    _switch(access_key_id, False, opening.configuration(config, data=data, database=database))


def enable(
    access_key_id: KeyId, config: opening.Config = None, data: opening.Data = None, database: opening.Database = None
) -> None:
    """Enable an access key again."""
    _switch(access_key_id, True, opening.configuration(config, data=data, database=database))


def delete(
    access_key_id: KeyId,
    force: Annotated[bool, typer.Option(help="Also one that is still enabled.")] = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Delete an access key for ever. Disable it first, and see whether anybody misses it."""

    async def work(store: Store, _ring: KeyRing) -> None:
        key = await store.find_key(access_key_id)
        if key is not None and key.active and not force:
            raise SettingError(f"{access_key_id} is still enabled; disable it first, or say --force.")
        if not await store.delete_key(KeyDeletion(access_key_id=access_key_id, now=SystemClock().now())):
            raise _unknown(access_key_id)

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{access_key_id} is deleted.")


def rotate(
    access_key_id: KeyId,
    rsa: Rsa = None,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Create a second key of the same owner. The old one goes on until you disable and delete it."""
    pem = None if rsa is None else rsa.read()

    async def work(store: Store, ring: KeyRing) -> None:
        old = await store.find_key(access_key_id)
        if old is None:
            raise _unknown(access_key_id)
        if (old.kind is KeyKind.RSA) != (pem is not None):
            raise SettingError("An RSA key is rotated to another one with --rsa, and only that.")
        names = {account_id: name for account_id, name in await store.account_names()}
        users = {row.id: row.name for row in await store.list_users(old.account_id)}
        owner, user = (old.account_id, names[old.account_id]), (old.user_id, users.get(old.user_id or 0))
        await _give(store, ring, owner, user, pem, as_json, replaces=access_key_id)

    opening.with_store(opening.configuration(config, data=data, database=database), work)


async def _give(
    store: Store, ring: KeyRing, account: tuple[int, str], user: tuple[int | None, str | None], pem: bytes | None,
    as_json: bool, **more: str,
) -> None:  # fmt: skip
    """Make a key, store it, and show it. ``account`` and ``user``: id and name."""
    if pem is None:
        key, secret = key_making.hmac_key(ring, account[0], user[0])
    else:
        key, secret = key_making.rsa_key(pem, account[0], user[0]), None
    own = Possessions(keys=[key])
    await store.give(Gift(account_id=account[0], now=SystemClock().now(), possessions=own))
    key_making.show(account[1], key.access_key_id, secret, as_json, user=user[1], **more)


def _switch(access_key_id: str, active: bool, configured: Configuration) -> None:
    async def work(store: Store, _ring: KeyRing) -> bool:
        return await store.switch_key(KeySwitch(access_key_id=access_key_id, active=active, now=SystemClock().now()))

    if not opening.with_store(configured, work):
        raise _unknown(access_key_id)
    print(f"{access_key_id} is {'enabled' if active else 'disabled'}.")


def _unknown(access_key_id: str) -> NotFound:
    return NotFound(f"There is no access key {access_key_id!r}.")


def _text(instant: Instant | None) -> str | None:
    return None if instant is None else as_text(instant)
