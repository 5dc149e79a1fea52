"""``chatgate settings``: every setting with its range, default, value and where the value comes from."""

from __future__ import annotations

import typer

from chatgate import config as configuration
from chatgate.cli import opening, output


def register(app: typer.Typer) -> None:
    app.command()(settings)


def settings(as_json: opening.AsJson = False, config: opening.Config = None, sets: opening.Set = None) -> None:
    """List the settings."""
    configured = opening.configuration(config, sets)
    rows = [
        {
            "name": row.name, "value": getattr(configured.settings, row.name), "from": configured.sources[row.name],
            "default": row.default, "kind": row.kind, "help": row.help,
        }
        for row in configuration.table()
    ]  # fmt: skip
    output.show(rows, as_json=as_json, empty="")
