from __future__ import annotations

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate import sealing
from chatgate.errors import SettingError
from chatgate.sealing import KeyRing

OLD = b"o" * 32
NEW = b"n" * 32
RING = KeyRing({1: OLD})


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


@given(st.binary(max_size=200), st.text(max_size=50))
def test_opens_what_it_sealed(secret: bytes, purpose: str) -> None:
    sealed = RING.seal(secret, purpose)
    assert RING.open(sealed, purpose) == secret
    assert RING.seal(secret, purpose) != sealed  # a fresh nonce each time


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_tampered(place: int, change: int) -> None:
    sealed = bytearray(RING.seal(b"a secret of some length", "key"))
    sealed[place % len(sealed)] ^= change
    with pytest.raises(SettingError):
        RING.open(bytes(sealed), "key")


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 15, 16, 17, 31, 38])
def test_cut_short(length: int) -> None:
    sealed = RING.seal(b"a secret", "key")
    assert length < len(sealed)
    with pytest.raises(SettingError):
        RING.open(sealed[:length], "key")


def test_of_another_purpose() -> None:
    """A value copied into another row does not open."""
    sealed = RING.seal(b"secret", "access_keys/1/one")
    with pytest.raises(SettingError):
        RING.open(sealed, "access_keys/1/two")


def test_of_another_ring() -> None:
    for other in (KeyRing({1: NEW}), KeyRing({2: OLD})):
        with pytest.raises(SettingError, match="another one"):
            other.open(RING.seal(b"secret", "key"), "key")


def test_rotation() -> None:
    """The last key seals, all of them open; once the old one is gone, what it sealed is closed."""
    sealed = RING.seal(b"secret", "key")
    both = KeyRing({1: OLD, 2: NEW})
    assert both.open(sealed, "key") == b"secret"
    renewed = both.seal(b"secret", "key")
    only_new = KeyRing({2: NEW})
    assert only_new.open(renewed, "key") == b"secret"
    with pytest.raises(SettingError):
        only_new.open(sealed, "key")


def test_the_error_tells_no_secret() -> None:
    with pytest.raises(SettingError) as caught:
        KeyRing({1: NEW}).open(RING.seal(b"hunter2", "key"), "key")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_parse() -> None:
    ring = sealing.parse(f"1 {encoded(OLD)}\n\n  2 {encoded(NEW)}  \n")
    assert ring.open(RING.seal(b"secret", "key"), "key") == b"secret"
    assert KeyRing({2: NEW}).open(ring.seal(b"secret", "key"), "key") == b"secret"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \n",
        "1",
        f"{encoded(OLD)}",
        f"one {encoded(OLD)}",
        f"-1 {encoded(OLD)}",
        f"0 {encoded(OLD)}",
        f"4294967296 {encoded(OLD)}",
        f"{'9' * 5000} {encoded(OLD)}",
        f"\u00b2 {encoded(OLD)}",
        f"1 {encoded(b'short')}",
        f"1 {encoded(OLD + b'x')}",
        f"1 {encoded(OLD)}!",
        "1 not base64 at all",
        f"1 {encoded(OLD)}\n1 {encoded(NEW)}",
        f"1 {encoded(OLD)}\nrubbish",
    ],
)
def test_what_is_no_key_ring(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        sealing.parse(text)
    assert encoded(OLD) not in str(caught.value)


def test_made_when_absent(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key-ring"
    ring = sealing.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = sealing.load_or_create(path)
    assert again.open(ring.seal(b"secret", "key"), "key") == b"secret"
    assert [file.name for file in path.parent.iterdir()] == ["key-ring"]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    one, other = (sealing.load_or_create(tmp_path / name) for name in ("one", "other"))
    with pytest.raises(SettingError):
        other.open(one.seal(b"secret", "key"), "key")


def test_several_processes_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        rings = list(threads.map(sealing.load_or_create, [tmp_path / "key-ring"] * 8))
    sealed = rings[0].seal(b"secret", "key")
    assert {ring.open(sealed, "key") for ring in rings} == {b"secret"}
    assert [file.name for file in tmp_path.iterdir()] == ["key-ring"]


def test_a_crash_while_it_was_made_is_no_obstacle(tmp_path: Path) -> None:
    """A leftover of a process with our own number: in a container every process has the number one."""
    (tmp_path / f"key-ring.{os.getpid()}").write_text("half a li")
    sealing.load_or_create(tmp_path / "key-ring")


def test_not_readable(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "binary", tmp_path / "binary" / "key-ring"):
        with pytest.raises(SettingError, match="key ring"):
            sealing.load_or_create(path)
