"""Secrets at rest: AES-256-GCM under a ring of keys.

A sealed value is ``kid (4 bytes) || nonce (12 bytes) || ciphertext and tag``. The purpose (table, account, name) is
bound in as associated data, so that a value copied into another row does not open. The key material itself lives
outside the database: a file of mode 0600.

Rotation, while everything runs: ``add_key`` puts a fresh key into the file, processes take it over within a second or
when they meet a value that it sealed, ``store.sealed_values`` seals every stored value anew, and ``drop_key`` takes the
old one away.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatgate.errors import SettingError

_KID, _NONCE = 4, 12
_LARGEST_KID = (1 << 8 * _KID) - 1


class KeyRing:
    """The keys by id; the last one seals, all of them open. One that came from a file follows its changes."""

    def __init__(self, keys: Mapping[int, bytes], path: Path | None = None) -> None:
        """``keys``: id (1 to 2^32-1) to 32 bytes, in the order of their age. ``path``: whence they are."""
        if not keys:
            raise SettingError("The key ring is empty.")
        self.path = path
        self.version = 0
        """Goes up with every change."""
        self._state = _state(path)
        self._take(keys)

    @property
    def kids(self) -> list[int]:
        """Ids of the keys, the current one last."""
        return [int.from_bytes(kid, "big") for kid in self._ciphers]

    @property
    def current(self) -> int:
        """Id of the key that seals."""
        return self.kids[-1]

    def seal(self, secret: bytes, purpose: str) -> bytes:
        nonce = os.urandom(_NONCE)
        newest, cipher = self._newest
        return newest + nonce + cipher.encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return the secret; raises SettingError when no key of the ring opens it."""
        cipher = self._ciphers.get(sealed[:_KID])
        try:
            if cipher is None:  # another process may have sealed it with a key that was just added
                self.reload()
                cipher = self._ciphers.get(sealed[:_KID])
            if cipher is None:
                raise InvalidTag
            return cipher.decrypt(sealed[_KID : _KID + _NONCE], sealed[_KID + _NONCE :], purpose.encode())
        except (InvalidTag, ValueError):
            raise SettingError("A stored secret does not open with this key ring: it belongs to another one.") from None

    def reload(self) -> None:
        """Take over what has changed in the file. Raises SettingError and goes on as it is when that is not usable."""
        state = _state(self.path)
        if self.path is None or state == self._state:
            return
        keys = _read(self.path)
        self._state = state
        self._take(keys)
        self.version += 1

    def _take(self, keys: Mapping[int, bytes]) -> None:
        self._ciphers = {kid.to_bytes(_KID, "big"): AESGCM(key) for kid, key in keys.items()}
        self._newest = list(self._ciphers.items())[-1]


def kid(sealed: bytes) -> int:
    """Return the id of the key that sealed a value."""
    return int.from_bytes(sealed[:_KID], "big")


def parse(text: str) -> KeyRing:
    """Read a key ring from lines of ``id base64key``; raises SettingError."""
    return KeyRing(_parse(text))


def load_or_create(path: Path) -> KeyRing:
    """Read the key ring of a file, made with a fresh key and mode 0600 if it does not exist. Raises SettingError."""
    try:
        if not path.exists():
            _write_once(path, _line(1, secrets.token_bytes(32)))
    except OSError as error:
        raise SettingError(f"The key ring {path} cannot be read or made: {type(error).__name__}.") from None
    return KeyRing(_read(path), path)


def add_key(path: Path) -> int:
    """Add a fresh key to a ring's file, as the current one; return its id. Raises SettingError."""
    with _alone(path):
        keys = _read(path)
        kid = max(keys) + 1
        _replace(path, keys | {kid: secrets.token_bytes(32)})
    return kid


def drop_key(path: Path, kid: int) -> None:
    """Take a key that seals no more out of a ring's file. Raises SettingError."""
    with _alone(path):
        keys = _read(path)
        if kid not in keys:
            raise SettingError(f"The key ring has no key {kid}.")
        if kid == list(keys)[-1]:
            raise SettingError(f"Key {kid} is the current one; add another first.")
        _replace(path, {other: key for other, key in keys.items() if other != kid})


def _parse(text: str) -> dict[int, bytes]:
    keys: dict[int, bytes] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        kid, _, encoded = line.strip().partition(" ")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not kid.isdecimal() or len(kid) > 10 or not 0 < int(kid) <= _LARGEST_KID or len(key) != 32:
            raise SettingError("The key ring is not well-formed: each line is a number and 32 bytes in base64.")
        if int(kid) in keys:
            raise SettingError(f"The key ring has two keys of number {int(kid)}.")
        keys[int(kid)] = key
    if not keys:
        raise SettingError("The key ring is empty.")
    return keys


def _read(path: Path) -> dict[int, bytes]:
    try:
        return _parse(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"The key ring {path} cannot be read or made: {type(error).__name__}.") from None


def _line(kid: int, key: bytes) -> str:
    return f"{kid} {base64.b64encode(key).decode()}\n"


def _state(path: Path | None) -> tuple[int, int, int] | None:
    """Return what changes with a file's content; None where there is none to look at."""
    try:
        found = os.stat(path) if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes from changing the same ring: a key that is lost by two of them opens nothing any more."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _replace(path: Path, keys: Mapping[int, bytes]) -> None:
    """Put other keys into a ring's file; whoever reads it sees the old ones or the new ones, whole."""
    try:
        draft = _draft(path, "".join(_line(kid, key) for kid, key in keys.items()))
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise SettingError(f"The key ring {path} cannot be written: {type(error).__name__}.") from None


def _write_once(path: Path, text: str) -> None:
    """Write a file that must be whole and on disk before anything is sealed with it; a racing process may win."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    _sync(path.parent)


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")  # not the process id: in a container it is always 1
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
