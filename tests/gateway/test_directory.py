"""The directory: what this process knows about keys and accounts, and how soon it learns of a change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from chatgate.clock import SECOND, HandClock
from chatgate.domain.account import AccessKey, KeyKind, Sender, Space, Standing
from chatgate.gateway.directory import OVERLAP, StoredDirectory
from chatgate.store.access_keys import KeySwitch
from chatgate.store.accounts import Gift, NewAccount, Possessions
from chatgate.store.store import Store
from tests.fresh_store import fresh_store

ACCOUNT = 7
KEY = "LTAI5tKey"


def key(access_key_id: str = KEY, account_id: int = ACCOUNT, active: bool = True) -> AccessKey:
    return AccessKey(
        access_key_id=access_key_id, account_id=account_id, kind=KeyKind.HMAC, sealed=b"sealed", active=active
    )


def sender(standing: Standing) -> Sender:
    return Sender(sender="27549", channel="viber", service_id="3100", standing=standing)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    own = Possessions(keys=[key()], spaces=[Space(space_id="s")], senders=[sender(Standing.APPROVED)])
    async with fresh_store(tmp_path, clock) as store:
        await store.create_account(NewAccount(account_id=ACCOUNT, name="shop", now=clock.now(), possessions=own))
        yield store


@pytest.fixture
async def directory(store: Store, clock: HandClock) -> StoredDirectory:
    directory = StoredDirectory(store, clock)
    await directory.refresh()
    return directory


async def test_keys_are_known_from_the_first_refresh_on(store: Store, clock: HandClock) -> None:
    directory = StoredDirectory(store, clock)
    assert await directory.access_key(KEY) is None
    await directory.refresh()
    assert await directory.access_key(KEY) == key()
    assert await directory.access_key("nobody") is None


async def test_an_old_key_is_known_after_a_restart(store: Store, clock: HandClock) -> None:
    clock.advance(365 * 86_400 * SECOND)
    directory = StoredDirectory(store, clock)
    await directory.refresh()
    assert await directory.access_key(KEY) == key()


@pytest.mark.parametrize("passed", [0, SECOND, 3600 * SECOND])
async def test_a_switched_key_counts_from_the_next_refresh_on(
    directory: StoredDirectory, store: Store, clock: HandClock, passed: int
) -> None:
    clock.advance(passed)
    await directory.refresh()
    for active in (False, True):
        clock.advance(1)
        assert await store.switch_key(KeySwitch(access_key_id=KEY, active=active, now=clock.now()))
        await directory.refresh()
        assert await directory.access_key(KEY) == key(active=active)


async def test_a_new_key_counts_from_the_next_refresh_on(
    directory: StoredDirectory, store: Store, clock: HandClock
) -> None:
    await _give(store, clock, keys=[key("LTAI5tNew")])
    assert await directory.access_key("LTAI5tNew") is None
    await directory.refresh()
    assert await directory.access_key("LTAI5tNew") == key("LTAI5tNew")


@pytest.mark.parametrize("late", [0, SECOND, OVERLAP])
async def test_a_change_that_becomes_visible_late_is_not_missed(
    directory: StoredDirectory, store: Store, clock: HandClock, late: int
) -> None:
    """A transaction of another node may be committed some seconds after the time that it wrote."""
    written_at = clock.now()
    clock.advance(late)
    await directory.refresh()
    assert await store.switch_key(KeySwitch(access_key_id=KEY, active=False, now=written_at))
    clock.advance(SECOND)
    await directory.refresh()
    assert await directory.access_key(KEY) == key(active=False)


async def test_the_picture_of_an_account_is_kept_until_it_changes(
    directory: StoredDirectory, store: Store, clock: HandClock
) -> None:
    first = await directory.account(key())
    assert first is not None
    assert (first.name, first.senders["27549"].standing) == ("shop", Standing.APPROVED)
    clock.advance(OVERLAP + SECOND)
    await directory.refresh()
    await directory.refresh()
    assert await directory.account(key()) is await directory.account(key())

    await _give(store, clock, senders=[sender(Standing.PAUSED)])
    await directory.refresh()
    changed = await directory.account(key())
    assert changed is not None
    assert changed.senders["27549"].standing is Standing.PAUSED
    assert changed.loaded_at == clock.now()


async def test_only_the_account_that_changed_is_read_again(
    directory: StoredDirectory, store: Store, clock: HandClock
) -> None:
    other = key("LTAI5tOther", account_id=8)
    await store.create_account(
        NewAccount(account_id=8, name="other", now=clock.now(), possessions=Possessions(keys=[other]))
    )
    clock.advance(OVERLAP + SECOND)
    await directory.refresh()
    await directory.refresh()
    mine, theirs = await directory.account(key()), await directory.account(other)
    await _give(store, clock, senders=[sender(Standing.PAUSED)])
    await directory.refresh()
    assert await directory.account(other) is theirs
    assert await directory.account(key()) is not mine


async def test_a_key_without_an_account_has_none(directory: StoredDirectory) -> None:
    assert await directory.account(key(account_id=999)) is None


async def _give(store: Store, clock: HandClock, keys: Sequence[AccessKey] = (), senders: Sequence[Sender] = ()) -> None:
    await store.give(Gift(account_id=ACCOUNT, now=clock.now(), possessions=Possessions(keys=keys, senders=senders)))
