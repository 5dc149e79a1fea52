"""``chatgate policy``: RAM policies, made, attached to users, and asked what they would decide.

The two system policies belong to every account. What a policy may say is in ``domain.ram.policy``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from chatgate.cli import opening, output, policy_file
from chatgate.cli.account_file import POLICY_NAME
from chatgate.clock import Instant, SystemClock, as_text
from chatgate.config import Configuration
from chatgate.domain.ram import conditions, decision
from chatgate.domain.ram import policy as ram_policy
from chatgate.domain.ram.conditions import PARAMETER, Context
from chatgate.domain.ram.decision import Decision, Principal
from chatgate.domain.ram.policy import MalformedPolicy, Policy, Request, resource_of
from chatgate.domain.ram.system_policies import TEXTS
from chatgate.errors import NotFound, SettingError
from chatgate.operations.base import all_operations
from chatgate.sealing import KeyRing
from chatgate.store.ram import Attachment, GonePolicy, PolicyText
from chatgate.store.store import Store

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Name of the account.")]
Name = Annotated[str, typer.Argument(metavar="POLICY", help="Name of the policy.")]
User = Annotated[str, typer.Argument(metavar="USER", help="Name of the user.")]


def register(app: typer.Typer) -> None:
    policy = typer.Typer(help="RAM policies: who may call what.", no_args_is_help=True, rich_markup_mode=None)
    policy.command("create")(create)
    policy.command("list")(list_policies)
    policy.command("show")(show)
    policy.command("attach")(attach)
    policy.command("detach")(detach)
    policy.command("delete")(delete)
    policy.command("simulate")(simulate)
    app.add_typer(policy, name="policy")


def create(
    account: Account,
    name: Name,
    file: Annotated[
        typer.FileBinaryRead, typer.Argument(metavar="FILE", help="The policy in JSON; - reads it from stdin.")
    ],
    replace: Annotated[bool, typer.Option(help="Change one that exists.")] = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Create a policy, or change it; it counts within a second."""
    if POLICY_NAME.fullmatch(name) is None:
        raise SettingError("The name of a policy has 1 to 128 letters, digits and hyphens.")
    text = _checked(name, policy_file.text_of(file))

    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        now = SystemClock().now()
        await store.put_policy(PolicyText(account_id=account_id, name=name, text=text, now=now, replace=replace))

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{name} is a policy of {account}.")


def list_policies(
    account: Account, as_json: opening.AsJson = False, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """List the policies of an account, the system's included, and to whom they are attached."""

    async def work(store: Store, _ring: KeyRing) -> list[dict[str, object]]:
        account_id = await opening.account_id(store, account)
        view = await store.load_view(account_id, 0)
        users = view.users.values() if view else ()
        changed = {row.name: as_text(row.changed_at) for row in await store.list_policies(account_id)}
        return [
            {
                "name": name, "type": "System" if name in TEXTS else "Custom", "changed_at": changed.get(name),
                "attached_to": ", ".join(sorted(u.name for u in users if name in {p.name for p in u.policies})),
            }
            for name in [*TEXTS, *changed]
        ]  # fmt: skip

    rows = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    output.show(rows, as_json=as_json, empty="There is no policy.")


def show(
    account: Account, name: Name, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Print the text of a policy."""

    async def work(store: Store, _ring: KeyRing) -> str:
        text = await store.policy_text(await opening.account_id(store, account), name)
        if text is None:
            raise NotFound(f"There is no policy {name!r}.")
        return text

    found = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    print(found.rstrip("\n"))


def attach(
    account: Account, name: Name, user: User, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Attach a policy to a user."""
    _attachment(account, name, user, True, opening.configuration(config, data=data, database=database))


def detach(
    account: Account, name: Name, user: User, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Take a policy from a user."""
    _attachment(account, name, user, False, opening.configuration(config, data=data, database=database))


def _attachment(account: str, name: str, user: str, attached: bool, configured: Configuration) -> None:
    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        now = SystemClock().now()
        await store.attach_policy(Attachment(account_id=account_id, user=user, policy=name, attached=attached, now=now))

    opening.with_store(configured, work)
    print(f"{name} is {'attached to' if attached else 'detached from'} {user}.")


def delete(
    account: Account, name: Name, config: opening.Config = None, data: opening.Data = None,
    database: opening.Database = None,
) -> None:  # fmt: skip
    """Delete a policy that is attached to nobody."""

    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        await store.delete_policy(GonePolicy(account_id=account_id, name=name, now=SystemClock().now()))

    opening.with_store(opening.configuration(config, data=data, database=database), work)
    print(f"{name} is deleted.")


def simulate(
    account: Account,
    user: User,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="Operation, such as SendChatappMessage.")],
    param: Annotated[list[str] | None, typer.Option(help="Parameter of the call as NAME=VALUE.")] = None,
    source_ip: Annotated[str, typer.Option(help="Whence the call comes.")] = "",
    at: Annotated[str | None, typer.Option(help="When, such as 2025-03-01T12:00:00Z; default: now.")] = None,
    tls: Annotated[bool, typer.Option(help="Whether it comes over TLS.")] = False,
    session: Annotated[
        typer.FileBinaryRead | None, typer.Option(help="Policy of temporary credentials in JSON.")
    ] = None,
    mfa: Annotated[bool, typer.Option(help="Temporary credentials of somebody who proved a second factor.")] = False,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Tell whether a user may make a call, and which statement decides. Exit status 1 when it may not."""
    own = None if session is None else ram_policy.compiled("session", policy_file.text_of(session))
    context = Context(
        now=_instant(at), source_ip=source_ip, secure=tls, mfa=mfa if mfa or own is not None else None,
        params=dict(_pair(text) for text in param or []),
    )  # fmt: skip

    async def work(store: Store, _ring: KeyRing) -> Decision:
        account_id = await opening.account_id(store, account)
        view = await store.load_view(account_id, 0)
        user_id = await opening.user_id(store, account_id, user)
        policies: tuple[Policy, ...] = view.users[user_id].policies if view else ()
        asked = Request(f"cams:{action.removeprefix('cams:')}", resource_of(account_id), context)
        return decision.decide(Principal(user, policies, session=own, temporary=own is not None), asked)

    made = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    if as_json:
        output.print_json({
            "allowed": made.allowed, "verdict": made.verdict, "policy_type": made.policy_type,
            "policy": made.policy or None, "statement": made.statement or None, "sentence": made.sentence,
        })  # fmt: skip
    else:
        print(output.plain(made.sentence))
    raise typer.Exit(0 if made.allowed else 1)


def _checked(name: str, text: str) -> str:
    """Return the text of a policy that can be read, and whose parameters exist. Raises MalformedPolicy."""
    known = {row.name for module in all_operations().values() for row in module.PARAMETERS}
    for statement in ram_policy.compiled(name, text).statements:
        for condition in statement.conditions:
            parameter = condition.key.removeprefix(PARAMETER)
            if condition.key not in conditions.KEYS and parameter not in known:
                raise MalformedPolicy(
                    f"Statement {statement.number}, Condition: no operation has a parameter {parameter!r}."
                )
    return text


def _instant(text: str | None) -> Instant:
    if text is None:
        return SystemClock().now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingError("--at takes a time with its zone, such as 2025-03-01T12:00:00Z.")
    return int(moment.timestamp()) * 1000


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SettingError(f"--param takes NAME=VALUE, not {text!r}.")
    return name, value
