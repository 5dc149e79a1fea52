from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatgate.clock import HandClock
from chatgate.errors import SettingError
from chatgate.ids import NODES
from chatgate.sealing import KeyRing
from chatgate.store.store import Store
from tests.store.conftest import RING, Open, Tamper

NEWER = KeyRing({1: b"k" * 32, 2: b"n" * 32})
"""``RING``, rotated."""


async def opened(url: str, ring: KeyRing) -> None:
    store = await Store.open(url, clock=HandClock(), key_ring=ring, on_fatal=pytest.fail)
    await store.close()


async def test_another_key_ring_is_refused(url: str) -> None:
    await opened(url, RING)
    for other in (KeyRing({1: b"x" * 32}), KeyRing({2: b"k" * 32})):
        with pytest.raises(SettingError, match="key ring"):
            await opened(url, other)
    await opened(url, RING)


async def test_a_rotated_key_ring_opens(url: str) -> None:
    await opened(url, RING)
    await opened(url, NEWER)
    await opened(url, RING)


async def test_message_ids_are_the_same_on_all_nodes_and_after_a_restart(open_store: Open, url: str) -> None:
    stores = await asyncio.gather(*(open_store() for _ in range(3)))
    public = {store.message_ids.public(12345) for store in stores}
    for store in stores:
        await store.close()
    again = await open_store()
    assert public == {again.message_ids.public(12345)}


async def test_another_database_has_other_message_ids(url: str, empty_url: str) -> None:
    ids = []
    for address in (url, empty_url):
        store = await Store.open(address, clock=HandClock(), key_ring=RING, on_fatal=pytest.fail)
        ids.append(store.message_ids.public(12345))
        await store.close()
    assert len(ids) == len(set(ids))


async def test_nodes_make_different_keys(open_store: Open) -> None:
    stores = [await open_store() for _ in range(3)]
    keys = [store.keys.next() for store in stores for _ in range(100)]
    assert len(set(keys)) == 300


async def test_node_numbers_go_round(url: str, tamper: Tamper, open_store: Open) -> None:
    """After more starts than there are numbers they begin again; the keys still fit into 63 bits."""
    tamper("INSERT INTO nodes (id, started_at) VALUES (?, 0)", 5 * NODES - 1)
    if url.startswith("postgresql"):
        tamper("SELECT setval('nodes_id_seq', ?)", 5 * NODES - 1)
    first, second = await open_store(), await open_store()
    assert [store.keys.next() >> 12 & NODES - 1 for store in (first, second)] == [0, 1]


@pytest.mark.parametrize(("first", "second"), [("sandbox", "serve"), ("serve", "sandbox")])
async def test_a_sandbox_and_a_real_installation_never_share_a_database(url: str, first: str, second: str) -> None:
    async def used_for(kind: str | None) -> None:
        store = await Store.open(url, clock=HandClock(), key_ring=RING, on_fatal=pytest.fail, kind=kind)
        await store.close()

    await used_for(None)
    await used_for(first)
    await used_for(first)
    with pytest.raises(SettingError, match=f"is a {first}'s"):
        await used_for(second)
    await used_for(None)  # who only looks may look at both


async def test_a_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    await opened(f"sqlite:///{tmp_path / 'own.db'}", RING)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {"own.db": 0o600}


async def test_side_files_too(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'own.db'}", clock=HandClock(), key_ring=RING, on_fatal=pytest.fail)
    await store.ready(1)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert len(list(tmp_path.iterdir())) == 3
    await store.close()
