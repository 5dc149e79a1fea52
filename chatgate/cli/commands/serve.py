"""``chatgate serve``: the real thing. No seeds, no simulators, no default credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chatgate.cli import opening
from chatgate.errors import SettingError


def register(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    config: opening.Config = None,
    data: opening.Data = None,
    database: opening.Database = None,
    redis: Annotated[str | None, typer.Option(help="Shared limits of several nodes; not built yet.")] = None,
    role: Annotated[str | None, typer.Option(help="all, api or worker.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain in PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key in PEM.")] = None,
    sets: opening.Set = None,
) -> None:
    """Run a node."""
    if redis is not None:
        raise SettingError("--redis is not built yet: limits are kept by each process for itself.")
    from chatgate import telemetry
    from chatgate.runtime import process
    from chatgate.runtime.service import Node

    configured = opening.configuration(
        config, sets, will_send=True, data=data, database=database, role=role, host=host, port=port,
        tls_cert=None if tls_cert is None else str(tls_cert), tls_key=None if tls_key is None else str(tls_key),
    )  # fmt: skip
    if not any(route.channel == "viber" for route in configured.routes):
        raise SettingError(
            "No route carries the channel viber: the settings file needs a [providers.NAME] section and a [[routes]] "
            "section (README, Going live)."
        )
    telemetry.configure_logs(level=configured.settings.log_level, as_json=configured.settings.log_format == "json")
    raise typer.Exit(process.run(lambda fatal: Node(configured, on_fatal=fatal)))
