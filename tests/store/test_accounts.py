from __future__ import annotations

import asyncio

import msgspec
import pytest

from chatgate.clock import HandClock
from chatgate.domain.account import AccessKey, FallbackPolicy, KeyKind, Sender, Space, Standing, Template
from chatgate.errors import NameTaken, NotFound
from chatgate.store.access_keys import KeySwitch
from chatgate.store.accounts import Gift, NewAccount, Possessions
from chatgate.store.endpoints import EndpointChange
from chatgate.store.store import Store
from tests.store.conftest import Open


def key(access_key_id: str, account_id: int, sealed: bytes = b"\0sealed\xff") -> AccessKey:
    return AccessKey(access_key_id=access_key_id, account_id=account_id, kind=KeyKind.HMAC, sealed=sealed, active=True)


SPACE = Space(space_id="282514865123580001", retry_by_task=True)
SENDER = Sender(sender="27549", channel="viber", service_id="service-1", standing=Standing.APPROVED)
TEMPLATE = Template(template_code="t1", language="en", name="order", body="Hello $(name)", standing=Standing.APPROVED)
POLICY = FallbackPolicy(policy_id="S_000001", name="SMS", sms_sender="Shop")
ALL = Possessions(keys=[key("ak-1", 1)], spaces=[SPACE], senders=[SENDER], templates=[TEMPLATE], policies=[POLICY])


def account(account_id: int, name: str, possessions: Possessions | None = None, **more: object) -> NewAccount:
    given = possessions or Possessions()
    return NewAccount(account_id=account_id, name=name, now=100, possessions=given, **more)  # type: ignore[arg-type]


async def test_created(store: Store) -> None:
    assert await store.create_account(account(1, "shop", ALL, calls_per_second=5)) == 1
    view = await store.load_view(1, 123)
    assert view is not None
    assert (view.account_id, view.name, view.subscribed, view.calls_per_second) == (1, "shop", True, 5)
    assert view.loaded_at == 123
    assert view.spaces == {SPACE.space_id: SPACE}
    assert view.senders == {SENDER.sender: SENDER}
    assert view.templates == {("t1", "en"): TEMPLATE}
    assert view.policies == {POLICY.policy_id: POLICY}
    assert await store.keys_of(1) == [key("ak-1", 1)]
    assert await store.find_account("shop") == 1


async def test_created_with_an_endpoint(store: Store) -> None:
    told = EndpointChange(
        key=9, account_id=1, sender="", kind="status", url="https://shop.example/", batch=5, sealed_secret=b"sealed"
    )
    await store.create_account(account(1, "shop", endpoints=[told]))
    assert [(row.id, row.url, row.batch) for row in await store.list_endpoints(1)] == [(9, "https://shop.example/", 5)]
    assert await store.callback_secret(1) == b"sealed"
    with pytest.raises(NameTaken):
        await store.create_account(account(2, "shop", endpoints=[msgspec.structs.replace(told, account_id=2)]))
    assert await store.list_endpoints(2) == []


async def test_of_nothing(store: Store) -> None:
    await store.create_account(account(1, "bare", subscribed=False))
    view = await store.load_view(1, 0)
    assert view is not None
    assert (view.subscribed, view.calls_per_second) == (False, None)
    assert (view.spaces, view.senders, view.templates, view.policies) == ({}, {}, {}, {})
    assert await store.load_view(2, 0) is None
    assert await store.find_account("nobody") is None
    assert await store.keys_of(2) == []


async def test_names(store: Store) -> None:
    for account_id, name in [(1, "b"), (2, "a"), (3, "\N{SNOWMAN} '%s?")]:
        await store.create_account(account(account_id, name))
    assert sorted(await store.account_names()) == [(1, "b"), (2, "a"), (3, "\N{SNOWMAN} '%s?")]
    assert await store.find_account("\N{SNOWMAN} '%s?") == 3


@pytest.mark.parametrize(("account_id", "name"), [(2, "shop"), (1, "another")])
async def test_name_taken(store: Store, account_id: int, name: str) -> None:
    await store.create_account(account(1, "shop"))
    with pytest.raises(NameTaken):
        await store.create_account(account(account_id, name, Possessions(keys=[key("ak-2", account_id)])))
    assert await store.account_names() == [(1, "shop")]
    assert await store.keys_of(account_id) == []


async def test_a_taken_key_leaves_no_account_behind(store: Store) -> None:
    await store.create_account(account(1, "shop", ALL))
    with pytest.raises(NameTaken, match="ak-1"):
        await store.create_account(account(2, "thief", Possessions(keys=[key("ak-1", 2)])))
    assert await store.account_names() == [(1, "shop")]
    assert await store.keys_of(1) == [key("ak-1", 1)]


