"""Every sealed value is sealed anew under the current key; on both databases."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

import chatgate
from chatgate.clock import HandClock
from chatgate.domain.account import AccessKey, KeyKind
from chatgate.errors import SettingError
from chatgate.sealing import KeyRing
from chatgate.store.access_keys import KeyDeletion
from chatgate.store.accounts import NewAccount, Possessions
from chatgate.store.endpoints import EndpointChange
from chatgate.store.sealed_values import PLACES, Step
from chatgate.store.store import Store
from tests.store.conftest import RING, Open

OLD, NEW = b"k" * 32, b"n" * 32
BOTH, ONLY_NEW = KeyRing({1: OLD, 2: NEW}), KeyRing({2: NEW})

SECRETS = {f"ak-{number}": f"planted-secret-{number}".encode() for number in range(7)}
CALLBACK = b"planted-callback-secret"


def purpose(place: str, key: object) -> str:
    return "canary" if place == "key ring canary" else f"{place} {key}"


@pytest.fixture
async def store(store: Store) -> Store:
    keys = [
        AccessKey(
            access_key_id=name, account_id=1, kind=KeyKind.HMAC, active=True,
            sealed=RING.seal(secret, purpose("access key secrets", name)),
        )
        for name, secret in SECRETS.items()
    ]  # fmt: skip
    public = AccessKey(access_key_id="rsa", account_id=1, kind=KeyKind.RSA, sealed=b"a public key", active=True)
    endpoint = EndpointChange(
        key=5, account_id=1, sender="", kind="status", url="https://x.example/", batch=1,
        sealed_secret=RING.seal(CALLBACK, purpose("callback secrets", 1)),
    )  # fmt: skip
    await store.create_account(
        NewAccount(
            account_id=1, name="shop", now=100, possessions=Possessions(keys=[*keys, public]), endpoints=[endpoint]
        )
    )
    await store.create_account(NewAccount(account_id=2, name="silent", now=100, possessions=Possessions()))
    return store


async def rewrap(store: Store, ring: KeyRing = BOTH, limit: int = 3) -> int:
    done = 0
    for place in PLACES:
        after = None
        while True:
            step = Step(place=place, ring=ring, purpose=partial(purpose, place), after=after, limit=limit, now=200)
            stepped = await store.rewrap(step)
            done += stepped.renewed
            if stepped.last is None:
                break
            after = stepped.last
    return done


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_everything_opens_with_the_new_key_alone(store: Store, limit: int) -> None:
    assert await store.sealed_by() == {1: 9}
    assert await rewrap(store, limit=limit) == 9
    assert await store.sealed_by() == {2: 9}
    found = {key.access_key_id: key.sealed for key in await store.keys_of(1)}
    assert found.pop("rsa") == b"a public key"
    for name, sealed in found.items():
        assert ONLY_NEW.open(sealed, purpose("access key secrets", name)) == SECRETS[name]
        with pytest.raises(SettingError):
            RING.open(sealed, purpose("access key secrets", name))
    secret = await store.callback_secret(1)
    assert secret is not None
    assert ONLY_NEW.open(secret, purpose("callback secrets", 1)) == CALLBACK


async def test_twice_is_once(store: Store) -> None:
    await rewrap(store)
    before = await store.keys_of(1)
    assert await rewrap(store) == 0
    assert await store.keys_of(1) == before


async def test_the_old_ring_does_not_belong_to_the_database_any_more(store: Store, url: str) -> None:
    await rewrap(store)
    opened = await Store.open(url, clock=HandClock(), key_ring=ONLY_NEW, on_fatal=pytest.fail)
    await opened.close()
    with pytest.raises(SettingError, match="key ring"):
        await Store.open(url, clock=HandClock(), key_ring=RING, on_fatal=pytest.fail)


async def test_other_nodes_read_the_keys_again(store: Store, open_store: Open) -> None:
    other = await open_store()
    await rewrap(store)
    assert {key.access_key_id for key in await other.keys_changed_since(200)} == SECRETS.keys()


async def test_a_deleted_key_has_nothing_to_seal(store: Store) -> None:
    await store.delete_key(KeyDeletion(access_key_id="ak-0", now=150))
    assert await rewrap(store) == 8


async def test_a_ring_that_cannot_open_changes_nothing(store: Store) -> None:
    with pytest.raises(SettingError):
        await rewrap(store, ring=KeyRing({2: NEW}))
    assert await store.sealed_by() == {1: 9}


async def test_when_it_was_done(store: Store) -> None:
    assert await store.rewrapped_at() is None
    for now in (1_740_830_400_000, 1_740_830_400_001):
        await store.note_rewrapped(now)
        assert await store.rewrapped_at() == now


def test_every_place_that_seals_is_known() -> None:
    """Who seals something that is stored must be in ``PLACES``; a new one has to be added there, then here."""
    package = Path(chatgate.__file__).parent
    sealing = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"\.seal\(|\b_seal\(", path.read_text()) and path.name != "sealing.py"
    }
    assert sealing == {
        "cli/account_file.py",  # access keys and the callback secret of an account that is imported
        "cli/commands/callback.py", "cli/key_making.py", "gateway/desk.py", "sandbox/directory.py",
        "store/installation.py", "store/sealed_values.py",
        "gateway/sts.py",  # in the caller's hands, not stored
    }  # fmt: skip
