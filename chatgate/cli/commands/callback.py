"""``chatgate callback``: where an account is told, by which secret it knows us, and what could not be told."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from chatgate.callbacks import guard, signature
from chatgate.cli import opening, output
from chatgate.clock import Instant, SystemClock, as_text
from chatgate.errors import NotFound, SettingError
from chatgate.sandbox import moments
from chatgate.sealing import KeyRing
from chatgate.store.callbacks import Replay
from chatgate.store.endpoints import EndpointChange, EndpointOrder
from chatgate.store.store import Store

KINDS = ("status", "inbound")

Account = Annotated[str, typer.Argument(help="Name of the account.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="What customers are told.", no_args_is_help=True, rich_markup_mode=None)
    group.command("list")(list_undeliverable)
    group.command("replay")(replay)
    group.command("set")(set_endpoint)
    group.command("secret")(secret)
    app.add_typer(group, name="callback")


def list_undeliverable(
    account: Account,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """List the reports that could not be told, newest first."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        account_id = await opening.account_id(store, account)
        urls = {endpoint.id: endpoint.url for endpoint in await store.list_endpoints(account_id)}
        public = store.message_ids.public
        return [
            {
                "id": row.id, "at": as_text(row.at), "status": row.status,
                "message_id": None if row.message_id is None else public(row.message_id),
                "url": urls.get(row.endpoint_id), "tries": row.tries, "answer": row.answer,
            }
            for row in await store.undeliverable(account_id, limit)
        ]  # fmt: skip

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work)
    output.show(rows, as_json=as_json, empty="Everything could be told.")


def replay(
    account: Account,
    ids: Annotated[list[int] | None, typer.Option("--id", help="Only this report; may be given again.")] = None,
    since: Annotated[str | None, typer.Option(help="Only changes from then on: a time, or how long ago (2h).")] = None,
    until: Annotated[str | None, typer.Option(help="Only changes up to then.")] = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Tell undeliverable reports again, all of the account or those that are picked."""
    now = SystemClock().now()
    first, last = _moment("--since", since, now), _moment("--until", until, now)

    async def work(store: Store, _ring: KeyRing) -> int:
        account_id = await opening.account_id(store, account)
        return await store.replay_callbacks(
            Replay(account_id=account_id, now=now, ids=ids or None, since=first, until=last)
        )

    count = opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"Told again: {count}.")


def set_endpoint(
    account: Account,
    url: Annotated[str | None, typer.Argument(metavar="URL", help="Where reports are posted.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the endpoint away.")] = False,
    sender: Annotated[str | None, typer.Option(help="Only for this sender; default: all without an own one.")] = None,
    kind: Annotated[str, typer.Option(help="status (reports) or inbound (replies).")] = "status",
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Say where an account is told."""
    if (url is None) != remove:
        raise SettingError("Say a URL, or --remove.")
    if kind not in KINDS:
        raise SettingError(f"--kind must be one of {', '.join(KINDS)}.")
    if url is not None and (why := guard.check_url(url)) != "":
        raise SettingError(f"The URL cannot be used: {why}.")
    configured = opening.configuration(config, data=data, database=database)

    async def work(store: Store, ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        view = await store.load_view(account_id, 0)
        if sender is not None and (view is None or sender not in view.senders):
            raise NotFound(f"{account} has no sender {sender!r}.")
        change = EndpointChange(
            key=store.keys.next(), account_id=account_id, sender=sender or "", kind=kind, url=url,
            batch=configured.settings.callback_batch,
            sealed_secret=ring.seal(secrets.token_bytes(32), signature.purpose(account_id)),
        )  # fmt: skip
        await store.set_endpoints(EndpointOrder(changes=[change]))

    opening.with_store(configured, work)
    whose = account if sender is None else f"{sender} of {account}"
    print(f"{kind} of {whose}: {'nowhere' if url is None else url}")


def secret(
    account: Account,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Print the secret by which an account tells our calls from forged ones (Standard Webhooks)."""

    async def work(store: Store, ring: KeyRing) -> str:
        account_id = await opening.account_id(store, account)
        sealed = await store.callback_secret(account_id)
        if sealed is None:
            raise NotFound(f"{account} has no secret yet: it is made with its first endpoint.")
        return signature.as_text(ring.open(sealed, signature.purpose(account_id)))

    print(opening.with_store(opening.configuration(config, data=data, database=database), work))


def _moment(option: str, text: str | None, now: Instant) -> Instant | None:
    try:
        return None if text is None else moments.instant(text, now)
    except ValueError:
        raise SettingError(
            f"{option} must be milliseconds since 1970, an ISO 8601 time, or how long ago, such as 2h."
        ) from None
