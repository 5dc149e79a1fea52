"""``chatgate fallback-policy`` and ``chatgate space``: fallback policies, and the settings of spaces.

What is not said stays as it is; what does not exist yet is made, with the defaults of ``domain.account``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
import typer

from chatgate.cli import opening
from chatgate.clock import SystemClock
from chatgate.config import Configuration
from chatgate.domain.account import AccountView, FallbackPolicy, Space
from chatgate.errors import NotFound, SettingError
from chatgate.sealing import KeyRing
from chatgate.store.accounts import Gift, Possessions
from chatgate.store.store import Store

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Name of the account.")]
Flag = bool | None


def register(app: typer.Typer) -> None:
    policy = typer.Typer(help="Fallback policies: which SMS follows.", no_args_is_help=True, rich_markup_mode=None)
    policy.command("set")(set_policy)
    space = typer.Typer(help="Spaces.", no_args_is_help=True, rich_markup_mode=None)
    space.command("set")(set_space)
    app.add_typer(policy, name="fallback-policy")
    app.add_typer(space, name="space")


def set_policy(
    account: Account,
    policy_id: Annotated[str, typer.Argument(metavar="POLICY_ID", help="FallBackId of the calls.")],
    sms_sender: Annotated[str | None, typer.Option(help="From whom the SMS is; needed for a new policy.")] = None,
    lane: Annotated[str | None, typer.Option(help="Provider that carries its SMS; empty: as the routes say.")] = None,
    enabled: Annotated[Flag, typer.Option("--enable/--disable", help="Whether calls may name it.")] = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Make or change a fallback policy."""
    configured = opening.configuration(config, data=data, database=database)
    if lane and lane not in configured.providers:
        raise SettingError(f"There is no [providers.{lane}] in the settings.")

    def changed(view: AccountView) -> Possessions:
        old = view.policies.get(policy_id)
        if old is None:
            if sms_sender is None:
                raise SettingError(f"{policy_id} is a new policy; it needs --sms-sender.")
            old = FallbackPolicy(policy_id=policy_id, name=policy_id, sms_sender=sms_sender)
        said = _said(sms_sender=sms_sender, enabled=enabled)
        if lane is not None:
            said["lane"] = lane or None
        return Possessions(policies=[msgspec.structs.replace(old, **said)])

    _change(configured, account, changed)
    print(f"{policy_id} is a fallback policy of {account}.")


def set_space(
    account: Account,
    space_id: Annotated[str, typer.Argument(metavar="SPACE_ID", help="CustSpaceId of the calls.")],
    retry_by_task: Annotated[Flag, typer.Option(help="TaskId and To make a call a repeated one, for a day.")] = None,
    clamp_ttl: Annotated[Flag, typer.Option(help="Cut a Ttl that is longer than FallBackDuration.")] = None,
    sms_consent: Annotated[Flag, typer.Option(help="Recipients agreed to SMS, even who blocked the sender.")] = None,
    video_button_action: Annotated[Flag, typer.Option(help="Allow action in text_video_button.")] = None,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Make a space, or change its settings."""
    said = _said(
        retry_by_task=retry_by_task, clamp_ttl=clamp_ttl, sms_consent=sms_consent,
        video_button_action=video_button_action,
    )  # fmt: skip

    def changed(view: AccountView) -> Possessions:
        old = view.spaces.get(space_id) or Space(space_id=space_id)
        return Possessions(spaces=[msgspec.structs.replace(old, **said)])

    _change(opening.configuration(config, data=data, database=database), account, changed)
    print(f"{space_id} is a space of {account}.")


def _said(**options: object) -> dict[str, object]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _change(configured: Configuration, account: str, changed: Callable[[AccountView], Possessions]) -> None:
    async def work(store: Store, _ring: KeyRing) -> None:
        account_id = await opening.account_id(store, account)
        view = await store.load_view(account_id, 0)
        if view is None:
            raise NotFound(f"There is no account {account!r}.")
        await store.give(Gift(account_id=account_id, now=SystemClock().now(), possessions=changed(view)))

    opening.with_store(configured, work)
