"""``chatgate template lint``, ``create``, ``modify`` and ``delete``.

A file is JSON: the parameters of CreateChatappTemplate (``Name``, ``Language``, ``Category``, ``Components``,
``Example``, ``MessageSendTtlSeconds``), or the array of ``Components`` alone.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from chatgate.channels import viber_template
from chatgate.channels.viber_template import Finding
from chatgate.cli import opening, output
from chatgate.cli.commands.template.reading import Account, Code
from chatgate.clock import SECOND, SystemClock
from chatgate.domain.language import LANGUAGES
from chatgate.domain.review import TemplateText, first_verdict
from chatgate.errors import SettingError
from chatgate.operations.create_chatapp_template import LONGEST_NAME
from chatgate.protocol import strict_json
from chatgate.sealing import KeyRing
from chatgate.store.store import Store
from chatgate.store.templates import Change, Creation, Deletion, Naming

DEFAULT_CATEGORY = "UTILITY"

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="JSON: the parameters of CreateChatappTemplate, or its Components.")
]


def lint(
    file: File,
    category: Annotated[str | None, typer.Option(help="Category, where the file has none.")] = None,
    as_json: opening.AsJson = False,
) -> None:
    """Find everything that is wrong with a template. No database is needed; status 1 where anything is."""
    findings = _findings(_read(file), category)
    rows = [
        {"place": one.place, "code": one.error().code, "finding": one.sentence[:1].upper() + one.sentence[1:]}
        for one in findings
    ]
    output.show(rows, as_json=as_json, empty="The template is legal.")
    if findings:
        raise typer.Exit(1)


def create(
    file: File,
    account: Account,
    name: Annotated[str | None, typer.Option(help="Name, where the file has none.")] = None,
    language: Annotated[str | None, typer.Option(help="Language, where the file has none.")] = None,
    category: Annotated[str | None, typer.Option(help="Category, where the file has none.")] = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Make a template; review is as the setting template_review says. Prints its TemplateCode."""
    written = _read(file)
    name, language = _needed("Name", name, written), _needed("Language", language, written)
    if language not in LANGUAGES:
        raise SettingError(f"There is no language {language!r}.")
    if not (name.isprintable() and name == name.strip() and 1 <= len(name) <= LONGEST_NAME):
        raise SettingError(f"Name must have 1 to {LONGEST_NAME} printable characters.")
    text = _text(written, category)
    configured = opening.configuration(config, data=data, database=database)
    settings = configured.settings

    async def work(store: Store, _ring: KeyRing) -> str | None:
        now = SystemClock().now()
        creation = Creation(
            account_id=await opening.account_id(store, account),
            template=viber_template.sendable(text, secrets.token_hex(16), language, name), text=text,
            verdict=first_verdict(settings.template_review, now, settings.template_review_delay * SECOND),
            author=opening.operator(), now=now, nonce=secrets.token_bytes(16),
        )  # fmt: skip
        return await store.create_template(creation)

    print(opening.with_store(configured, work))


def modify(
    code: Code,
    language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="Which of its languages.")],
    file: File,
    account: Account,
    category: Annotated[str | None, typer.Option(help="Category, where the file has none.")] = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Give a template that was never approved new contents, and hand it in for review again."""
    text = _text(_read(file), category)
    configured = opening.configuration(config, data=data, database=database)
    settings = configured.settings

    async def work(store: Store, _ring: KeyRing) -> None:
        now = SystemClock().now()
        which = Naming(account_id=await opening.account_id(store, account), code=code, language=language)
        change = Change(
            which=which, template=viber_template.sendable(text, code, language, ""), text=text,
            verdict=first_verdict(settings.template_review, now, settings.template_review_delay * SECOND),
            author=opening.operator(), now=now, nonce=secrets.token_bytes(16),
        )  # fmt: skip
        await store.change_template(change)

    opening.with_store(configured, work)
    print(f"{code} in {language} has new contents.")


def delete(
    code: Code,
    account: Account,
    language: Annotated[str | None, typer.Option(help="Only in this language.")] = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Delete a template. What was accepted before is sent all the same."""

    async def work(store: Store, _ring: KeyRing) -> None:
        which = Naming(account_id=await opening.account_id(store, account), code=code, language=language)
        deletion = Deletion(
            which=which, author=opening.operator(), now=SystemClock().now(), nonce=secrets.token_bytes(16)
        )  # fmt: skip
        await store.remove_template(deletion)

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{code} is deleted in {'all its languages' if language is None else language}.")


def _read(file: Path) -> dict[str, Any]:
    """Return the parameters that a file holds."""
    try:
        text = file.read_text(encoding="utf-8")
        return (
            {"Components": strict_json.read_array(text)} if text.lstrip()[:1] == "[" else strict_json.read_object(text)
        )
    except OSError as error:
        raise SettingError(f"The file {file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise SettingError(f"The file {file} is not usable. {error}") from None


def _findings(written: dict[str, Any], category: str | None) -> list[Finding]:
    return viber_template.lint(written.get("Components"), _category(written, category), written.get("Example"))


def _category(written: dict[str, Any], category: str | None) -> str:
    return str(written.get("Category") or category or DEFAULT_CATEGORY)


def _needed(what: str, option: str | None, written: dict[str, Any]) -> str:
    found = written.get(what) or option
    if not isinstance(found, str):
        raise SettingError(f"Say {what} in the file, or --{what.lower()}.")
    return found


def _text(written: dict[str, Any], category: str | None) -> TemplateText:
    findings = _findings(written, category)
    if findings:
        raise SettingError(f"{findings[0].error().message} `chatgate template lint` finds everything.")
    try:
        ttl = msgspec.convert(written.get("MessageSendTtlSeconds"), int | None)
    except msgspec.ValidationError:
        raise SettingError("MessageSendTtlSeconds must be a number.") from None
    return TemplateText(
        category=_category(written, category), components=viber_template.plain(written["Components"]),
        example=written.get("Example"), message_send_ttl=ttl,
    )  # fmt: skip
