"""Secrets at rest: AES-256-GCM under a ring of keys.

A sealed value is ``kid (4 bytes) || nonce (12 bytes) || ciphertext and tag``. The purpose (table, account, name) is
bound in as associated data, so that a value copied into another row does not open. The key material itself lives
outside the database: a file of mode 0600, or an environment variable.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatgate.errors import SettingError

_KID, _NONCE = 4, 12
_LARGEST_KID = (1 << 8 * _KID) - 1


class KeyRing:
    """The keys by id; the last one seals, all of them open."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """``keys``: id (1 to 2^32-1) to 32 bytes, in the order of their age."""
        if not keys:
            raise SettingError("The key ring is empty.")
        self._ciphers = {kid.to_bytes(_KID, "big"): AESGCM(key) for kid, key in keys.items()}
        self._newest = list(self._ciphers)[-1]

    def seal(self, secret: bytes, purpose: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, secret, purpose.encode())

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return the secret; raises SettingError when no key of the ring opens it."""
        cipher = self._ciphers.get(sealed[:_KID])
        try:
            if cipher is None:
                raise InvalidTag
            return cipher.decrypt(sealed[_KID : _KID + _NONCE], sealed[_KID + _NONCE :], purpose.encode())
        except (InvalidTag, ValueError):
            raise SettingError("A stored secret does not open with this key ring: it belongs to another one.") from None


def parse(text: str) -> KeyRing:
    """Read a key ring from lines of ``id base64key``; raises SettingError."""
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
    return KeyRing(keys)


def load_or_create(path: Path) -> KeyRing:
    """Read the key ring of a file, made with a fresh key and mode 0600 if it does not exist. Raises SettingError."""
    try:
        if not path.exists():
            _write_once(path, f"1 {base64.b64encode(secrets.token_bytes(32)).decode()}\n")
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"The key ring {path} cannot be read or made: {type(error).__name__}.") from None
    return parse(text)


def _write_once(path: Path, text: str) -> None:
    """Write a file that must be whole and on disk before anything is sealed with it; a racing process may win."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")  # not the process id: in a container it is always 1
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
