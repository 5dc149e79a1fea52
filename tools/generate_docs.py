"""Writes the pages of ``docs/`` that are printed from the code: errors, settings, the state machine, providers.

``make docs`` writes them; a test fails when one is out of date.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec

from chatgate import config, errors, plugins
from chatgate import providers as providers_package
from chatgate.domain import fallback, routing
from chatgate.domain.lifecycle import RANK, TRANSITIONS, Event
from chatgate.domain.message import Status
from chatgate.operations import send_chatapp_mass_message
from chatgate.operations.base import all_operations
from chatgate.operations.send_chatapp_message import checks
from chatgate.protocol.actions import ACTIONS
from chatgate.providers import base, viber_partner
from chatgate.web.metadata.described import described

DOCS = Path(__file__).parent.parent / "docs"

SOURCES = {
    "page": 'the page "Send Viber messages"',
    "gateway": "Alibaba Cloud's common gateway errors",
    "service": "the CAMS service error codes",
    "ours": "our choice: nothing is documented",
}


def errors_page() -> str:
    """Return ``docs/errors.md``."""
    lines = [
        "# Errors",
        "",
        "Printed from the code (`make docs`). Part of the contract: a code, its HTTP status and the order of checks do not",
        "change without a note in the CHANGELOG.",
        "",
        "HTTP 200 marks a validation code of the service: the call was understood and refused, and `Code` says why. The",
        "setting `validation_status = 400` turns these into HTTP 400. Every refusal with HTTP 4xx or 5xx has `RequestId`,",
        "`HostId`, `Code`, `Message` and `Recommend`; nothing of a refused call is stored, except that its nonce is used up",
        "once it has passed flow control.",
        "",
        "The first fault is answered. The codes of the gateway stand in the order in which they are checked; the parameters of",
        "an operation are checked in the order of the list below the table. A replay over the limit is told the limit.",
        "",
        "| Code | HTTP | Message | When | Source |",
        "|---|---|---|---|---|",
    ]
    for row in errors.CODES:
        code, message = (text.replace("{param}", "<Param>") for text in (row.code, row.message))
        lines.append(f"| `{code}` | {row.http} | {message} | {row.when} | {row.source} |")
    lines += ["", "Sources: " + "; ".join(f"*{name}* is {meaning}" for name, meaning in SOURCES.items()) + ".", ""]
    lines += ["## Order of checks in SendChatappMessage", "", _after_title(checks.__doc__ or ""), ""]
    lines += [
        "## Order of checks in SendChatappMassMessage",
        "",
        _after_title(send_chatapp_mass_message.__doc__ or ""),
        "",
    ]
    lines += [
        "## Delivery codes",
        "",
        "What a message can fail with after it was accepted (`failure`, `why`, reports). Our own: `SenderPaused`, `SenderProhibited`,",
        "`TemplatePaused`, `TemplateProhibited` (by standing), `SRVC_TIMEOUT` (its time to live is over), `UnknownOutcome` (nobody",
        "knows), `Undelivered`, `Quarantined`; with `FallBackRule=sentFailed` also the validation code that the call would have had.",
        "Of attempts: `NotConnected`, `ReplyLost`, `UnreadableReply`, `LeaseRanOut`, `TooLate`, `NoToken`, `Http503` and the like.",
        "",
        "Names of the Viber partner's statuses:",
        "",
        "| Status | Code | Outcome of the attempt |",
        "|---|---|---|",
    ]
    lines += [f"| {number} | `{name}` | {outcome} |" for number, (name, outcome) in viber_partner.STATUSES.items()]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return ``docs/settings.md``."""
    lines = [
        "# Settings",
        "",
        "Printed from the code (`make docs`). Flags come before the environment, the environment before the settings file,",
        "the file before defaults. Every setting has an environment name: `CHATGATE_` and its name in capitals. Any setting",
        "can be given as a flag: `--set NAME=VALUE`. `chatgate settings` shows the values and where each comes from.",
        "",
        "| Name | Values | Default | Meaning |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{row.name}` | {row.kind} | `{row.default}` | {row.help} |" for row in config.table()]
    lines += [
        "",
        "## `[providers.NAME]`",
        "",
        "What else a kind knows is in its module ([providers](providers.md)).",
        "",
    ]
    lines += _fields(base.ProviderSettings)
    lines += [
        "",
        "## `[[routes]]`",
        "",
        "The first route that matches carries a message. What is not given matches everything.",
        "",
    ]
    lines += _fields(routing.Route)
    return "\n".join(lines) + "\n"


