"""Making access keys, and showing them: the secret is shown this once, and kept sealed."""

from __future__ import annotations

import secrets
import string

from chatgate.cli import output
from chatgate.domain.account import AccessKey, KeyKind
from chatgate.errors import SettingError
from chatgate.gateway.authenticate import purpose
from chatgate.protocol import signature
from chatgate.sealing import KeyRing

_LETTERS = string.ascii_letters + string.digits


def hmac_key(ring: KeyRing, account_id: int, user_id: int | None = None) -> tuple[AccessKey, str]:
    """Return a new key and its secret. Both look as Alibaba's do."""
    access_key_id = "LTAI5t" + _letters(18)
    secret = _letters(30)
    sealed = ring.seal(secret.encode(), purpose(access_key_id))
    key = AccessKey(
        access_key_id=access_key_id, account_id=account_id, kind=KeyKind.HMAC, sealed=sealed, active=True,
        user_id=user_id,
    )  # fmt: skip
    return key, secret


def rsa_key(pem: bytes, account_id: int, user_id: int | None = None) -> AccessKey:
    """Return a new key for a public key in PEM; the caller keeps the private one. Raises SettingError."""
    try:
        signature.rsa_key(pem)
    except ValueError:
        raise SettingError("--rsa needs a PEM file with an RSA public key.") from None
    return AccessKey(
        access_key_id="TMP." + _letters(20), account_id=account_id, kind=KeyKind.RSA, sealed=pem, active=True,
        user_id=user_id,
    )  # fmt: skip


def show(account: str, access_key_id: str, secret: str | None, as_json: bool, **more: str | None) -> None:
    """Print a new key with its secret (None: there is none), and what else is new."""
    output.show_one(
        {"account": account, "access_key_id": access_key_id, "access_key_secret": secret, **more}, as_json=as_json
    )


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))
