"""``chatgate``: one subcommand a module in ``cli.commands``; errors are one clear sentence and a non-zero exit."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated

import typer

from chatgate import plugins
from chatgate.cli import commands, output
from chatgate.errors import ChatgateError


def build() -> typer.Typer:
    """Return the command line with every command of the folder."""
    app = typer.Typer(
        name="chatgate", help="An open, self-hosted Chat App Message Service.", no_args_is_help=True,
        add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    )  # fmt: skip

    @app.callback()
    def options(version: _Version = False) -> None: ...

    for module in plugins.modules_in(commands).values():
        module.register(app)
    return app


def _version(asked: bool) -> None:
    if asked:
        print(f"chatgate {metadata.version('chatgate')}")
        raise typer.Exit


_Version = Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which this is.")]


def main() -> None:
    try:
        build()()
    except ChatgateError as error:
        sentence = " ".join(str(error).split())
        print(f"chatgate: {output.plain(sentence)}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