def _fields(struct: type[msgspec.Struct]) -> list[str]:
    """Return a table of the fields of a section: their names, defaults and docstrings."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    texts: dict[str, str] = {}
    for before, after in pairwise(getattr(body, "body", [])):
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and isinstance(after, ast.Expr):
            texts[before.target.id] = " ".join(str(ast.literal_eval(after.value)).split())
    lines = ["| Name | Default | Meaning |", "|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        if field.name != "options":
            default = "" if field.required else f"`{field.default}`" if field.default is not msgspec.NODEFAULT else ""
            lines.append(f"| `{field.name}` | {default} | {texts.get(field.name, '')} |")
    return lines


def state_machine_page() -> str:
    """Return ``docs/state-machine.md``."""
    lines = [
        "# The life of a message",
        "",
        "Printed from `chatgate/domain/lifecycle.py` (`make docs`). What is not drawn changes nothing.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> accepted",
    ]
    for source, events in TRANSITIONS.items():
        by_target: dict[Status, list[Event]] = {}
        for event, target in events.items():
            by_target.setdefault(target, []).append(event)
        for target, grouped in by_target.items():
            lines.append(f"    {source} --> {target}: {', '.join(event.replace(':', '') for event in grouped)}")
    ranks = [str(status) for status, rank in sorted(RANK.items(), key=lambda item: item[1]) if rank]
    lines += [
        "```",
        "",
        f"Rank of the states of rest: {' < '.join(ranks)}. A later receipt of a higher rank still wins.",
        "",
        "## Its fallback",
        "",
        "Printed from `chatgate/domain/fallback.py`; `on_status` couples it to the message.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> armed",
    ]
    for state, moves in fallback.TRANSITIONS.items():
        lines += [f"    {state} --> {after}: {what}" for what, after in moves.items()]
    lines += ["```", ""]
    return "\n".join(lines)


def providers_page() -> str:
    """Return ``docs/providers.md``."""
    lines = [
        "# Providers",
        "",
        "Printed from `chatgate/providers/` (`make docs`).",
        "",
        "| Kind | Channels | Module |",
        "|---|---|---|",
    ]
    for name, module in plugins.modules_in(providers_package).items():
        summary = (module.__doc__ or "").split("\n")[0]
        lines.append(f"| `{name}` | {', '.join(sorted(module.CHANNELS))} | {summary} |")
    return "\n".join(lines) + "\n"


def operations_page() -> str:
    """Return ``docs/operations.md``."""
    done = all_operations()
    lines = [
        "# Operations",
        "",
        "Printed from `chatgate/operations/` (`make docs`). Their parameters and answers are what a running server tells:",
        "`/meta/v1/openapi.json` (OpenAPI 3.1) and `/meta/v1/products/cams/versions/2020-06-06/api-docs.json` (Alibaba's",
        "shape), public and without a signature.",
        "",
        "All calls of an account together are at most 250 a second (`calls_per_second`); some operations allow fewer.",
        "",
        "| Operation | What it does | Calls a second |",
        "|---|---|---|",
    ]
    for operation in described(done):
        lines.append(f"| `{operation.name}` | {operation.summary} | {operation.calls_per_second or ''} |")
    others = sorted(ACTIONS - done.keys())
    lines += [
        "",
        "## Of other channels",
        "",
        f"{len(others)} more operations belong to the product. A caller who has proved to be somebody is answered",
        f"`{errors.CHANNEL_NOT_SUPPORTED.code}` for these; any other name is `{errors.ACTION_NOT_FOUND.code}`.",
        "",
        ", ".join(f"`{action}`" for action in others) + ".",
    ]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "operations.md": operations_page,
    "settings.md": settings_page,
    "state-machine.md": state_machine_page,
    "providers.md": providers_page,
}


def _after_title(text: str) -> str:
    return text.split("\n", 1)[1].strip()


def main() -> int:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
