"""``chatgate sandbox``: everything in one process, against a simulated Viber partner."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from chatgate.errors import SettingError

DEFAULTS = {"CHATGATE_LOG_LEVEL": "warning", "CHATGATE_TEMPLATE_REVIEW": "auto"}
"""What a sandbox has, where its environment says nothing else."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def register(app: typer.Typer) -> None:
    app.command()(sandbox)


def sandbox(
    data: Annotated[str | None, typer.Option(help="Folder for everything; default ./chatgate-data.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; other than loopback needs --open.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; default 8080, 0 takes a free one.")] = None,
    open_to_all: Annotated[bool, typer.Option("--open", help="Allow other machines: they may see everything.")] = False,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error; default warning.")] = None,
) -> None:
    """Run gateway, worker and a simulated Viber partner in one process, with seeded data."""
    from chatgate import telemetry
    from chatgate.config import load
    from chatgate.runtime import process
    from chatgate.runtime.sandbox import Sandbox, banner

    given = {"data": data, "host": host, "port": port, "log_level": log_level}
    flags = {name: value for name, value in given.items() if value is not None}
    # No settings file: it tells of a real installation.
    configured = load(flags, {**DEFAULTS, **_own(os.environ)}, None)
    own_host = configured.settings.host
    if own_host not in LOOPBACK and not open_to_all:
        raise SettingError(f"A sandbox has no sign-in; to let others reach it at {own_host}, say --open.")
    telemetry.configure_logs(level=configured.settings.log_level, as_json=configured.settings.log_format == "json")
    status = process.run(lambda fatal: Sandbox(configured, open_to_all=open_to_all, on_fatal=fatal), banner)
    raise typer.Exit(status)


def _own(environ: os._Environ[str]) -> dict[str, str]:
    """Return the environment without what is meant for a real installation."""
    foreign = {"CHATGATE_DATABASE", "CHATGATE_KEY_RING", "CHATGATE_ROLE", "CHATGATE_TLS_CERT", "CHATGATE_TLS_KEY"}
    return {name: value for name, value in environ.items() if name not in foreign}
