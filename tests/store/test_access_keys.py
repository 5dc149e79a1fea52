"""Access keys in the store: whose they are, their deletion, their last use; on both databases."""

from __future__ import annotations

import pytest

from chatgate.domain.account import AccessKey, KeyKind
from chatgate.errors import NameTaken
from chatgate.store.access_keys import KeyDeletion, KeySwitch
from chatgate.store.accounts import Gift, NewAccount, Possessions
from chatgate.store.ram import NewUser
from chatgate.store.store import Store

ALICE = 11


def key(access_key_id: str, user_id: int | None = None) -> AccessKey:
    return AccessKey(
        access_key_id=access_key_id, account_id=1, kind=KeyKind.HMAC, sealed=b"sealed", active=True, user_id=user_id
    )


@pytest.fixture
async def store(store: Store) -> Store:
    own = Possessions(keys=[key("own")])
    await store.create_account(NewAccount(account_id=1, name="shop", now=100, possessions=own))
    await store.create_user(NewUser(account_id=1, user_id=ALICE, name="alice", now=100))
    await store.give(Gift(account_id=1, now=101, possessions=Possessions(keys=[key("hers", ALICE)])))
    return store


async def test_a_key_knows_its_owner(store: Store) -> None:
    assert await store.keys_of(1) == [key("own"), key("hers", ALICE)]
    assert await store.find_key("hers") == key("hers", ALICE)
    assert [(row.access_key_id, row.user_name) for row in await store.list_keys(1)] == [
        ("own", None),
        ("hers", "alice"),
    ]


async def test_a_deleted_key_is_gone_with_its_secret(store: Store) -> None:
    assert await store.delete_key(KeyDeletion(access_key_id="hers", now=200))
    assert not await store.delete_key(KeyDeletion(access_key_id="hers", now=300))
    assert not await store.switch_key(KeySwitch(access_key_id="hers", active=True, now=300))
    assert await store.find_key("hers") is None
    assert await store.keys_of(1) == [key("own")]
    (gone,) = await store.keys_changed_since(200)
    assert (gone.access_key_id, gone.deleted, gone.active, gone.sealed) == ("hers", True, False, b"")


async def test_a_deleted_key_is_never_made_again(store: Store) -> None:
    """Whoever still has its id must not find that it means somebody else's key."""
    await store.delete_key(KeyDeletion(access_key_id="hers", now=200))
    with pytest.raises(NameTaken):
        await store.give(Gift(account_id=1, now=300, possessions=Possessions(keys=[key("hers", ALICE)])))


async def test_last_use_only_goes_forward(store: Store) -> None:
    async def used() -> dict[str, int | None]:
        return {row.access_key_id: row.last_used_at for row in await store.list_keys(1)}

    assert await used() == {"own": None, "hers": None}
    await store.note_key_use([("own", 500), ("hers", 600), ("nobody", 600)])
    assert await used() == {"own": 500, "hers": 600}
    await store.note_key_use([("own", 400), ("hers", 700)])  # another node's, which were noted earlier
    assert await used() == {"own": 500, "hers": 700}


async def test_last_use_is_no_change(store: Store) -> None:
    """Else every node would read every key again, once a minute."""
    await store.note_key_use([("own", 5_000)])
    assert await store.keys_changed_since(200) == []
    assert await store.accounts_changed_since(200) == []
