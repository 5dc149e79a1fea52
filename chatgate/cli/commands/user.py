"""``chatgate user``: RAM users of an account. A new one may do nothing: policies say what it may."""

from __future__ import annotations

from typing import Annotated

import typer

from chatgate.cli import opening, output
from chatgate.cli.account_file import USER_NAME
from chatgate.clock import SystemClock, as_text
from chatgate.errors import SettingError
from chatgate.sealing import KeyRing
from chatgate.store.ram import GoneUser, NewUser
from chatgate.store.store import Store

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Name of the account.")]
Name = Annotated[str, typer.Argument(metavar="USER", help="Name of the user.")]


def register(app: typer.Typer) -> None:
    user = typer.Typer(help="RAM users.", no_args_is_help=True, rich_markup_mode=None)
    user.command("create")(create)
    user.command("list")(list_users)
    user.command("delete")(delete)
    app.add_typer(user, name="user")


def create(
    account: Account, name: Name, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Create a user. It may do nothing until a policy is attached to it."""
    if USER_NAME.fullmatch(name) is None:
        raise SettingError("The name of a user has 1 to 64 letters, digits, dots, hyphens and underscores.")

    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        now = SystemClock().now()
        await store.create_user(NewUser(account_id=account_id, user_id=store.keys.next(), name=name, now=now))

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{name} is a user of {account}.")


def list_users(
    account: Account, as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """List the users of an account with their keys and policies."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        account_id = await opening.account_id(store, account)
        view = await store.load_view(account_id, 0)
        keys = await store.list_keys(account_id)
        return [
            {
                "name": row.name, "created_at": as_text(row.created_at),
                "access_keys": ", ".join(key.access_key_id for key in keys if key.user_id == row.id),
                "policies": ", ".join(policy.name for policy in view.users[row.id].policies) if view else "",
            }
            for row in await store.list_users(account_id)
        ]  # fmt: skip

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty=f"{account} has no user.")


def delete(
    account: Account, name: Name, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Delete a user that has no access key left. Its temporary credentials end within a second."""

    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        await store.delete_user(GoneUser(account_id=account_id, name=name, now=SystemClock().now()))

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{name} is deleted.")
