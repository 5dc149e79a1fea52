"""``chatgate key`` and ``chatgate user``."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatgate.domain.account import AccessKey
from chatgate.gateway.authenticate import purpose
from chatgate.sealing import KeyRing
from chatgate.store.store import Store
from tests.cli.shell import Shell


@pytest.fixture
def shop(shell: Shell) -> str:
    """An account with a user; the id of the account's own key."""
    made = shell("account", "create", "shop", "--json").json
    assert shell("user", "create", "shop", "alice").out == "alice is a user of shop.\n"
    return str(made["access_key_id"])


def found(shell: Shell, access_key_id: str) -> AccessKey:
    key = shell.in_store(lambda store, _ring: store.find_key(access_key_id))
    assert key is not None
    return key


def listed(shell: Shell) -> dict[str, dict[str, object]]:
    return {row["access_key_id"]: row for row in shell("key", "list", "shop", "--json").json}


def test_a_key_of_a_user(shell: Shell, shop: str) -> None:
    made = shell("key", "create", "shop", "--user", "alice", "--json").json
    assert list(made) == ["account", "access_key_id", "access_key_secret", "user"]
    key = found(shell, made["access_key_id"])
    assert key.user_id is not None
    assert found(shell, shop).user_id is None
    rows = listed(shell)
    assert (rows[shop]["user"], rows[key.access_key_id]["user"]) == (None, "alice")
    assert shell("user", "list", "shop", "--json").json[0]["access_keys"] == key.access_key_id
    assert shell("key", "list", "shop").out.splitlines()[0].split() == [
        "access", "key", "id", "user", "kind", "state", "created", "at", "last", "used", "at",
    ]  # fmt: skip


def test_the_secret_is_shown_once(shell: Shell, shop: str) -> None:
    secret = shell("key", "create", "shop", "--json").json["access_key_secret"]
    for command in (("key", "list", "shop"), ("account", "list"), ("user", "list", "shop")):
        assert secret not in shell(*command).out + shell(*command, "--json").out
    for path in Path(shell.folder).rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes()


def test_rotate(shell: Shell, shop: str) -> None:
    old = shell("key", "create", "shop", "--user", "alice", "--json").json
    new = shell("key", "rotate", old["access_key_id"], "--json").json
    assert (new["account"], new["user"], new["replaces"]) == ("shop", "alice", old["access_key_id"])
    assert new["access_key_secret"] != old["access_key_secret"]
    keys = found(shell, old["access_key_id"]), found(shell, new["access_key_id"])
    assert [key.active for key in keys] == [True, True]
    assert keys[0].user_id == keys[1].user_id

    async def opened(_store: Store, ring: KeyRing) -> str:
        return ring.open(keys[1].sealed, purpose(keys[1].access_key_id)).decode()

    assert shell.in_store(opened) == new["access_key_secret"]


def test_delete_wants_a_disabled_key(shell: Shell, shop: str) -> None:
    assert shell.fails("key", "delete", shop) == f"{shop} is still enabled; disable it first, or say --force."
    shell("key", "disable", shop)
    assert listed(shell)[shop]["state"] == "disabled"
    assert shell("key", "delete", shop).out == f"{shop} is deleted.\n"
    assert listed(shell) == {}
    assert shell("key", "list", "shop").err == "shop has no access key.\n"
    for verb in ("delete", "enable", "rotate"):
        assert shell.fails("key", verb, shop) == f"There is no access key {shop!r}."


def test_last_use_is_listed(shell: Shell, shop: str) -> None:
    assert listed(shell)[shop]["last_used_at"] is None
    shell.in_store(lambda store, _ring: store.note_key_use([(shop, 1_740_830_400_000)]))
    assert listed(shell)[shop]["last_used_at"] == "2025-03-01T12:00:00.000Z"


def test_a_user_with_keys_is_not_deleted(shell: Shell, shop: str) -> None:
    key = shell("key", "create", "shop", "--user", "alice", "--json").json["access_key_id"]
    assert shell.fails("user", "delete", "shop", "alice") == f"alice has access keys; delete them first: {key}."
    shell("key", "delete", key, "--force")
    assert shell("user", "delete", "shop", "alice").out == "alice is deleted.\n"
    assert shell("user", "list", "shop").err == "shop has no user.\n"


USER_NAME = "The name of a user has 1 to 64 letters, digits, dots, hyphens and underscores."

REFUSALS = [
    (("user", "create", "shop", "alice"), "A user named 'alice' exists already."),
    (("user", "create", "shop", "a b"), USER_NAME),
    (("user", "create", "shop", "ä"), USER_NAME),
    (("user", "create", "bank", "alice"), "There is no account 'bank'."),
    (("user", "list", "bank"), "There is no account 'bank'."),
    (("user", "delete", "shop", "bob"), "There is no user 'bob' of the account."),
    (("key", "create", "shop", "--user", "bob"), "There is no user 'bob' of the account."),
    (("key", "list", "bank"), "There is no account 'bank'."),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSALS)
def test_refusals(shell: Shell, shop: str, arguments: tuple[str, ...], sentence: str) -> None:
    assert shell.fails(*arguments) == sentence


def test_an_hmac_key_is_not_rotated_to_an_rsa_key(shell: Shell, shop: str) -> None:
    (shell.folder / "key.pem").write_text("x")
    sentence = "An RSA key is rotated to another one with --rsa, and only that."
    assert shell.fails("key", "rotate", shop, "--rsa", "key.pem") == sentence
