"""``chatgate message`` and ``chatgate why``: what became of a message, or of the messages of a mass sending."""

from __future__ import annotations

from typing import Annotated

import typer

from chatgate.cli import opening, output
from chatgate.clock import SystemClock, as_text
from chatgate.config import Configuration
from chatgate.domain.message import Message, Status
from chatgate.errors import NotFound, SettingError
from chatgate.ids import instant_of
from chatgate.sealing import KeyRing
from chatgate.store.search import Filter, Story
from chatgate.store.store import Store
from chatgate.store.timeline import PublicId, next_step, timeline

MessageId = Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="The 24 digits that the call answered.")]


def register(app: typer.Typer) -> None:
    message = typer.Typer(help="Messages.", no_args_is_help=True, rich_markup_mode=None)
    message.command("list")(list_messages)
    message.command("show")(show)
    message.command("group")(group)
    app.add_typer(message, name="message")
    app.command()(why)


def list_messages(
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    to: Annotated[str | None, typer.Option(help="Only to this number.")] = None,
    status: Annotated[str | None, typer.Option(help=", ".join(Status))] = None,
    text: Annotated[str | None, typer.Option(help="Only with this in the text.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many an account.")] = 20,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """List messages, newest first."""
    if status is not None and status not in list(Status):
        raise SettingError(f"--status must be one of {', '.join(Status)}.")

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        rows = []
        if account is not None and await store.find_account(account) is None:
            raise NotFound(f"There is no account {account!r}.")
        for account_id, name in await store.account_names():
            if account not in (None, name):
                continue
            wanted = Filter(
                account_id=account_id, to=to, status=Status(status) if status else None, text=text, limit=limit
            )
            rows += [_row(store, name, message) for message in await store.list_messages(wanted)]
        return sorted(rows, key=lambda row: str(row["accepted_at"]), reverse=True)

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty="No message fits.")


def show(
    message_id: MessageId, as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Show one message with its content."""
    story, public_id = _find(message_id, opening.configuration(config, data=data, database=database))
    message, draft = story.message, story.message.draft
    fields: dict[str, object] = {
        "message_id": public_id(message.id), "status": message.status, "accepted_at": as_text(message.accepted_at),
        "expires_at": as_text(message.expires_at), "channel": draft.channel, "from": draft.sender,
        "to": draft.recipient,
        "type": draft.kind, "message_type": draft.message_type, "label": draft.label, "ttl": draft.ttl,
        "template_code": draft.template_code, "language": draft.language, "task_id": draft.task_id, "tag": draft.tag,
        "tracking_data": draft.tracking_data, "space": draft.space_id, "attempts": message.attempt,
        "failure": message.failure, "fallback": draft.fallback, "content": draft.content,
        "request_id": story.request_id,
        "group_id": None if message.group_id is None else public_id(message.group_id),
    }  # fmt: skip
    if as_json:
        output.print_json(fields)
        return
    for name, value in fields.items():
        if value is not None:
            print(f"{name.replace('_', ' '):<15}{output.plain(value)}")


def group(
    group_id: Annotated[str, typer.Argument(metavar="GROUP_ID", help="The GroupMessageId that the call answered.")],
    as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Show how far a mass sending is: its messages by status."""

    async def work(store: Store, _ring: KeyRing) -> tuple[int, dict[Status, int]]:
        key = store.message_ids.key(group_id)
        counts = {} if key is None else await store.group_progress(None, key)
        if key is None or not counts:
            raise NotFound(f"There is no mass sending {output.plain(group_id)}.")
        return key, counts

    key, counts = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    accepted_at, total = as_text(instant_of(key)), sum(counts.values())
    if as_json:
        output.print_json({"group_id": group_id, "accepted_at": accepted_at, "messages": total, "statuses": counts})
        return
    print(f"{group_id} was accepted at {accepted_at} with {total} messages.\n")
    for status, count in counts.items():
        print(f"{status:<10} {count:>5}")


def why(
    message_id: MessageId, as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Tell each step of a message, with time and reason, and what comes next."""
    story, public_id = _find(message_id, opening.configuration(config, data=data, database=database))
    steps = timeline(story, public_id)
    public = public_id(story.message.id)
    coming = next_step(story.message, SystemClock().now())
    if as_json:
        listed = [{"at": as_text(step.at), "event": step.event, "detail": step.detail} for step in steps]
        output.print_json({"message_id": public, "status": story.message.status, "steps": listed, "next": coming})
        return
    print(f"{public} to {story.message.draft.recipient} is {story.message.status}.\n")
    for step in steps:
        print(f"{as_text(step.at)}  {step.event:<15} {output.plain(step.detail)}")
    print(f"\n{coming}")


def _find(message_id: str, configured: Configuration) -> tuple[Story, PublicId]:
    async def work(store: Store, _ring: KeyRing) -> tuple[Story, PublicId]:
        key = store.message_ids.key(message_id)
        story = None if key is None else await store.story(None, key)
        if story is None:
            raise NotFound(f"There is no message {output.plain(message_id)}.")
        return story, store.message_ids.public

    return opening.with_store(configured, work, only_look=True)


def _row(store: Store, account: str, message: Message) -> dict[str, object]:
    draft = message.draft
    return {
        "accepted_at": as_text(message.accepted_at), "account": account,
        "message_id": store.message_ids.public(message.id), "to": draft.recipient, "type": draft.message_type,
        "status": message.status, "reason": message.failure.code if message.failure else "",
    }  # fmt: skip
