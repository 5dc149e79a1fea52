"""``chatgate template``: what accounts may send as templates, who allowed it, and the linter.

``reading`` looks, ``writing`` makes, changes and deletes, ``judging`` is review by the operator.
"""

from __future__ import annotations

import typer

from chatgate.cli.commands.template import judging, reading, writing
from chatgate.domain.review import Decision

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Templates, and their review.", no_args_is_help=True, rich_markup_mode=None)
    group.command("lint")(writing.lint)
    group.command("list")(reading.list_templates)
    group.command("show")(reading.show)
    group.command("metric")(reading.metric)
    group.command("create")(writing.create)
    group.command("modify")(writing.modify)
    group.command("delete")(writing.delete)
    for decision in Decision:
        group.command(decision.value, help=judging.HELP[decision])(judging.command(decision))
    group.command("release")(judging.release)
    app.add_typer(group, name="template")
