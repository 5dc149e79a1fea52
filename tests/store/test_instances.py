"""Spaces as their owners change them: what is done, what spends the nonce, and which space stands for none."""

from __future__ import annotations

import asyncio
from secrets import token_bytes

from chatgate.domain.account import AccountView, Space
from chatgate.store.accounts import Gift, NewAccount, Possessions
from chatgate.store.instances import SpaceOrder, SpaceOutcome
from chatgate.store.store import Store
from tests.store.conftest import Open

FIRST = Space(space_id="zz-first", retry_by_task=True)
DETAILS = {"InstanceName": "Shop “é”", "CountryId": "PH"}


async def shop(store: Store) -> None:
    await store.create_account(NewAccount(account_id=1, name="shop", now=1, possessions=Possessions(spaces=[FIRST])))


def order(space_id: str, details: dict[str, str] | None, *, new: bool = False, **more: object) -> SpaceOrder:
    said = {"account_id": 1, "nonce": token_bytes(16), "now": 1000, "most": 100 if new else None, **more}
    return SpaceOrder(space_id=space_id, details=details, **said)  # type: ignore[arg-type]


async def changed(store: Store, order: SpaceOrder) -> SpaceOutcome:
    return (await store.change_space(order)).outcome


async def view(store: Store, account_id: int = 1) -> AccountView:
    found = await store.load_view(account_id, 0)
    assert found is not None
    return found


async def test_made_described_taken_away(store: Store) -> None:
    await shop(store)
    assert await changed(store, order("aa", DETAILS, new=True)) is SpaceOutcome.DONE
    made = Space(space_id="aa", made_at=1000, details=DETAILS)
    assert (await view(store)).spaces == {"zz-first": FIRST, "aa": made}
    assert await store.accounts_changed_since(1000) == [1]
    assert await changed(store, order("aa", {"InstanceName": "x"}, now=2000)) is SpaceOutcome.DONE
    details = {"InstanceName": "x", "CountryId": "PH"}
    assert (await view(store)).spaces["aa"] == Space(space_id="aa", made_at=1000, details=details)
    assert await changed(store, order("aa", None)) is SpaceOutcome.DONE
    assert (await view(store)).spaces == {"zz-first": FIRST}


async def test_the_first_space_stays_the_first(store: Store) -> None:
    """It stands for calls that name none; made later is later, whatever the id."""
    await shop(store)
    for n, space_id in enumerate(["mm", "aa", "bb"]):
        assert await changed(store, order(space_id, {}, new=True, now=1000 + n)) is SpaceOutcome.DONE
    assert list((await view(store)).spaces) == ["zz-first", "mm", "aa", "bb"]


async def test_settings_stay(store: Store) -> None:
    await shop(store)
    await store.change_space(order("zz-first", DETAILS))
    found = (await view(store)).spaces["zz-first"]
    assert (found.retry_by_task, found.made_at, found.details) == (True, None, DETAILS)
    await store.give(Gift(account_id=1, now=3, possessions=Possessions(spaces=[found])))
    assert (await view(store)).spaces["zz-first"] == found


async def test_what_two_nodes_say_is_put_together(store: Store, open_store: Open) -> None:
    """Neither decides by the picture that it has of the account."""
    await shop(store)
    other = await open_store()
    one = await store.change_space(order("zz-first", {"CountryId": "PH"}))
    two = await other.change_space(order("zz-first", {"InstanceName": "x"}))
    assert (one.details, two.details) == ({"CountryId": "PH"}, {"CountryId": "PH", "InstanceName": "x"})


async def test_two_nodes_make_no_more_than_there_may_be(store: Store, open_store: Open) -> None:
    await shop(store)
    nodes = [store, await open_store()]
    orders = [order(f"s-{n}", {}, new=True, most=4) for n in range(8)]
    outcomes = await asyncio.gather(*(changed(nodes[n % 2], one) for n, one in enumerate(orders)))
    assert sorted(outcomes) == [SpaceOutcome.DONE] * 3 + [SpaceOutcome.FULL] * 5
    assert len((await view(store)).spaces) == 4


async def test_only_what_is_done_spends_the_nonce(store: Store) -> None:
    await shop(store)
    nonce = token_bytes(16)
    assert await changed(store, order("zz-first", None, nonce=nonce)) is SpaceOutcome.LAST
    assert await changed(store, order("gone", DETAILS, nonce=nonce)) is SpaceOutcome.GONE
    assert await changed(store, order("gone", None, nonce=nonce)) is SpaceOutcome.GONE
    assert await changed(store, order("aa", DETAILS, new=True, nonce=nonce)) is SpaceOutcome.DONE
    assert await changed(store, order("bb", DETAILS, new=True, nonce=nonce)) is SpaceOutcome.NONCE_USED
    assert await changed(store, order("aa", None, nonce=nonce)) is SpaceOutcome.NONCE_USED
    assert list((await view(store)).spaces) == ["zz-first", "aa"]


async def test_spaces_of_others_are_not_there(store: Store) -> None:
    await shop(store)
    await store.create_account(NewAccount(account_id=2, name="bank", now=1, possessions=Possessions(spaces=[FIRST])))
    await store.change_space(order("mine", {}, new=True, account_id=2))
    assert await changed(store, order("mine", DETAILS)) is SpaceOutcome.GONE
    assert await changed(store, order("zz-first", None, account_id=2)) is SpaceOutcome.DONE
    assert list((await view(store)).spaces) == ["zz-first"]
