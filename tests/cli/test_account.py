"""``chatgate account`` and ``chatgate key``."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chatgate.domain.account import AccessKey, AccountView, KeyKind, Standing
from chatgate.gateway.authenticate import purpose
from chatgate.sealing import KeyRing
from chatgate.store.store import Store
from tests.cli.shell import Shell


def keys(shell: Shell, name: str = "shop") -> list[AccessKey]:
    account_id = shell.account_id(name)
    return shell.in_store(lambda store, _ring: store.keys_of(account_id))


def view(shell: Shell, name: str = "shop") -> AccountView:
    account_id = shell.account_id(name)
    found = shell.in_store(lambda store, _ring: store.load_view(account_id, 0))
    assert found is not None
    return found


def opened(shell: Shell, key: AccessKey) -> str:
    async def work(_store: Store, ring: KeyRing) -> str:
        return ring.open(key.sealed, purpose(key.access_key_id)).decode()

    return shell.in_store(work)


def test_create_makes_a_key_that_works(shell: Shell) -> None:
    made = shell("account", "create", "shop", "--json").json
    assert list(made) == ["account", "access_key_id", "access_key_secret", "cust_space_id"]
    (key,) = keys(shell)
    assert (made["account"], made["access_key_id"]) == ("shop", key.access_key_id)
    assert (opened(shell, key), key.kind, key.active) == (made["access_key_secret"], KeyKind.HMAC, True)
    assert list(view(shell).spaces) == [made["cust_space_id"]]
    assert view(shell).calls_per_second is None


def test_create_for_people(shell: Shell) -> None:
    ran = shell("account", "create", "shop", "--space", "space-1", "--calls-per-second", "1000")
    lines = [line.split(maxsplit=1) for line in ran.out.splitlines()]
    assert [line[0] for line in lines] == ["account", "access", "access", "cust"]
    assert ran.out.splitlines()[3].endswith("  space-1")
    assert view(shell).calls_per_second == 1000


def test_secrets_are_never_the_same_and_long(shell: Shell) -> None:
    made = [shell("account", "create", f"shop-{n}", "--json").json for n in range(3)]
    assert len({each["access_key_secret"] for each in made}) == 3
    assert all(len(each["access_key_secret"]) == 30 and len(each["access_key_id"]) == 24 for each in made)


def test_a_name_is_taken_once(shell: Shell) -> None:
    shell("account", "create", "shop")
    assert shell.fails("account", "create", "shop") == "An account named 'shop' exists already."
    assert len(shell("account", "list", "--json").json) == 1


@pytest.mark.parametrize("name", ["", "a\x1b[31mb", "two\nlines", "x" * 65, "\u202eshop"])
def test_a_name_is_printable_and_short(shell: Shell, name: str) -> None:
    sentence = shell.fails("account", "create", name)
    assert sentence == "The name of an account has 1 to 64 printable characters."


def test_list(shell: Shell) -> None:
    made = shell("account", "create", "shop", "--json").json
    shell("account", "create", "bank")
    shell("account", "sender", "shop", "27549")
    shell("key", "disable", made["access_key_id"])
    rows = shell("account", "list", "--json").json
    assert [row["name"] for row in rows] == ["bank", "shop"]
    assert rows[1] == {
        "name": "shop", "id": str(shell.account_id("shop")), "subscribed": True,
        "access_keys": f"{made['access_key_id']} (disabled)", "spaces": made["cust_space_id"],
        "senders": "27549 (approved)",
    }  # fmt: skip
    table = shell("account", "list").out.splitlines()
    assert table[0].split() == ["name", "id", "subscribed", "access", "keys", "spaces", "senders"]
    assert table[2].startswith("shop")


def test_list_of_nothing(shell: Shell) -> None:
    shell("migrate")
    ran = shell("account", "list")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "There is no account yet; `chatgate account create NAME` makes one.\n"
    assert shell("account", "list", "--json").json == []


def test_sender(shell: Shell) -> None:
    shell("account", "create", "shop")
    assert shell("account", "sender", "shop", "27549").out == "27549 is a sender of shop (approved).\n"
    sender = view(shell).senders["27549"]
    assert (sender.channel, sender.service_id, sender.standing) == ("viber", "27549", Standing.APPROVED)
    shell("account", "sender", "shop", "27549", "--service-id", "3100", "--standing", "paused")
    sender = view(shell).senders["27549"]
    assert (sender.service_id, sender.standing) == ("3100", Standing.PAUSED)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nobody", "27549"), "There is no account 'nobody'."),
        (("shop", "+27549"), "The number and the service id must be digits."),
        (("shop", "٣٤"), "The number and the service id must be digits."),
        (("shop", "1", "--service-id", "x"), "The number and the service id must be digits."),
        (
            ("shop", "1", "--standing", "good"),
            "--standing must be one of pending, approved, paused, prohibited, rejected.",
        ),
    ],
)
def test_sender_refusals(shell: Shell, arguments: tuple[str, ...], sentence: str) -> None:
    shell("account", "create", "shop")
    assert shell.fails("account", "sender", *arguments) == sentence
    assert view(shell).senders == {}


def test_one_more_key(shell: Shell) -> None:
    first = shell("account", "create", "shop", "--json").json
    second = shell("key", "create", "shop", "--json").json
    assert {key.access_key_id for key in keys(shell)} == {first["access_key_id"], second["access_key_id"]}
    by_id = {key.access_key_id: key for key in keys(shell)}
    assert opened(shell, by_id[second["access_key_id"]]) == second["access_key_secret"]


def test_rsa_key(shell: Shell) -> None:
    shell("account", "create", "shop")
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (shell.folder / "key.pem").write_bytes(pem)
    made = shell("key", "create", "shop", "--rsa", "key.pem", "--json").json
    assert made["access_key_secret"] is None
    (key,) = [key for key in keys(shell) if key.kind is KeyKind.RSA]
    assert (key.access_key_id, key.sealed) == (made["access_key_id"], pem)
    assert "secret" not in shell("key", "create", "shop", "--rsa", "key.pem").out


def test_a_file_that_is_no_rsa_key(shell: Shell) -> None:
    shell("account", "create", "shop")
    (shell.folder / "key.pem").write_bytes(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
    assert shell.fails("key", "create", "shop", "--rsa", "key.pem") == "--rsa needs a PEM file with an RSA public key."


def test_disable_and_enable(shell: Shell) -> None:
    key_id = shell("account", "create", "shop", "--json").json["access_key_id"]
    assert shell("key", "disable", key_id).out == f"{key_id} is disabled.\n"
    assert [key.active for key in keys(shell)] == [False]
    assert shell("key", "enable", key_id).out == f"{key_id} is enabled.\n"
    assert [key.active for key in keys(shell)] == [True]
    for verb in ("disable", "enable"):
        assert shell.fails("key", verb, "LTAI\x1b") == "There is no access key 'LTAI\\x1b'."


def test_keys_of_nobody(shell: Shell) -> None:
    shell("migrate")
    assert shell.fails("key", "create", "nobody") == "There is no account 'nobody'."
