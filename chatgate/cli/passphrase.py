"""Secrets under a passphrase: scrypt makes a key of it, AES-256-GCM seals.

The passphrase comes from the environment or is asked for; never from an argument, which other users of the machine
could see.
"""

from __future__ import annotations

import getpass
import os
import sys

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from chatgate.errors import SettingError

VARIABLE = "CHATGATE_ACCOUNT_FILE_SECRET"

SHORTEST = 12
"""Characters of a new passphrase."""

_COST, _BLOCK, _PARALLEL = 1 << 17, 8, 1  # OWASP Password Storage Cheat Sheet: 128 MB, a third of a second
_SALT, _NONCE = 16, 12


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """Base64 in the file."""

    salt: bytes
    nonce: bytes
    value: bytes


def ask(*, new: bool) -> str:
    """Return the passphrase; a ``new`` one is asked for twice. Raises SettingError."""
    words = os.environ.get(VARIABLE)
    if words is None:
        if not sys.stdin.isatty():
            raise SettingError(f"A passphrase is needed: set {VARIABLE}, or run this in a terminal.")
        words = getpass.getpass("Passphrase of the file: ")
        if new and words != getpass.getpass("Once more: "):
            raise SettingError("The two passphrases differ.")
    if new and len(words) < SHORTEST:
        raise SettingError(f"A passphrase has at least {SHORTEST} characters.")
    return words


def seal(words: str, secret: bytes, beside: bytes) -> Sealed:
    """Seal a secret; it opens only with the same ``beside``."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    return Sealed(salt=salt, nonce=nonce, value=_cipher(words, salt).encrypt(nonce, secret, beside))


def open_sealed(words: str, sealed: Sealed, beside: bytes) -> bytes:
    """Return the secret. Raises SettingError."""
    try:
        return _cipher(words, sealed.salt).decrypt(sealed.nonce, sealed.value, beside)
    except (InvalidTag, ValueError):
        raise SettingError("The secrets do not open: another passphrase, or the file was changed.") from None


def _cipher(words: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_PARALLEL).derive(words.encode()))
