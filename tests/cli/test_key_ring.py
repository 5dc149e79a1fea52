"""``chatgate key-ring``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chatgate import sealing
from chatgate.clock import HOUR, SystemClock
from chatgate.errors import SettingError
from chatgate.gateway.authenticate import purpose
from chatgate.sealing import KeyRing
from chatgate.store.store import Store
from tests.cli.shell import Shell


@pytest.fixture
def key(shell: Shell) -> dict[str, str]:
    made: dict[str, str] = shell("account", "create", "shop", "--json").json
    shell("callback", "set", "shop", "https://shop.example/")
    return made


def rows(shell: Shell) -> list[tuple[int, bool, int]]:
    return [(row["key"], row["current"], row["values"]) for row in shell("key-ring", "list", "--json").json]


def secret(shell: Shell, key: dict[str, str]) -> str:
    async def work(store: Store, ring: KeyRing) -> str:
        found = await store.find_key(key["access_key_id"])
        assert found is not None
        return ring.open(found.sealed, purpose(found.access_key_id)).decode()

    return shell.in_store(work)


def ended_long_ago(shell: Shell) -> None:
    """Let the time pass that temporary credentials may live."""
    shell.in_store(lambda store, _ring: store.note_rewrapped(SystemClock().now() - 13 * HOUR))


def test_rotate_and_drop(shell: Shell, key: dict[str, str]) -> None:
    assert rows(shell) == [(1, True, 3)]
    before = shell("callback", "secret", "shop").out
    assert shell("key-ring", "rotate").out.startswith("3 values were sealed anew; key 2 seals everything.")
    assert rows(shell) == [(1, False, 0), (2, True, 3)]
    assert shell.fails("key-ring", "drop", "1").startswith("Temporary credentials sealed with it may live until ")
    ended_long_ago(shell)
    assert shell("key-ring", "drop", "1").out == "Key 1 is dropped.\n"
    assert rows(shell) == [(2, True, 3)]
    assert secret(shell, key) == key["access_key_secret"]
    assert shell("callback", "secret", "shop").out == before


def test_step_by_step(shell: Shell, key: dict[str, str]) -> None:
    assert shell("key-ring", "add").out == "Key 2 is the current one.\n"
    assert rows(shell) == [(1, False, 3), (2, True, 0)]
    newer = shell("key", "create", "shop", "--json").json
    assert rows(shell) == [(1, False, 3), (2, True, 1)]
    sentence = "3 stored values are not under the current key; run `chatgate key-ring rewrap`."
    assert shell.fails("key-ring", "drop", "1") == sentence
    assert shell("key-ring", "rewrap").out.startswith("3 values were sealed anew; key 2 seals everything.")
    assert shell("key-ring", "rewrap").out.startswith("0 values were sealed anew; key 2 seals everything.")
    assert [secret(shell, one) for one in (key, newer)] == [one["access_key_secret"] for one in (key, newer)]


def test_what_cannot_be_dropped(shell: Shell, key: dict[str, str]) -> None:
    assert shell.fails("key-ring", "drop", "7") == "The key ring has no key 7."
    assert shell.fails("key-ring", "drop", "1") == "Key 1 is the current one; add another first."


def test_the_old_key_opens_nothing_any_more(shell: Shell, key: dict[str, str]) -> None:
    file = shell.folder / "chatgate-data" / "key-ring"
    old = file.read_text()
    shell("key-ring", "rotate")
    assert file.read_text().startswith(old)
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(old)
    assert "belongs to another one" in shell.fails("account", "list")


def test_a_ring_follows_its_file(shell: Shell, key: dict[str, str]) -> None:
    """A process that runs opens what another sealed with a newer key than it knows, and lets go of dropped ones."""
    file = shell.folder / "chatgate-data" / "key-ring"
    running, fresh = sealing.load_or_create(file), sealing.load_or_create(file)
    sealed = running.seal(b"old", "p")
    sealing.add_key(file)
    fresh.reload()
    assert (running.current, fresh.current, running.version) == (1, 2, 0)
    assert running.open(fresh.seal(b"new", "p"), "p") == b"new"
    assert (running.current, running.version) == (2, 1)
    assert running.open(sealed, "p") == b"old"
    sealing.drop_key(file, 1)
    assert running.open(sealed, "p") == b"old"
    running.reload()
    with pytest.raises(SettingError):
        running.open(sealed, "p")
    file.write_text("torn")
    with pytest.raises(SettingError):
        running.reload()
    assert running.kids == [2]


def test_keys_added_at_the_same_time_are_all_there(shell: Shell, key: dict[str, str]) -> None:
    file = shell.folder / "chatgate-data" / "key-ring"
    with ThreadPoolExecutor(4) as threads:
        added = list(threads.map(lambda _: sealing.add_key(file), range(12)))
    assert sorted(added) == list(range(2, 14))
    assert sealing.load_or_create(file).kids == list(range(1, 14))
