"""Accounts of the sandbox begin with their first signed call, once, and are the same ever after."""

from __future__ import annotations

import asyncio

import pytest

from chatgate.callbacks import signature
from chatgate.channels import sms
from chatgate.clock import HandClock
from chatgate.gateway.authenticate import purpose
from chatgate.gateway.directory import StoredDirectory
from chatgate.sandbox import customer, seeds
from chatgate.sandbox.directory import UNBORN, SandboxDirectory
from chatgate.store.endpoints import EndpointChange, EndpointOrder
from chatgate.store.store import Store
from tests.fresh_store import RING

NEW = "sandbox-of-ann"


class Births:
    """Who was born, in order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, name: str) -> None:
        self.names.append(name)


@pytest.fixture
def births() -> Births:
    return Births()


@pytest.fixture
def directory(store: Store, clock: HandClock, births: Births) -> SandboxDirectory:
    return SandboxDirectory(StoredDirectory(store, clock), store, RING, clock, births, callback_batch=7)


@pytest.mark.parametrize("name", [NEW, "sandbox-1", "sandbox-" + "x" * 120])
async def test_a_key_is_its_own_secret(directory: SandboxDirectory, name: str) -> None:
    key = await directory.access_key(name)
    assert key is not None
    assert (key.account_id, key.active) == (UNBORN, True)
    assert RING.open(key.sealed, purpose(name)).decode() == name


@pytest.mark.parametrize(
    "name", ["", "sandbox-", "Sandbox-1", "xsandbox-1", "LTAI5t", "sandbox-\n", "sandbox-ä", "sandbox-" + "x" * 121]
)
async def test_other_keys_are_unknown(directory: SandboxDirectory, name: str) -> None:
    assert await directory.access_key(name) is None


async def test_asking_for_a_key_makes_nothing(directory: SandboxDirectory, store: Store, births: Births) -> None:
    """The signature is verified after that: a forged call must leave nothing."""
    assert await directory.access_key(NEW) is not None
    assert await store.find_account(NEW) is None
    assert births.names == []


async def test_an_account_is_born_once_with_all_it_needs(
    directory: SandboxDirectory, store: Store, births: Births
) -> None:
    key = await directory.access_key(NEW)
    assert key is not None
    views = await asyncio.gather(*(directory.account(key) for _ in range(20)))
    view = views[0]
    assert view is not None
    assert {each and each.account_id for each in views} == {await store.find_account(NEW)}
    assert births.names == [NEW]
    assert list(view.spaces) == [seeds.SPACE]
    assert view.senders[seeds.SENDER].service_id == str(seeds.service_id(NEW))
    assert list(view.templates) == [(seeds.TEMPLATE, seeds.LANGUAGE)]
    assert list(view.policies) == [seeds.POLICY]

    known = await directory.access_key(NEW)
    assert known is not None
    assert known.account_id == view.account_id


async def test_an_account_is_the_same_after_a_restart(
    directory: SandboxDirectory, store: Store, clock: HandClock, births: Births
) -> None:
    born = await directory.born(NEW)
    after = SandboxDirectory(StoredDirectory(store, clock), store, RING, clock, births, callback_batch=7)
    assert await after.born(NEW) == born
    assert births.names == [NEW]


async def test_an_account_is_told_at_the_customer_endpoint(directory: SandboxDirectory, store: Store) -> None:
    """From its birth on, and as signed as everybody else."""
    account_id = await directory.born(NEW)
    told = {(row.sender, row.kind): (row.url, row.batch) for row in await store.list_endpoints(account_id)}
    assert told == {("", kind): (customer.address(NEW), 7) for kind in ("status", "inbound")}
    sealed = await store.callback_secret(account_id)
    assert sealed is not None
    assert len(RING.open(sealed, signature.purpose(account_id))) == 32


async def test_an_endpoint_that_was_taken_away_stays_away(
    directory: SandboxDirectory, store: Store, clock: HandClock, births: Births
) -> None:
    account_id = await directory.born(NEW)
    away = EndpointChange(
        key=1, account_id=account_id, sender="", kind="inbound", url=None, batch=1, sealed_secret=b""
    )  # fmt: skip
    await store.set_endpoints(EndpointOrder(changes=[away]))
    after = SandboxDirectory(StoredDirectory(store, clock), store, RING, clock, births, callback_batch=7)
    await after.born(NEW)
    assert [row.kind for row in await store.list_endpoints(account_id)] == ["status"]


def test_accounts_share_no_sender() -> None:
    names = [seeds.MAIN_ACCOUNT, *(f"sandbox-{n}" for n in range(1000))]
    assert len({seeds.service_id(name) for name in names}) == len(names)
    assert len({seeds.sms_sender(name) for name in names}) == len(names)
    assert [sender for name in names if sms.sender_fault(sender := seeds.sms_sender(name))] == []
