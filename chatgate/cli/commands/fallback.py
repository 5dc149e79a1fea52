"""``chatgate fallback``: the fallbacks whose time passed during an outage. They wait until somebody decides."""

from __future__ import annotations

from typing import Annotated

import typer

from chatgate.cli import opening, output
from chatgate.clock import SystemClock, as_text
from chatgate.domain import fallback
from chatgate.domain.message import Message
from chatgate.sealing import KeyRing
from chatgate.store.fallbacks import AT_ONCE, Decision
from chatgate.store.store import Store

Account = Annotated[str | None, typer.Argument(help="Only of this account; default: of all.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Fallbacks that an outage held.", no_args_is_help=True, rich_markup_mode=None)
    group.command("held")(held)
    group.command("release")(release)
    group.command("drop")(drop)
    app.add_typer(group, name="fallback")


def held(
    account: Account = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """List messages whose fallback waits for a decision, oldest first."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        names = dict(await store.account_names())
        found = await store.held_fallbacks(await _picked(store, account), limit)
        return [_row(store, names, message) for message in found]

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work)
    output.show(rows, as_json=as_json, empty="No fallback is held.")


def release(
    account: Account = None, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Send the SMS of every held fallback now."""
    count = _decide(account, True, config, data, database)
    print(f"Released: {count}.")


def drop(
    account: Account = None, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Send no SMS for any held fallback."""
    count = _decide(account, False, config, data, database)
    print(f"Dropped: {count}.")


def _decide(
    account: str | None, is_release: bool, config: opening.Config, data: opening.Data, database: opening.Database
) -> int:
    async def work(store: Store, _ring: KeyRing) -> int:
        account_id = await _picked(store, account)
        decision = Decision(account_id=account_id, release=is_release, now=SystemClock().now(), keys=store.keys.next)
        total = count = await store.decide_fallbacks(decision)
        while count == AT_ONCE:
            count = await store.decide_fallbacks(decision)
            total += count
        return total

    return opening.with_store(opening.configuration(config, data=data, database=database), work)


async def _picked(store: Store, account: str | None) -> int | None:
    return None if account is None else await opening.account_id(store, account)


def _row(store: Store, names: dict[int, str], message: Message) -> dict[str, object]:
    order = message.draft.fallback
    due_at = None if order is None else fallback.due_at(message.accepted_at, order)
    return {
        "account": names.get(message.account_id), "message_id": store.message_ids.public(message.id),
        "to": message.draft.recipient, "status": message.status, "accepted_at": as_text(message.accepted_at),
        "was_due_at": None if due_at is None else as_text(due_at),
        "policy": None if order is None else order.policy_id,
    }  # fmt: skip
