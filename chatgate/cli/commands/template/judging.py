"""Review of templates by the operator: ``approve``, ``reject``, ``pause``, ``prohibit``, ``resume``, ``release``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from chatgate.cli import opening
from chatgate.cli.commands.template.reading import Account, Code
from chatgate.clock import SystemClock
from chatgate.domain.review import Decision
from chatgate.errors import SettingError
from chatgate.sealing import KeyRing
from chatgate.store.store import Store
from chatgate.store.templates import Judgement, Naming, Release

HELP = {
    Decision.APPROVE: "Allow a template that waits for review, or was rejected.",
    Decision.REJECT: "Refuse a template that waits for review.",
    Decision.PAUSE: "Stop an approved template for now: messages of it are accepted, fail, and may fall back.",
    Decision.PROHIBIT: "Forbid an approved template: messages of it are accepted, fail, and may fall back.",
    Decision.RESUME: "Allow a paused or prohibited template again.",
}

PartnerIds = Annotated[
    list[str] | None,
    typer.Option("--partner-id", help="The partner's id of it; SERVICE_ID=ID for one sender alone. May be repeated."),
]


def command(decision: Decision) -> Callable[..., None]:
    """Return the command of a decision."""

    def judge(
        code: Code,
        language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="Which of its languages.")],
        account: Account,
        reason: Annotated[str, typer.Option(help="Why; the account is told.")] = "",
        by: Annotated[str | None, typer.Option(help="Who decides; default: the user at the command line.")] = None,
        partner_id: PartnerIds = None,
        config: opening.Config = None,
        data: opening.Data = None,
        database: opening.Database = None,
    ) -> None:
        if decision is Decision.REJECT and not reason.strip():
            raise SettingError("A rejection needs a --reason: the account is told why.")
        ids = _partner_ids(partner_id)

        async def work(store: Store, _ring: KeyRing) -> str:
            account_id = await opening.account_id(store, account)
            judgement = Judgement(
                which=Naming(account_id=account_id, code=code, language=language), decision=decision,
                reviewer=by or opening.operator(), reason=reason, now=SystemClock().now(), partner_ids=ids,
            )  # fmt: skip
            return str((await store.judge_template(judgement)).template.standing)

        standing = opening.with_store(opening.configuration(config, data=data, database=database), work)
        print(f"{code} in {language} is {standing}.")

    return judge


def release(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the template that was.")],
    language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="Which of its languages.")],
    account: Account,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    by: Annotated[str | None, typer.Option(help="Who decides; default: the user at the command line.")] = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Let a name be used again whose template was prohibited, and deleted since."""

    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        await store.release_name(
            Release(
                account_id=account_id, name=name, language=language, reviewer=by or opening.operator(),
                reason=reason, now=SystemClock().now(),
            )
        )  # fmt: skip

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{name} in {language} may be used again.")


def _partner_ids(given: Sequence[str] | None) -> dict[str, str] | None:
    if not given:
        return None
    ids = {}
    for pair in given:
        service, equals, own = pair.partition("=")
        service, own = (service, own) if equals else ("", pair)
        if not own or (equals and not (service.isascii() and service.isdecimal())):
            raise SettingError(f"--partner-id takes ID or SERVICE_ID=ID, not {pair!r}.")
        ids[service] = own
    return ids
