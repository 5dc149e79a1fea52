"""``chatgate account`` and ``chatgate key``: who may call, and from which sender.

Templates, spaces, policies, and the life of a sender have commands of their own.
"""

from __future__ import annotations

import secrets
import string
from typing import Annotated

import typer

from chatgate.cli import opening, output
from chatgate.clock import SystemClock
from chatgate.config import Configuration
from chatgate.domain.account import AccessKey, KeyKind, Sender, Space, Standing
from chatgate.errors import NotFound, SettingError
from chatgate.gateway.authenticate import purpose
from chatgate.sealing import KeyRing
from chatgate.store.accounts import Gift, KeySwitch, NewAccount, Possessions
from chatgate.store.store import Store

LONGEST_NAME = 64

_LETTERS = string.ascii_letters + string.digits

Name = Annotated[str, typer.Argument(help="Name of the account.")]


def register(app: typer.Typer) -> None:
    account = typer.Typer(help="Accounts.", no_args_is_help=True, rich_markup_mode=None)
    account.command("create")(create)
    account.command("list")(list_accounts)
    account.command("sender")(sender)
    key = typer.Typer(help="Access keys.", no_args_is_help=True, rich_markup_mode=None)
    key.command("create")(create_key)
    key.command("disable")(disable_key)
    key.command("enable")(enable_key)
    app.add_typer(account, name="account")
    app.add_typer(key, name="key")


def create(
    name: Name,
    space: Annotated[str | None, typer.Option(help="CustSpaceId; one is made up when none is given.")] = None,
    calls_per_second: Annotated[int | None, typer.Option(min=1, help="Own limit instead of the setting.")] = None,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Create an account with a space, and print its first access key. The secret is shown this once."""
    if not (name.isprintable() and 1 <= len(name) <= LONGEST_NAME):
        raise SettingError(f"The name of an account has 1 to {LONGEST_NAME} printable characters.")
    space_id = space or "cams-" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12))

    async def work(store: Store, ring: KeyRing) -> str:
        account_id = store.keys.next()
        key, secret = _new_key(ring, account_id)
        own = Possessions(keys=[key], spaces=[Space(space_id=space_id)])
        await store.create_account(
            NewAccount(
                account_id=account_id,
                name=name,
                now=SystemClock().now(),
                possessions=own,
                calls_per_second=calls_per_second,
            )
        )
        _show_key(name, key.access_key_id, secret, as_json, cust_space_id=space_id)
        return name

    opening.with_store(opening.configuration(config, data=data, database=database), work, make=True, kind="serve")


def list_accounts(
    as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """List accounts with their keys, spaces and senders."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for account_id, name in await store.account_names():
            view = await store.load_view(account_id, 0)
            if view is None:
                continue
            keys = [k.access_key_id + ("" if k.active else " (disabled)") for k in await store.keys_of(account_id)]
            senders = [f"{s.sender} ({s.standing})" for s in view.senders.values()]
            rows.append({
                "name": name, "access_keys": ", ".join(keys), "spaces": ", ".join(view.spaces),
                "senders": ", ".join(senders),
            })  # fmt: skip
        return rows

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty="There is no account yet; `chatgate account create NAME` makes one.")


def sender(
    name: Name,
    number: Annotated[str, typer.Argument(help="From of the calls: digits.")],
    service_id: Annotated[str | None, typer.Option(help="Viber service id; default: the number itself.")] = None,
    standing: Annotated[str, typer.Option(help="approved, paused, prohibited or pending.")] = "approved",
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Add a Viber sender to an account, or change its service id or standing."""
    if standing not in list(Standing):
        raise SettingError(f"--standing must be one of {', '.join(Standing)}.")
    own_id = service_id or number
    if not all(text.isascii() and text.isdecimal() for text in (number, own_id)):
        raise SettingError("The number and the service id must be digits.")

    async def work(store: Store, _ring: KeyRing) -> None:
        new = Sender(sender=number, channel="viber", service_id=own_id, standing=Standing(standing))
        gift = Gift(account_id=await _id(store, name), now=SystemClock().now(), possessions=Possessions(senders=[new]))
        await store.give(gift)

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{number} is a sender of {name} ({standing}).")


def create_key(
    name: Name,
    rsa: Annotated[typer.FileBinaryRead | None, typer.Option(help="PEM public key: for ACS3-RSA-SHA256.")] = None,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Create one more access key of an account. The secret is shown this once."""
    pem = None if rsa is None else _public_key(rsa.read())

    async def work(store: Store, ring: KeyRing) -> None:
        account_id = await _id(store, name)
        key, secret = _new_key(ring, account_id) if pem is None else (_rsa_key(pem, account_id), None)
        await store.give(Gift(account_id=account_id, now=SystemClock().now(), possessions=Possessions(keys=[key])))
        _show_key(name, key.access_key_id, secret, as_json)

    opening.with_store(opening.configuration(config, data=data, database=database), work)


def disable_key(
    access_key_id: str, config: opening.Config = None, data: opening.Data = None, database: opening.Database = None
) -> None:
    """Disable an access key: its calls are refused within a second."""
    _switch(access_key_id, False, opening.configuration(config, data=data, database=database))


def enable_key(
    access_key_id: str, config: opening.Config = None, data: opening.Data = None, database: opening.Database = None
) -> None:
    """Enable an access key again."""
    _switch(access_key_id, True, opening.configuration(config, data=data, database=database))


def _switch(access_key_id: str, active: bool, configured: Configuration) -> None:
    async def work(store: Store, _ring: KeyRing) -> bool:
        return await store.switch_key(KeySwitch(access_key_id=access_key_id, active=active, now=SystemClock().now()))

    if not opening.with_store(configured, work):
        raise NotFound(f"There is no access key {access_key_id!r}.")
    print(f"{access_key_id} is {'enabled' if active else 'disabled'}.")


async def _id(store: Store, name: str) -> int:
    account_id = await store.find_account(name)
    if account_id is None:
        raise NotFound(f"There is no account {name!r}.")
    return account_id


def _new_key(ring: KeyRing, account_id: int) -> tuple[AccessKey, str]:
    access_key_id = "LTAI5t" + "".join(secrets.choice(_LETTERS) for _ in range(18))  # looks as Alibaba's do
    secret = "".join(secrets.choice(_LETTERS) for _ in range(30))
    sealed = ring.seal(secret.encode(), purpose(access_key_id))
    key = AccessKey(access_key_id=access_key_id, account_id=account_id, kind=KeyKind.HMAC, sealed=sealed, active=True)
    return key, secret


def _rsa_key(pem: bytes, account_id: int) -> AccessKey:
    access_key_id = "TMP." + "".join(secrets.choice(_LETTERS) for _ in range(20))
    return AccessKey(access_key_id=access_key_id, account_id=account_id, kind=KeyKind.RSA, sealed=pem, active=True)


def _public_key(pem: bytes) -> bytes:
    from chatgate.protocol import signature

    try:
        signature.rsa_key(pem)
    except ValueError:
        raise SettingError("--rsa needs a PEM file with an RSA public key.") from None
    return pem


def _show_key(account: str, access_key_id: str, secret: str | None, as_json: bool, **more: str) -> None:
    fields: dict[str, object] = {
        "account": account,
        "access_key_id": access_key_id,
        "access_key_secret": secret,
        **more,
    }
    if as_json:
        output.print_json(fields)
        return
    for field, value in fields.items():
        if value is not None:
            print(f"{field.replace('_', ' '):<18}{output.plain(value)}")
