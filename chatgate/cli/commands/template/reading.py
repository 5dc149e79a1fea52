"""``chatgate template list``, ``show`` and ``metric``."""

from __future__ import annotations

from typing import Annotated

import typer

from chatgate.channels.viber_template import CATEGORIES
from chatgate.cli import opening, output
from chatgate.clock import DAY, MINUTE, SystemClock, as_text
from chatgate.domain.account import Standing
from chatgate.domain.review import AUDIT_STATUSES, TemplateRecord
from chatgate.errors import NotFound, SettingError
from chatgate.sandbox import moments
from chatgate.sealing import KeyRing
from chatgate.store.reviews import Kind
from chatgate.store.store import Store
from chatgate.store.template_counts import TooMany
from chatgate.store.templates import Naming, Wanted

Account = Annotated[str, typer.Option("--account", help="Name of the account.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="TemplateCode of the calls.")]

STEPS = {"daily": DAY, "half_hour": 30 * MINUTE}


def list_templates(
    account: Account,
    standing: Annotated[str | None, typer.Option(help="Only pending, approved, paused, …")] = None,
    category: Annotated[str | None, typer.Option(help="Only of this category.")] = None,
    name: Annotated[str | None, typer.Option(help="Only of this name.")] = None,
    language: Annotated[str | None, typer.Option(help="Only in this language.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=2000, help="At most so many.")] = 100,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """List templates, the last changed first."""
    if standing is not None and standing not in list(Standing):
        raise SettingError(f"--standing must be one of {', '.join(Standing)}.")
    if category is not None and category not in CATEGORIES:
        raise SettingError(f"--category must be one of {', '.join(CATEGORIES)}.")

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        account_id = await opening.account_id(store, account)
        wanted = Wanted(
            which=Naming(account_id=account_id, name=name, language=language), category=category, limit=limit,
            standing=None if standing is None else Standing(standing),
        )  # fmt: skip
        records, _ = await store.list_templates(wanted)
        return [row(record) for record in records]

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty=f"{account} has no such template.")


def show(
    code: Code,
    account: Account,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Show a template in all its languages, with everything that was decided on it."""

    async def work(store: Store, _ring: KeyRing) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
        account_id = await opening.account_id(store, account)
        records, _ = await store.list_templates(Wanted(which=Naming(account_id=account_id, code=code), limit=2000))
        reviews: list[dict[str, object]] = [
            {
                "at": as_text(review.at), "language": review.language, "standing": review.standing,
                "by": review.reviewer, "reason": review.reason,
            }
            for review in await store.reviews(account_id, Kind.TEMPLATE, code)
        ]  # fmt: skip
        if not records and not reviews:
            raise NotFound(f"{account} has no template {code!r}.")
        return [_whole(record) for record in records], reviews

    languages, reviews = opening.with_store(
        opening.configuration(config, data=data, database=database), work, only_look=True
    )
    if as_json:
        output.print_json({"languages": languages, "reviews": reviews})
        return
    for language in languages:
        for key, value in language.items():
            print(f"{key.replace('_', ' '):<18}{output.plain(value)}")
        print()
    output.show(reviews, as_json=False, empty="Nobody has decided on it.")


def metric(
    code: Code,
    account: Account,
    since: Annotated[str, typer.Option(help="From then on: a time, or how long ago.")] = "7d",
    granularity: Annotated[str, typer.Option(help="daily or half_hour.")] = "daily",
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Count how many messages of a template were sent, delivered and read."""
    now = SystemClock().now()
    if granularity not in STEPS:
        raise SettingError(f"--granularity must be one of {', '.join(STEPS)}.")
    try:
        start = moments.instant(since, now)
    except ValueError:
        raise SettingError("--since must be milliseconds since 1970, an ISO 8601 time, or how long ago (2h).") from None

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        account_id = await opening.account_id(store, account)
        try:
            spans = await store.count_templates(account_id, code, start, now, STEPS[granularity])
        except TooMany as error:
            raise SettingError(f"{error} Say a later --since.") from None
        return [
            {
                "from": as_text(at), "language": language, "sent": span.sent, "delivered": span.delivered,
                "read": span.read,
            }
            for (at, language), span in spans.items()
        ]  # fmt: skip

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty="Nothing was sent of it.")


def row(record: TemplateRecord) -> dict[str, object]:
    """Return a template as lists show it."""
    sent = record.template
    return {
        "code": sent.template_code, "name": sent.name, "language": sent.language, "category": record.text.category,
        "shows": str(sent.message_type), "standing": str(sent.standing), "changed": as_text(record.updated_at),
        "reason": record.reason,
    }  # fmt: skip


def _whole(record: TemplateRecord) -> dict[str, object]:
    ids = {"all": record.template.partner_id, **record.template.partner_ids}
    return row(record) | {
        "audit_status": str(AUDIT_STATUSES[record.template.standing]),
        "created": as_text(record.created_at),
        "approved_at": None if record.review_at is None else as_text(record.review_at),
        "components": record.text.components,
        "example": record.text.example,
        "message_send_ttl": record.text.message_send_ttl,
        "partner_ids": {service: own for service, own in ids.items() if own is not None},
    }