async def test_a_taken_name_fails_alone(store: Store) -> None:
    """Three in one transaction, two of one name: the first and the stranger are made."""
    wanted = [account(1, "shop"), account(2, "shop"), account(3, "other")]
    made = await asyncio.gather(*(store.create_account(one) for one in wanted), return_exceptions=True)
    assert made[0] == 1
    assert isinstance(made[1], NameTaken)
    assert made[2] == 3
    assert await store.account_names() == [(3, "other"), (1, "shop")]


async def test_gifts_replace(store: Store) -> None:
    await store.create_account(account(1, "shop", ALL))
    paused = Sender(sender="27549", channel="viber", service_id="service-2", standing=Standing.PAUSED)
    space = Space(space_id=SPACE.space_id, retry_by_task=False, video_button_action=True)
    texts = [
        Template(template_code="t1", language="en", name="n", body="new", standing=Standing.REJECTED, partner_id="p"),
        Template(template_code="t1", language="fr", name="n", body="nouveau", standing=Standing.APPROVED),
    ]
    policy = FallbackPolicy(policy_id="S_000001", name="off", sms_sender="Shop", enabled=False)
    given = Possessions(keys=[key("ak-2", 1)], spaces=[space], senders=[paused], templates=texts, policies=[policy])
    await store.give(Gift(account_id=1, now=200, possessions=given))
    view = await store.load_view(1, 0)
    assert view is not None
    assert view.spaces == {SPACE.space_id: space}
    assert view.senders == {"27549": paused}
    assert view.templates == {("t1", "en"): texts[0], ("t1", "fr"): texts[1]}
    assert view.policies == {"S_000001": policy}
    assert {one.access_key_id for one in await store.keys_of(1)} == {"ak-1", "ak-2"}


async def test_gifts_stay_with_their_account(store: Store) -> None:
    """Two accounts own things of the same names; a gift to one is not seen by the other."""
    for account_id, name in [(1, "one"), (2, "two")]:
        await store.create_account(account(account_id, name, Possessions(senders=[SENDER], templates=[TEMPLATE])))
    changed = Sender(sender="27549", channel="viber", service_id="stolen", standing=Standing.PAUSED)
    await store.give(Gift(account_id=2, now=200, possessions=Possessions(senders=[changed])))
    views = [await store.load_view(account_id, 0) for account_id in (1, 2)]
    assert [view and view.senders["27549"] for view in views] == [SENDER, changed]


async def test_a_key_is_not_replaced(store: Store) -> None:
    await store.create_account(account(1, "one", ALL))
    await store.create_account(account(2, "two"))
    for account_id in (1, 2):
        gift = Gift(account_id=account_id, now=200, possessions=Possessions(keys=[key("ak-1", account_id, b"other")]))
        with pytest.raises(NameTaken):
            await store.give(gift)
    assert await store.keys_of(1) == [key("ak-1", 1)]
    assert await store.keys_of(2) == []


async def test_a_gift_to_nobody(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.give(Gift(account_id=9, now=200, possessions=Possessions(keys=[key("ak-1", 9)])))
    assert await store.keys_of(9) == []


async def test_keys_switch(store: Store) -> None:
    await store.create_account(account(1, "shop", Possessions(keys=[key("ak-1", 1), key("ak-2", 1)])))
    assert await store.switch_key(KeySwitch(access_key_id="ak-1", active=False, now=200))
    assert {one.access_key_id: one.active for one in await store.keys_of(1)} == {"ak-1": False, "ak-2": True}
    assert await store.switch_key(KeySwitch(access_key_id="ak-1", active=True, now=300))
    assert all(one.active for one in await store.keys_of(1))
    assert not await store.switch_key(KeySwitch(access_key_id="none", active=True, now=300))


async def test_another_node_reads_what_changed(store: Store, open_store: Open, clock: HandClock) -> None:
    other = await open_store()
    await store.create_account(account(1, "old", Possessions(keys=[key("ak-1", 1)])))
    await store.create_account(account(2, "new"))
    await store.switch_key(KeySwitch(access_key_id="ak-1", active=False, now=200))
    await store.give(Gift(account_id=2, now=250, possessions=Possessions(keys=[key("ak-2", 2)])))
    assert [one.access_key_id for one in await other.keys_changed_since(200)] == ["ak-1", "ak-2"]
    assert [one.access_key_id for one in await other.keys_changed_since(201)] == ["ak-2"]
    assert await other.keys_changed_since(251) == []
    assert sorted(await other.accounts_changed_since(100)) == [1, 2]
    assert await other.accounts_changed_since(101) == [2]
