"""``chatgate simulate``: a simulated partner or SMS centre by itself, for an installation that is to send to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    simulate = typer.Typer(help="Simulated partners, each by itself.", no_args_is_help=True, rich_markup_mode=None)
    simulate.command("viber")(viber)
    simulate.command("sms")(sms)
    app.add_typer(simulate, name="simulate")


def viber(
    host: Annotated[
        str, typer.Option(help="Address to listen on; what looks inside answers loopback only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8090,
    journal: Annotated[
        Path | None, typer.Option(help="File that keeps what it knows over a restart; default: nothing is kept.")
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(help="Where receipts go: https://YOUR-HOST/receipts/NAME/SECRET; default: nowhere.")
    ] = None,
) -> None:
    """Run a simulated Viber partner. Any service id is taken, and known from its first use on."""
    from chatgate import telemetry
    from chatgate.runtime import process
    from chatgate.runtime.simulator import ViberSimulator, viber_banner

    telemetry.configure_logs(level="warning", as_json=False)

    def build(_on_fatal: object) -> ViberSimulator:
        return ViberSimulator(host=host, port=port, journal=journal, callback_url=callback_url)

    raise typer.Exit(process.run(build, viber_banner))


def sms(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 2775,
    journal: Annotated[
        Path | None, typer.Option(help="File that keeps what it knows over a restart; default: nothing is kept.")
    ] = None,
) -> None:
    """Run a simulated SMS centre (SMPP 3.4). Everybody who binds is let in."""
    from chatgate import telemetry
    from chatgate.runtime import process
    from chatgate.runtime.simulator import SmsSimulator, sms_banner

    telemetry.configure_logs(level="warning", as_json=False)
    raise typer.Exit(process.run(lambda _fatal: SmsSimulator(host=host, port=port, journal=journal), sms_banner))
