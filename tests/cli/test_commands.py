"""The commands that look at no message, and what is true of all of them."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from chatgate.config import table
from tests.cli.shell import Shell

COMMANDS = [
    ("account",), ("account", "create"), ("account", "list"), ("account", "sender"), ("account", "subscribe"),
    ("account", "export"), ("account", "import"),
    ("account", "unsubscribe"), ("callback",), ("callback", "list"), ("callback", "replay"), ("callback", "secret"),
    ("callback", "set"), ("fallback",), ("fallback", "drop"), ("fallback", "held"), ("fallback", "release"),
    ("fallback-policy",), ("fallback-policy", "set"), ("key",), ("key", "create"), ("key", "delete"),
    ("key", "disable"), ("key", "enable"), ("key", "list"), ("key", "rotate"), ("key-ring",), ("key-ring", "add"),
    ("key-ring", "drop"), ("key-ring", "list"), ("key-ring", "rewrap"), ("key-ring", "rotate"), ("message",),
    ("message", "list"), ("message", "show"), ("migrate",), ("policy",), ("policy", "attach"), ("policy", "create"),
    ("policy", "delete"), ("policy", "detach"), ("policy", "list"), ("policy", "show"), ("policy", "simulate"),
    ("sandbox",), ("serve",), ("settings",), ("simulate",), ("simulate", "viber"), ("simulate", "sms"), ("space",),
    ("space", "set"), ("sts",), ("sts", "issue"), ("user",), ("user", "create"), ("user", "delete"), ("user", "list"),
    ("why",),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(shell: Shell, command: tuple[str, ...]) -> None:
    ran = shell(*command, "--help")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: chatgate {' '.join(command)} ")


def test_help_names_every_command(shell: Shell) -> None:
    out = shell("--help").out
    assert [name for (name, *_) in COMMANDS if name not in out] == []


@pytest.mark.parametrize(
    "arguments", [("fly",), ("--fly",), ("account", "fly"), ("message", "list", "--limit", "0"), ("why",)]
)
def test_a_wrong_call_is_told_on_stderr(shell: Shell, arguments: tuple[str, ...]) -> None:
    ran = shell(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines()[-1].startswith("Error: ")


# --- settings --------------------------------------------------------------------------------------------------------


def test_version(shell: Shell) -> None:
    ran = shell("--version")
    assert (ran.status, ran.out) == (0, f"chatgate {version('chatgate')}\n")


def test_settings(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    (shell.folder / "chatgate.toml").write_text("port = 1\ndrain_seconds = 2\ncalls_per_second = 3")
    monkeypatch.setenv("CHATGATE_DRAIN_SECONDS", "4")
    monkeypatch.setenv("CHATGATE_CALLS_PER_SECOND", "5")
    rows = {row["name"]: row for row in shell("settings", "--set", "calls_per_second=6", "--json").json}
    assert list(rows) == [row.name for row in table()]
    told = {name: (row["value"], row["from"]) for name, row in rows.items()}
    assert told["port"] == (1, "file")
    assert told["drain_seconds"] == (4, "environment")
    assert told["calls_per_second"] == (6, "flag")
    assert told["default_ttl"] == (120, "default")
    assert shell("settings").out.splitlines()[0].split() == ["name", "value", "from", "default", "kind", "help"]


def test_settings_of_another_file(shell: Shell) -> None:
    (shell.folder / "chatgate.toml").write_text("port = 1")
    (shell.folder / "other.toml").write_text("port = 2")
    rows = {row["name"]: row for row in shell("settings", "--config", "other.toml", "--json").json}
    assert rows["port"]["value"] == 2


def test_a_wrong_setting_stops_every_command(shell: Shell) -> None:
    (shell.folder / "chatgate.toml").write_text("prot = 1")
    for command in (("settings",), ("serve",), ("migrate",), ("account", "list"), ("message", "list")):
        assert shell.fails(*command).startswith("There is no setting 'prot' (the settings file)")
    assert shell.fails("settings", "--config", "none.toml").startswith("The settings file none.toml cannot be read")


def test_set_takes_pairs(shell: Shell) -> None:
    assert shell.fails("settings", "--set", "port") == "--set takes NAME=VALUE, not 'port'."
    assert shell("settings", "--set", "database=sqlite:///a=b", "--json").json[1]["value"] == "sqlite:///a=b"


# --- the database ----------------------------------------------------------------------------------------------------


def test_migrate(shell: Shell) -> None:
    for _ in range(2):
        assert shell("migrate").out == "The database has this version's schema.\n"
    assert (shell.folder / "chatgate-data" / "chatgate.db").exists()
    assert (shell.folder / "chatgate-data" / "key-ring").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "command", [("account", "list"), ("message", "list"), ("why", "0" * 24), ("key", "enable", "x")]
)
def test_looking_makes_no_database(shell: Shell, command: tuple[str, ...]) -> None:
    sentence = shell.fails(*command)
    assert sentence == "There is no database in chatgate-data; start the server first, or say --data or --database."
    assert list(shell.folder.iterdir()) == []


def test_data_and_database_say_where(shell: Shell) -> None:
    shell("migrate", "--data", "elsewhere")
    assert (shell.folder / "elsewhere" / "chatgate.db").exists()
    assert shell("account", "list", "--data", "elsewhere", "--json").json == []
    shell("migrate", "--database", "sqlite:///by-address.db")
    assert (shell.folder / "by-address.db").exists()
    assert shell("account", "list", "--database", "sqlite:///by-address.db", "--json").json == []


def _no_database(folder: Path) -> None:
    (folder / "text.db").write_text("this is no database, whatever its name says" * 100)


# Arguments, what is done before ▶ how the sentence begins.
UNUSABLE = {
    "no such scheme": (("migrate", "--database", "mysql://h/d"), "The database 'mysql' is not supported"),
    "no address": (("migrate", "--database", "nonsense"), "The database address is not understood"),
    "no server": (("migrate", "--database", "postgresql://u:hidden@127.0.0.1:1/d"), "The database cannot be opened: "),
    "no folder": (("migrate", "--database", "sqlite:////nowhere/x.db"), "The database cannot be opened: "),
    "no database": (("account", "list", "--database", "sqlite:///text.db"), "The database cannot be opened: "),
    "a file": (("migrate", "--data", "text.db"), "text.db cannot be used: "),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_database_that_cannot_be_used(shell: Shell, case: str) -> None:
    _no_database(shell.folder)
    arguments, beginning = UNUSABLE[case]
    sentence = shell.fails(*arguments)
    assert sentence.startswith(beginning)
    assert "hidden" not in sentence


def test_the_key_ring_of_another_database(shell: Shell) -> None:
    shell("migrate")
    ring = shell.folder / "chatgate-data" / "key-ring"
    ring.rename(shell.folder / "mine")
    assert shell.fails("account", "list").startswith("The key ring chatgate-data/key-ring is missing")
    assert not ring.exists()
    shell("migrate", "--data", "elsewhere")
    (shell.folder / "elsewhere" / "key-ring").rename(ring)
    assert "another one" in shell.fails("account", "list")


# --- commands that run for long: what they refuse before they start ---------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "beginning"),
    [
        (("serve",), "No route carries the channel viber"),
        (("serve", "--redis", "redis://h"), "--redis is not built yet"),
        (("serve", "--port", "70000"), "setting port: Expected `int` <= 65535."),
        (("serve", "--role", "boss"), "setting role: Invalid enum value 'boss'."),
        (("serve", "--tls-cert", "c.pem"), "tls_cert and tls_key go together"),
        (("sandbox", "--host", "0.0.0.0"), "A sandbox has no sign-in; to let others reach it at 0.0.0.0, say --open."),
        (("sandbox", "--log-level", "loud"), "setting log_level: Invalid enum value 'loud'."),
    ],
)
def test_what_is_refused_before_the_start(shell: Shell, arguments: tuple[str, ...], beginning: str) -> None:
    sentence = shell.fails(*arguments)
    assert sentence.startswith(beginning)
    assert sentence.endswith(".")
