"""``chatgate sender``: from whom accounts may send, and what they apply for.

A sender is a Viber service id, or a number that stands for it. It is applied for (``apply``; by the API: ``requests``,
``grant``, ``refuse``), approved, paused, prohibited and resumed; calls that name one that was never approved are
refused, messages of a paused one are accepted, fail, and may fall back (``domain.account.Standing``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from chatgate.cli import opening, output
from chatgate.clock import SystemClock, as_text
from chatgate.domain.review import Decision
from chatgate.domain.sender_request import OPEN, AuditResult
from chatgate.errors import SettingError
from chatgate.sealing import KeyRing
from chatgate.store.reviews import Kind
from chatgate.store.senders import Answer, Application, SenderJudgement
from chatgate.store.store import Store

HELP = {
    Decision.APPROVE: "Allow a sender that was applied for, or rejected.",
    Decision.REJECT: "Refuse a sender that was applied for.",
    Decision.PAUSE: "Stop an approved sender for now: its messages are accepted, fail, and may fall back.",
    Decision.PROHIBIT: "Forbid an approved sender: its messages are accepted, fail, and may fall back.",
    Decision.RESUME: "Allow a paused or prohibited sender again.",
}

Account = Annotated[str, typer.Option("--account", help="Name of the account.")]
Number = Annotated[str, typer.Argument(metavar="SENDER", help="From of the calls: digits.")]
RequestNo = Annotated[str, typer.Argument(metavar="REQUEST_NO", help="As `chatgate sender requests` lists it.")]
Reason = Annotated[str, typer.Option(help="Why.")]
By = Annotated[str | None, typer.Option(help="Who decides; default: the user at the command line.")]
ServiceId = Annotated[str | None, typer.Option(help="Viber service id; default: the sender itself.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Viber senders, and what accounts apply for.", no_args_is_help=True, rich_markup_mode=None)
    group.command("apply")(apply)
    group.command("list")(list_senders)
    for decision in Decision:
        group.command(decision.value, help=HELP[decision])(_command(decision))
    group.command("requests")(requests)
    group.command("grant")(grant)
    group.command("refuse")(refuse)
    app.add_typer(group, name="sender")


def apply(
    number: Number,
    account: Account,
    service_id: ServiceId = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Apply for a sender: calls may name it once it is approved."""
    _check_digits(number, service_id)

    async def work(store: Store, _ring: KeyRing) -> None:
        application = Application(
            account_id=await opening.account_id(store, account), sender=number, service_id=service_id or number,
            author=opening.operator(), now=SystemClock().now(),
        )  # fmt: skip
        await store.apply_for_sender(application)

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{number} of {account} is pending.")


def list_senders(
    account: Account,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """List the senders of an account, with the last decision on each."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        account_id = await opening.account_id(store, account)
        view = await store.load_view(account_id, 0)
        rows: list[dict[str, object]] = []
        for sender in () if view is None else view.senders.values():
            reviews = await store.reviews(account_id, Kind.SENDER, sender.sender)
            last = reviews[-1] if reviews else None
            rows.append({
                "sender": sender.sender, "service_id": sender.service_id, "standing": str(sender.standing),
                "since": None if last is None else as_text(last.at), "by": None if last is None else last.reviewer,
                "reason": None if last is None else last.reason,
            })  # fmt: skip
        return rows

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty=f"{account} has no sender.")


def _command(decision: Decision) -> Callable[..., None]:
    """Return the command of a decision."""

    def judge(
        number: Number,
        account: Account,
        reason: Reason = "",
        by: By = None,
        config: opening.Config = None,
        data: opening.Data = None,
        database: opening.Database = None,
    ) -> None:
        async def work(store: Store, _ring: KeyRing) -> str:
            judgement = SenderJudgement(
                account_id=await opening.account_id(store, account), sender=number, decision=decision,
                reviewer=by or opening.operator(), reason=reason, now=SystemClock().now(),
            )  # fmt: skip
            return str(await store.judge_sender(judgement))

        standing = opening.with_store(opening.configuration(config, data=data, database=database), work)
        print(f"{number} of {account} is {standing}.")

    return judge


def requests(
    account: Account,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are closed.")] = False,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """List what an account applied for by the API, the last changed first."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        found = await store.list_requests(await opening.account_id(store, account), 1000)
        return [
            {
                "request_no": one.request_no, "space": one.space_id, "type": one.request_type,
                "result": str(one.result), "sender": one.sender, "by": one.modifier,
                "changed": as_text(one.changed_at), "reason": one.reason, "record": one.record,
            }
            for one in found
            if everything or one.result is AuditResult.OPEN
        ]  # fmt: skip

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty=f"{account} has no open request.")


def grant(
    request_no: RequestNo,
    account: Account,
    sender: Annotated[str | None, typer.Option(help="The sender that is granted; needed to open Viber.")] = None,
    service_id: ServiceId = None,
    reason: Reason = "",
    by: By = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Grant a request; a request to open Viber approves a sender, which is made if it is new."""
    _check_digits(*(text for text in (sender, service_id) if text is not None))

    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        found = await store.find_request(account_id, request_no)
        if found is not None and found.request_type == OPEN and sender is None:
            raise SettingError("This request opens Viber: say which --sender is granted.")
        await store.answer_request(
            Answer(
                account_id=account_id, request_no=request_no, granted=True, reviewer=by or opening.operator(),
                reason=reason, now=SystemClock().now(), sender=sender, service_id=service_id,
            )
        )  # fmt: skip

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{request_no} is granted" + ("." if sender is None else f"; {sender} of {account} is approved."))


def refuse(
    request_no: RequestNo,
    account: Account,
    reason: Annotated[str, typer.Option(help="Why; the account reads it.")],
    by: By = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Refuse a request."""

    async def work(store: Store, _ring: KeyRing) -> None:
        await store.answer_request(
            Answer(
                account_id=await opening.account_id(store, account), request_no=request_no, granted=False,
                reviewer=by or opening.operator(), reason=reason, now=SystemClock().now(),
            )
        )  # fmt: skip

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{request_no} is refused.")


def _check_digits(*texts: str | None) -> None:
    if not all(text is None or (text.isascii() and text.isdecimal()) for text in texts):
        raise SettingError("The sender and the service id must be digits.")
