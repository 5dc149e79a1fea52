"""``chatgate account``: who may call, and from which sender.

Keys, users and policies have commands of their own; so have templates, spaces, and the life of a sender.
"""

from __future__ import annotations

import secrets
import string
from typing import Annotated

import typer

from chatgate.cli import account_file, key_making, opening, output
from chatgate.cli.commands.account import transfer
from chatgate.clock import SystemClock
from chatgate.config import Configuration
from chatgate.domain.account import Sender, Space, Standing
from chatgate.errors import SettingError
from chatgate.sealing import KeyRing
from chatgate.store.accounts import Gift, NewAccount, Possessions, Subscription
from chatgate.store.store import Store

Name = Annotated[str, typer.Argument(help="Name of the account.")]


def register(app: typer.Typer) -> None:
    account = typer.Typer(help="Accounts.", no_args_is_help=True, rich_markup_mode=None)
    account.command("create")(create)
    account.command("list")(list_accounts)
    account.command("sender")(sender)
    account.command("subscribe")(subscribe)
    account.command("unsubscribe")(unsubscribe)
    account.command("export")(transfer.export)
    account.command("import")(transfer.import_account)
    app.add_typer(account, name="account")


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
    account_file.check_name(name)
    space_id = space or "cams-" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12))

    async def work(store: Store, ring: KeyRing) -> str:
        account_id = store.keys.next()
        key, secret = key_making.hmac_key(ring, account_id)
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
        key_making.show(name, key.access_key_id, secret, as_json, cust_space_id=space_id)
        return name

    opening.with_store(opening.configuration(config, data=data, database=database), work, make=True, kind="serve")


def list_accounts(
    as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """List accounts with their own keys, spaces and senders; `chatgate key list` has the users' keys too."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for account_id, name in await store.account_names():
            view = await store.load_view(account_id, 0)
            if view is None:
                continue
            own = [key for key in await store.keys_of(account_id) if key.user_id is None]
            keys = [key.access_key_id + ("" if key.active else " (disabled)") for key in own]
            senders = [f"{s.sender} ({s.standing})" for s in view.senders.values()]
            rows.append({
                "name": name, "id": str(account_id), "subscribed": view.subscribed,
                "access_keys": ", ".join(keys), "spaces": ", ".join(view.spaces),
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
        gift = Gift(
            account_id=await opening.account_id(store, name),
            now=SystemClock().now(),
            possessions=Possessions(senders=[new]),
        )
        await store.give(gift)

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{number} is a sender of {name} ({standing}).")


def subscribe(
    name: Name, config: opening.Config = None, data: opening.Data = None, database: opening.Database = None
) -> None:
    """Subscribe an account to the product again."""
    _subscription(name, True, opening.configuration(config, data=data, database=database))


def unsubscribe(
    name: Name, config: opening.Config = None, data: opening.Data = None, database: opening.Database = None
) -> None:
    """End an account's subscription: all its calls are refused within a second; what was accepted is still sent."""
    _subscription(name, False, opening.configuration(config, data=data, database=database))


def _subscription(name: str, subscribed: bool, configured: Configuration) -> None:
    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, name)
        now = SystemClock().now()
        await store.subscribe(Subscription(account_id=account_id, subscribed=subscribed, now=now))

    opening.with_store(configured, work)
    print(f"{name} is {'subscribed' if subscribed else 'not subscribed'}.")
