"""``chatgate account export`` and ``import``: an account as one file, to be kept or taken to another installation."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Sized
from pathlib import Path
from typing import Annotated

import typer

from chatgate.cli import account_file, opening, passphrase
from chatgate.cli.account_file import AccountFile, Secrets
from chatgate.clock import SystemClock
from chatgate.domain.account import KeyKind
from chatgate.errors import NotFound, SettingError
from chatgate.sealing import KeyRing
from chatgate.store.account_copy import AccountCopy, Restoration
from chatgate.store.store import Store

LARGEST = 1 << 28
"""Bytes of a file that is read."""

NO_SECRETS = Secrets(keys={}, callbacks=None)


def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")],
    out: Annotated[Path | None, typer.Option(help="File to write, for its owner alone; none: standard output.")] = None,
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Also access keys and the callback secret, under a passphrase.")
    ] = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Write an account to a file: all that is its own but messages. The passphrase is asked for, or taken from the
    environment variable CHATGATE_ACCOUNT_FILE_SECRET."""
    if out is not None and out.exists():
        raise SettingError(f"{out} exists already.")
    words = passphrase.ask(new=True) if with_secrets else None

    async def work(store: Store, ring: KeyRing) -> tuple[AccountCopy, bytes]:
        copy = await store.copy_account(await opening.account_id(store, name))
        if copy is None:
            raise NotFound(f"There is no account {name!r}.")
        return copy, account_file.write(copy, ring, words)

    copy, text = opening.with_store(
        opening.configuration(config, data=data, database=database), work, only_look=True
    )  # fmt: skip
    if out is None:
        sys.stdout.write(text.decode())
    else:
        _write(out, text)
    if not with_secrets and any(key.kind is KeyKind.HMAC for key in copy.keys):
        print("Its access keys that have a secret are left out; --with-secrets takes them along.", file=sys.stderr)


def import_account(
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(metavar="FILE", help="What export wrote; - reads it from stdin.")
    ],
    name: Annotated[str | None, typer.Option(help="Another name for it than that in the file.")] = None,
    without_keys: Annotated[
        bool, typer.Option("--without-keys", help="Leave its access keys, and its secrets, where they are.")
    ] = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Make an account of a file, all of it or nothing."""
    read = account_file.read(_read(file))
    name = read.name if name is None else name
    account_file.check_name(name)
    known = NO_SECRETS
    if read.secrets is not None and not without_keys:
        known = account_file.opened(read, passphrase.ask(new=False))

    async def work(store: Store, ring: KeyRing) -> AccountCopy:
        own_id = int(read.id)
        if own_id in {account_id for account_id, _ in await store.account_names()}:
            own_id = store.keys.next()
        copy = account_file.copy_of(
            read, known, ring, name=name, account_id=own_id, fresh=secrets.token_bytes(32), keys=not without_keys
        )
        await store.restore_account(Restoration(copy=copy, now=SystemClock().now(), keys=store.keys.next))
        return copy

    configured = opening.configuration(config, data=data, database=database)
    made = opening.with_store(configured, work, make=True, kind="serve")
    _tell(read, made, known, keys=not without_keys)


def _tell(read: AccountFile, made: AccountCopy, known: Secrets, *, keys: bool) -> None:
    counted: dict[str, Sized] = {
        "spaces": made.spaces, "senders": made.senders, "templates": made.templates, "users": made.users,
        "policies": made.policies, "access keys": made.keys, "webhooks": made.webhooks,
    }  # fmt: skip
    print(f"{made.name} is there, with " + ", ".join(f"{len(own)} {what}" for what, own in counted.items()) + ".")
    if keys and read.secrets is None:
        print("Access keys whose secrets are not in the file were not imported; `chatgate key create` makes new ones.")
    if read.webhooks and known.callbacks is None:
        print(f"Its callbacks are signed with a new secret: `chatgate callback secret {made.name}` shows it.")


def _write(out: Path, text: bytes) -> None:
    """Write a file that did not exist, whole, for its owner alone."""
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
    except OSError as error:
        raise SettingError(f"{out} cannot be written: {error.strerror}.") from None


def _read(file: typer.FileBinaryRead) -> bytes:
    text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise SettingError("The file is too large to be an account's.")
    return text
