"""``chatgate sts``: temporary credentials. They are shown once and stored nowhere."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from chatgate.cli import opening, output, policy_file
from chatgate.clock import HOUR, MINUTE, SECOND, SystemClock, as_text
from chatgate.errors import SettingError
from chatgate.gateway import sts
from chatgate.gateway.sts import Bearer, Credentials, Wish
from chatgate.sealing import KeyRing
from chatgate.store.store import Store

_duration = re.compile(r"(\d{1,5})([smh])", re.ASCII)
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR}


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Temporary credentials (STS).", no_args_is_help=True, rich_markup_mode=None)
    group.command("issue")(issue)
    app.add_typer(group, name="sts")


def issue(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Name of the account.")],
    user: Annotated[str | None, typer.Option(help="RAM user on whose behalf; none: the account itself.")] = None,
    duration: Annotated[str, typer.Option(help="How long they live: 15m to 12h.")] = "1h",
    policy: Annotated[
        typer.FileBinaryRead | None, typer.Option(help="Policy in JSON: of what the user may, only this much.")
    ] = None,
    mfa: Annotated[bool, typer.Option(help="Somebody proved a second factor (acs:MFAPresent).")] = False,
    bearer: Annotated[bool, typer.Option("--bearer", help="A bearer token instead: it signs nothing.")] = False,
    as_json: opening.AsJson = False,
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
) -> None:
    """Issue temporary credentials: a key, its secret and a security token, or a bearer token. They are shown this
    once."""
    text = None if policy is None else policy_file.text_of(policy)

    async def work(store: Store, ring: KeyRing) -> Credentials | Bearer:
        account_id = await opening.account_id(store, account)
        wish = Wish(
            account_id=account_id, user_id=None if user is None else await opening.user_id(store, account_id, user),
            name=user or account, duration=_milliseconds(duration), mfa=mfa, policy=text,
        )  # fmt: skip
        return (sts.issue_bearer if bearer else sts.issue)(ring, wish, SystemClock().now())

    made = opening.with_store(opening.configuration(config, data=data, database=database), work, only_look=True)
    secrets = {"bearer_token": made.token} if isinstance(made, Bearer) else {
        "access_key_id": made.access_key_id, "access_key_secret": made.secret, "security_token": made.security_token,
    }  # fmt: skip
    output.show_one(
        {"account": account, "user": user, **secrets, "expires_at": as_text(made.expires_at)}, as_json=as_json
    )


def _milliseconds(text: str) -> int:
    parts = _duration.fullmatch(text)
    if parts is None:
        raise SettingError("--duration takes a number and s, m or h, such as 45m.")
    return int(parts[1]) * _UNITS[parts[2]]
