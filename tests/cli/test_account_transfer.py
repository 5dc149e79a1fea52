"""``chatgate account export`` and ``import``."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatgate.cli import passphrase
from chatgate.gateway.authenticate import purpose
from chatgate.sealing import KeyRing
from chatgate.store.store import Store
from tests.cli.shell import Shell

WORDS = "twelve letters and more"


@pytest.fixture
def key(shell: Shell) -> str:
    """The AccessKeyId of an account ``shop``."""
    made = shell("account", "create", "shop", "--space", "s-1", "--json").json
    shell("account", "sender", "shop", "27549")
    shell("user", "create", "shop", "alice")
    shell("callback", "set", "shop", "https://shop.example.com/hook")
    return str(made["access_key_id"])


def exported(shell: Shell, *more: str) -> dict[str, Any]:
    ran = shell("account", "export", "shop", *more)
    assert ran.status == 0, ran.err
    document: dict[str, Any] = json.loads(ran.out)
    return document


def secret_of(shell: Shell, data: str, key: str) -> str:
    ring_of = shell("key", "list", "shop", "--data", data, "--json").json
    assert [row["access_key_id"] for row in ring_of] == [key]

    async def work(store: Store, ring: KeyRing) -> str:
        found = await store.find_key(key)
        assert found is not None
        return ring.open(found.sealed, purpose(key)).decode()

    return shell.in_store(work, data)


def test_without_secrets(shell: Shell, key: str) -> None:
    ran = shell("account", "export", "shop", "--out", "shop.json")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "Its access keys that have a secret are left out; --with-secrets takes them along.\n"
    assert stat.S_IMODE(Path("shop.json").stat().st_mode) == 0o600
    ran = shell("account", "import", "shop.json", "--data", "elsewhere")
    assert ran.out.splitlines() == [
        "shop is there, with 1 spaces, 1 senders, 0 templates, 1 users, 0 policies, 0 access keys, 1 webhooks.",
        "Access keys whose secrets are not in the file were not imported; `chatgate key create` makes new ones.",
        "Its callbacks are signed with a new secret: `chatgate callback secret shop` shows it.",
    ]
    assert shell("account", "export", "shop", "--data", "elsewhere").out == Path("shop.json").read_text()


def test_with_secrets(shell: Shell, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(passphrase.VARIABLE, WORDS)
    shell("account", "export", "shop", "--with-secrets", "--out", "shop.json")
    ran = shell("account", "import", "shop.json", "--data", "elsewhere")
    assert ran.out == (
        "shop is there, with 1 spaces, 1 senders, 0 templates, 1 users, 0 policies, 1 access keys, 1 webhooks.\n"
    )
    own, new = (secret_of(shell, data, key) for data in ("chatgate-data", "elsewhere"))
    assert own == new
    assert own not in Path("shop.json").read_text()
    secrets = [shell("callback", "secret", "shop", "--data", data).out for data in ("chatgate-data", "elsewhere")]
    assert secrets[0] == secrets[1]


def test_a_copy_beside_it(shell: Shell, key: str) -> None:
    shell("account", "export", "shop", "--out", "shop.json")
    assert shell("account", "import", "shop.json", "--name", "copy").status == 0
    assert [row["name"] for row in shell("account", "list", "--json").json] == ["copy", "shop"]
    assert shell.account_id("copy") != shell.account_id("shop")


def test_the_passphrase(shell: Shell, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    no_words = f"A passphrase is needed: set {passphrase.VARIABLE}, or run this in a terminal."
    assert shell.fails("account", "export", "shop", "--with-secrets") == no_words
    monkeypatch.setenv(passphrase.VARIABLE, "short")
    assert shell.fails("account", "export", "shop", "--with-secrets") == "A passphrase has at least 12 characters."
    monkeypatch.setenv(passphrase.VARIABLE, WORDS)
    shell("account", "export", "shop", "--with-secrets", "--out", "shop.json")
    monkeypatch.setenv(passphrase.VARIABLE, WORDS + "!")
    sentence = "The secrets do not open: another passphrase, or the file was changed."
    assert shell.fails("account", "import", "shop.json", "--data", "elsewhere") == sentence
    monkeypatch.setenv(passphrase.VARIABLE, WORDS)
    document = json.loads(Path("shop.json").read_text())
    document["keys"][0]["user"] = "alice"  # so that her policies would limit nobody, or the other way round
    Path("shop.json").write_text(json.dumps(document))
    assert shell.fails("account", "import", "shop.json", "--data", "elsewhere") == sentence
    assert not Path("elsewhere").exists()


def test_nothing_is_overwritten(shell: Shell, key: str) -> None:
    Path("shop.json").write_text("mine")
    assert shell.fails("account", "export", "shop", "--out", "shop.json") == "shop.json exists already."
    assert Path("shop.json").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("export", "nobody"), "There is no account 'nobody'."),
        (("export", "shop", "--out", "no/such/folder"), "no/such/folder cannot be written: No such file or directory."),
        (("import", "shop.json"), "An account named 'shop' exists already."),
        (("import", "shop.json", "--name", ""), "The name of an account has 1 to 64 printable characters."),
    ],
)
def test_refused(shell: Shell, key: str, arguments: tuple[str, ...], sentence: str) -> None:
    shell("account", "export", "shop", "--out", "shop.json")
    ran = shell("account", *arguments)
    assert ran.status == 1
    assert ran.err.splitlines()[-1] == f"chatgate: {sentence}"


def a_policy(text: str) -> list[dict[str, str]]:
    return [{"name": "own", "text": text}]


ALLOW = '{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'

Change = Callable[[dict[str, Any]], object]

BROKEN: list[tuple[Change, str]] = [
    (lambda file: file.update(version=2), "The file has version 2; this chatgate reads version 1."),
    (lambda file: file.update(version=None), "The file has version None; this chatgate reads version 1."),
    (lambda file: file.update(format="x"), "The file is not an account's: its format is another."),
    (lambda file: file.pop("users"),
     "The file is not an account's: Object missing required field `users`."),
    (lambda file: file.update(denied=[]), "The file cannot be taken: denied is not known here."),
    (lambda file: file["spaces"][0].update(limit=5),
     "The file cannot be taken: spaces[0].limit is not known here."),
    (lambda file: file["spaces"][0].update(space_id="a\0b"),
     "The file cannot be taken: spaces[0].space_id holds a NUL character."),
    (lambda file: file["senders"][0].update(standing="x"),
     "The file is not an account's: Invalid enum value 'x' - at `$.senders[0].standing`."),
    (lambda file: file["senders"][0].update(sender="x"),
     "The number and the service id of a sender must be digits."),
    (lambda file: file.update(senders=file["senders"] * 2), "The file names a sender twice: 27549."),
    (lambda file: file["users"][0].update(name="a b"),
     "The name of a user has 1 to 64 letters, digits, dots, hyphens and underscores."),
    (lambda file: file["users"][0].update(policies=["none"]),
     "The file names the policy 'none', which it does not have."),
    (lambda file: file.update(policies=a_policy("{}")),
     'The policy own of the file is wrong: Version must be "1".'),
    (lambda file: file["webhooks"][0].update(url="ftp://x"),
     "A webhook of the file cannot be used: it must begin with https:// (or http://) and name a host."),
    (lambda file: file.update(keys=[
        {"access_key_id": "k", "kind": "hmac", "active": True, "user": None, "public_key": None}
    ]), "The file lacks the secret of the access key k."),
    (lambda file: file.update(keys=[
        {"access_key_id": "k", "kind": "rsa", "active": True, "user": None, "public_key": "x"}
    ]), "The access key k has no RSA public key in the file."),
    (lambda file: file.update(keys=[
        {"access_key_id": "k", "kind": "rsa", "active": True, "user": "eve", "public_key": "x"}
    ]), "The file names the user 'eve', which it does not have."),
    (lambda file: file.update(id="-1"), "The file is not an account's: its id is no number."),
    (lambda file: file.update(blocks=[{"service_id": "1", "recipient": "2", "at": 1 << 63}]),
     "The file cannot be taken: blocks[0].at is too large a number."),
    (lambda file: file.update(calls_per_second=0), "calls_per_second of the file must be from 1 to 100000."),
    (lambda file: file.update(policies=[{"name": "a b", "text": "{}"}]),
     "The name of a policy has 1 to 128 letters, digits and hyphens."),
    (lambda file: file.update(policies=[{"name": "AliyunCamsFullAccess", "text": ALLOW}]),
     "AliyunCamsFullAccess is a system policy."),
    (lambda file: file.update(name=""), "The name of an account has 1 to 64 printable characters."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), BROKEN)
def test_a_wrong_file(shell: Shell, key: str, change: Change, sentence: str) -> None:
    document = exported(shell)
    change(document)
    Path("shop.json").write_text(json.dumps(document))
    assert shell.fails("account", "import", "shop.json", "--data", "elsewhere") == sentence
    if Path("elsewhere").exists():
        assert shell("account", "list", "--data", "elsewhere", "--json").json == []


def test_a_torn_file(shell: Shell, key: str) -> None:
    text = shell("account", "export", "shop").out
    for end in range(0, len(text.rstrip()), 97):
        Path("shop.json").write_text(text[:end])
        assert shell.fails("account", "import", "shop.json", "--data", "elsewhere") == (
            "The file is not whole: it is no JSON."
        )
    assert not Path("elsewhere").exists()


def test_the_form_of_version_1(shell: Shell) -> None:
    """What version 1 is does not change by accident: this file was written by the first chatgate that could."""
    kept = Path(__file__).with_name("account_v1.json")
    assert shell("account", "import", str(kept)).status == 0
    assert shell("account", "export", "shop").out == kept.read_text()
