"""RAM in the store: users, policies, attachments; on both databases."""

from __future__ import annotations

import json

import pytest

from chatgate.clock import HandClock
from chatgate.domain.account import AccessKey, AccountView, KeyKind
from chatgate.errors import NameTaken, NotFound
from chatgate.store.access_keys import KeyDeletion
from chatgate.store.accounts import Gift, NewAccount, Possessions
from chatgate.store.ram import Attachment, GonePolicy, GoneUser, InUse, NewUser, PolicyText
from chatgate.store.store import Store
from tests.store.conftest import Open, Tamper

SHOP, BANK, ALICE, BOB = 1, 2, 11, 12

TEXT = json.dumps({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "cams:Send*", "Resource": "*"}]})
OTHER = TEXT.replace("Allow", "Deny")


@pytest.fixture
async def store(store: Store) -> Store:
    for account_id, name in ((SHOP, "shop"), (BANK, "bank")):
        await store.create_account(NewAccount(account_id=account_id, name=name, now=1, possessions=Possessions()))
    return store


async def user(store: Store, user_id: int = ALICE, name: str = "alice", account_id: int = SHOP, now: int = 2) -> None:
    await store.create_user(NewUser(account_id=account_id, user_id=user_id, name=name, now=now))


async def policy(store: Store, name: str = "send", text: str = TEXT, account_id: int = SHOP, **more: bool) -> None:
    await store.put_policy(PolicyText(account_id=account_id, name=name, text=text, now=3, **more))


async def attach(store: Store, name: str = "send", attached: bool = True, now: int = 4, account_id: int = SHOP) -> None:
    await store.attach_policy(Attachment(account_id=account_id, user="alice", policy=name, attached=attached, now=now))


async def view(store: Store, account_id: int = SHOP) -> AccountView:
    found = await store.load_view(account_id, 0)
    assert found is not None
    return found


async def policies(store: Store, user_id: int = ALICE, account_id: int = SHOP) -> list[str]:
    return [policy.name for policy in (await view(store, account_id)).users[user_id].policies]


async def test_an_account_without_users(store: Store) -> None:
    assert (await view(store)).users == {}


async def test_a_new_user_has_no_policy(store: Store) -> None:
    await user(store)
    (alice,) = (await view(store)).users.values()
    assert (alice.user_id, alice.name, alice.policies) == (ALICE, "alice", ())


async def test_policies_are_ready_to_be_asked(store: Store) -> None:
    await user(store)
    await user(store, BOB, "bob")
    await policy(store)
    for name in ("send", "AliyunCamsReadOnlyAccess"):
        await attach(store, name)
    assert await policies(store) == ["AliyunCamsReadOnlyAccess", "send"]
    assert await policies(store, BOB) == []
    assert [one.effect for one in (await view(store)).users[ALICE].policies[1].statements] == ["Allow"]


async def test_twice_is_once(store: Store) -> None:
    await user(store)
    await policy(store)
    await attach(store)
    await attach(store)
    assert await policies(store) == ["send"]
    await attach(store, attached=False)
    assert await policies(store) == []
    with pytest.raises(NotFound, match="send is not attached to alice"):
        await attach(store, attached=False)


async def test_detached_from_one_user_only(store: Store) -> None:
    await user(store)
    await user(store, BOB, "bob")
    await policy(store)
    for name in ("alice", "bob"):
        await store.attach_policy(Attachment(account_id=SHOP, user=name, policy="send", attached=True, now=4))
    await attach(store, attached=False)
    assert (await policies(store), await policies(store, BOB)) == ([], ["send"])


async def test_accounts_are_apart(store: Store) -> None:
    """Names may be the same; nothing of one account is seen, attached or deleted from another."""
    await user(store)
    await user(store, BOB, "alice", BANK)
    await policy(store, text=OTHER, account_id=BANK)
    await attach(store, account_id=BANK)
    with pytest.raises(NotFound, match="There is no policy 'send'"):
        await attach(store)
    assert await policies(store, BOB, BANK) == ["send"]
    assert await policies(store) == []
    await store.delete_user(GoneUser(account_id=SHOP, name="alice", now=5))
    assert await policies(store, BOB, BANK) == ["send"]


async def test_names_are_taken(store: Store) -> None:
    await user(store)
    await policy(store)
    with pytest.raises(NameTaken, match="A user named 'alice' exists already"):
        await user(store, BOB)
    with pytest.raises(NameTaken, match="A policy named 'send' exists already; --replace changes it"):
        await policy(store, text=OTHER)
    with pytest.raises(NameTaken, match="AliyunCamsFullAccess is a system policy"):
        await policy(store, "AliyunCamsFullAccess", replace=True)
    assert await store.policy_text(SHOP, "send") == TEXT


