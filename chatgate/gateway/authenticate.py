"""Who is calling: access key, signature, time. One path for every scheme; deny by default.

The order is Alibaba's (inferred from its codes): key known and active, token, time, signature. The nonce is spent
later, in the transaction that stores what the call does, so it is never inserted for a signature that did not verify.
"""

from __future__ import annotations

import msgspec

from chatgate.clock import Instant
from chatgate.domain.account import AccessKey, AccountView, KeyKind
from chatgate.errors import (
    EXPIRED_TIMESTAMP,
    INACTIVE_ACCESS_KEY,
    INVALID_ACCESS_KEY,
    INVALID_BEARER_TOKEN,
    MALFORMED_SECURITY_TOKEN,
    MISSING_SECURITY_TOKEN,
    SIGNATURE_MISMATCH,
    ApiError,
)
from chatgate.gateway.directory import Directory
from chatgate.protocol import signature
from chatgate.protocol.signature import DUMMY_KEY, Claim, KeyMaterial, Scheme
from chatgate.sealing import KeyRing
from chatgate.store.calls import NONCE_WINDOW, nonce_key

OPENED_KEYS = 10_000
"""Keys whose material is kept open in memory, at most."""

STS_PREFIX = "STS."
"""Access key ids of temporary credentials begin with it."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose signature was verified."""

    access_key_id: str
    account: AccountView
    nonce: bytes


class Authenticator:
    def __init__(self, directory: Directory, key_ring: KeyRing) -> None:
        self._directory = directory
        self._key_ring = key_ring
        self._opened: dict[str, tuple[bytes, KeyMaterial]] = {}

    async def __call__(self, claim: Claim, now: Instant) -> Caller:
        """Return who made the claim, or refuse it with the code of the first thing that is wrong."""
        if claim.scheme is Scheme.BEARER:
            raise ApiError(INVALID_BEARER_TOKEN)
        key = await self._directory.access_key(claim.access_key_id)
        if key is None:
            self._same_work(claim)
            raise ApiError(INVALID_ACCESS_KEY)
        if not key.active:
            raise ApiError(INACTIVE_ACCESS_KEY)
        if claim.security_token is not None:
            raise ApiError(MALFORMED_SECURITY_TOKEN)
        if abs(now - claim.signed_at) > NONCE_WINDOW:
            raise ApiError(EXPIRED_TIMESTAMP)
        signature.verify(claim, self._material(key))
        account = await self._directory.account(key)
        if account is None:
            raise ApiError(INVALID_ACCESS_KEY)
        nonce = nonce_key(claim.access_key_id, claim.nonce, claim.signed_at)
        return Caller(access_key_id=key.access_key_id, account=account, nonce=nonce)

    def _same_work(self, claim: Claim) -> None:
        """Do for an unknown key what is done for a known one with a wrong signature, so that time tells nothing."""
        if claim.access_key_id.startswith(STS_PREFIX) and claim.security_token is None:
            raise ApiError(MISSING_SECURITY_TOKEN)
        if claim.security_token is not None and claim.access_key_id.startswith(STS_PREFIX):
            raise ApiError(MALFORMED_SECURITY_TOKEN)
        try:
            signature.verify(claim, DUMMY_KEY)
        except ApiError as error:
            if error.code != SIGNATURE_MISMATCH.code:
                raise  # the algorithm or the body hash is wrong, whoever it is

    def _material(self, key: AccessKey) -> KeyMaterial:
        """Return what verifies the signatures of a key; opened once for each sealed value.

        Unsealing and parsing cost more than a verification, and an unknown key must not be the quicker one (P19).
        """
        opened = self._opened.get(key.access_key_id)
        if opened is not None and opened[0] is key.sealed:
            return opened[1]
        if key.kind is KeyKind.RSA:
            material = signature.rsa_key(key.sealed)
        else:
            material = KeyMaterial(key.kind, self._key_ring.open(key.sealed, purpose(key.access_key_id)))
        if len(self._opened) >= OPENED_KEYS:
            self._opened.clear()
        self._opened[key.access_key_id] = (key.sealed, material)
        return material


def purpose(access_key_id: str) -> str:
    """Return what a sealed secret is bound to."""
    return f"access_keys|{access_key_id}"