async def test_a_policy_is_replaced(store: Store) -> None:
    await user(store)
    await policy(store)
    await attach(store)
    await policy(store, text=OTHER, replace=True)
    (ready,) = (await view(store)).users[ALICE].policies
    assert [one.effect for one in ready.statements] == ["Deny"]
    (row,) = await store.list_policies(SHOP)
    assert (row.name, row.text) == ("send", OTHER)


async def test_what_is_in_use_is_not_deleted(store: Store) -> None:
    await user(store)
    await policy(store)
    await attach(store)
    key = AccessKey(access_key_id="k-1", account_id=SHOP, kind=KeyKind.HMAC, sealed=b"s", active=True, user_id=ALICE)
    await store.give(Gift(account_id=SHOP, now=5, possessions=Possessions(keys=[key])))
    with pytest.raises(InUse, match="send is attached to alice; detach it first"):
        await store.delete_policy(GonePolicy(account_id=SHOP, name="send", now=6))
    with pytest.raises(InUse, match="alice has access keys; delete them first: k-1"):
        await store.delete_user(GoneUser(account_id=SHOP, name="alice", now=6))
    assert await store.delete_key(KeyDeletion(access_key_id="k-1", now=7))
    await store.delete_user(GoneUser(account_id=SHOP, name="alice", now=8))
    await store.delete_policy(GonePolicy(account_id=SHOP, name="send", now=9))
    assert (await view(store)).users == {}
    assert await store.list_policies(SHOP) == []


async def test_what_does_not_exist(store: Store) -> None:
    with pytest.raises(NotFound, match="There is no user 'alice'"):
        await attach(store)
    with pytest.raises(NotFound, match="There is no user 'alice'"):
        await store.delete_user(GoneUser(account_id=SHOP, name="alice", now=5))
    with pytest.raises(NotFound, match="There is no policy 'send'"):
        await store.delete_policy(GonePolicy(account_id=SHOP, name="send", now=5))
    with pytest.raises(NotFound, match="There is no such account"):
        await user(store, account_id=99)
    key = AccessKey(access_key_id="k", account_id=SHOP, kind=KeyKind.HMAC, sealed=b"s", active=True, user_id=99)
    with pytest.raises(NotFound, match="There is no such user"):
        await store.give(Gift(account_id=SHOP, now=5, possessions=Possessions(keys=[key])))


async def test_a_key_of_another_accounts_user(store: Store) -> None:
    await user(store)
    key = AccessKey(access_key_id="k", account_id=BANK, kind=KeyKind.HMAC, sealed=b"s", active=True, user_id=ALICE)
    with pytest.raises(NotFound, match="There is no such user"):
        await store.give(Gift(account_id=BANK, now=5, possessions=Possessions(keys=[key])))


async def test_every_change_is_seen_by_other_nodes(store: Store, open_store: Open, clock: HandClock) -> None:
    other = await open_store()
    await user(store, now=100)
    assert await other.accounts_changed_since(100) == [SHOP]
    await policy(store)
    await attach(store, now=200)
    assert await other.accounts_changed_since(200) == [SHOP]
    await attach(store, attached=False, now=300)
    assert await other.accounts_changed_since(300) == [SHOP]
    await store.put_policy(PolicyText(account_id=SHOP, name="send", text=OTHER, now=400, replace=True))
    assert await other.accounts_changed_since(400) == [SHOP]
    await store.delete_policy(GonePolicy(account_id=SHOP, name="send", now=500))
    assert await other.accounts_changed_since(500) == [SHOP]
    await store.delete_user(GoneUser(account_id=SHOP, name="alice", now=600))
    assert await other.accounts_changed_since(600) == [SHOP]
    assert await other.accounts_changed_since(601) == []


@pytest.mark.parametrize("damage", ["UPDATE ram_policies SET text = 'torn'", "DELETE FROM ram_policies"])
async def test_a_policy_that_cannot_be_read_denies(store: Store, tamper: Tamper, damage: str) -> None:
    await user(store)
    await policy(store)
    await attach(store)
    tamper(damage)
    (ready,) = (await view(store)).users[ALICE].policies
    assert ready.name == "send (which cannot be read)"
    assert [one.effect for one in ready.statements] == ["Deny"]
