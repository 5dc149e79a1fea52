"""Who is calling: access key, token, time, signature. One path for every scheme; deny by default.

The order is Alibaba's (inferred from its codes): key known and active, token, time, signature. The nonce is spent
later, in the transaction that stores what the call does, so it is never inserted for a signature that did not verify.

A permanent key is one of the directory; a temporary one (``STS.``) is what its security token says (``sts``). Either is
the account's own or a RAM user's; a user that is gone takes its keys and its tokens along.

A bearer token (``sts`` again) proves by being known; there is nothing to verify but that it was made here, which costs
the same whatever it says. Time and nonce beside it are only said: they keep a request from being taken
twice by accident.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chatgate.clock import Instant
from chatgate.domain.account import AccessKey, AccountView, KeyKind
from chatgate.domain.ram.decision import Principal
from chatgate.errors import (
    BEARER_NEEDS_TLS,
    EXPIRED_BEARER_TOKEN,
    EXPIRED_TIMESTAMP,
    INACTIVE_ACCESS_KEY,
    INVALID_ACCESS_KEY,
    MALFORMED_BEARER_TOKEN,
    MISSING_SECURITY_TOKEN,
    SIGNATURE_MISMATCH,
    ApiError,
)
from chatgate.gateway.directory import Directory
from chatgate.gateway.sts import PREFIX, OpenedToken, Tokens
from chatgate.protocol import signature
from chatgate.protocol.signature import DUMMY_KEY, Claim, KeyMaterial, Scheme
from chatgate.sealing import KeyRing
from chatgate.store.calls import NONCE_WINDOW, nonce_key

OPENED_KEYS = 10_000
"""Keys whose material is kept open in memory, at most."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose signature was verified."""

    access_key_id: str
    account: AccountView
    nonce: bytes
    principal: Principal | None = None
    """Whose policies say what it may do; None: a key of the account itself, which may do everything."""


class Authenticator:
    def __init__(
        self, directory: Directory, key_ring: KeyRing, tokens: Tokens, note_use: Callable[[str, Instant], None],
        *, plain_bearer: bool = False,
    ) -> None:  # fmt: skip
        """``note_use`` is told of every permanent key that signed a call; ``plain_bearer``: bearer tokens are taken
        over plain HTTP too, because it leaves no machine."""
        self._directory = directory
        self._key_ring = key_ring
        self._tokens = tokens
        self._note_use = note_use
        self._plain_bearer = plain_bearer
        self._opened: dict[str, tuple[bytes, KeyMaterial]] = {}

    async def __call__(self, claim: Claim, now: Instant) -> Caller:
        """Return who made the claim, or refuse it with the code of the first thing that is wrong."""
        if claim.scheme is Scheme.BEARER:
            return await self._bearer(claim, now)
        token: OpenedToken | None = None
        key = await self._directory.access_key(claim.access_key_id)
        if key is not None:
            self._check(key, claim, now)
            material = self._material(key)
        elif claim.access_key_id.startswith(PREFIX):
            token = self._token(claim, now)
            key, material = _temporary(token), KeyMaterial(KeyKind.HMAC, token.session.secret.encode())
        else:
            self._same_work(claim)
            raise ApiError(INVALID_ACCESS_KEY)
        if abs(now - claim.signed_at) > NONCE_WINDOW:
            raise ApiError(EXPIRED_TIMESTAMP)
        signature.verify(claim, material)
        account = await self._directory.account(key)
        if account is None:
            raise ApiError(INVALID_ACCESS_KEY)
        if token is None:
            self._note_use(key.access_key_id, now)
        nonce = nonce_key(claim.access_key_id, claim.nonce, claim.signed_at)
        return Caller(
            access_key_id=key.access_key_id, account=account, nonce=nonce,
            principal=None if key.user_id is None and token is None else _principal(account, key, token),
        )  # fmt: skip

    async def _bearer(self, claim: Claim, now: Instant) -> Caller:
        """Return whose token it is. It signs nothing, so whoever reads it on its way may use it: it must be hidden."""
        if not (claim.request.secure or self._plain_bearer):
            raise ApiError(BEARER_NEEDS_TLS)
        token = self._tokens.open_bearer(claim.bearer_token or "", now)
        if abs(now - claim.signed_at) > NONCE_WINDOW:
            raise ApiError(EXPIRED_TIMESTAMP)
        key = _temporary(token)
        account = await self._directory.account(key)
        if account is None:
            raise ApiError(MALFORMED_BEARER_TOKEN)
        if key.user_id is not None and key.user_id not in account.users:
            raise ApiError(EXPIRED_BEARER_TOKEN)
        return Caller(
            access_key_id=key.access_key_id, account=account, principal=_principal(account, key, token),
            nonce=nonce_key(key.access_key_id, claim.nonce, claim.signed_at),
        )  # fmt: skip

    def _check(self, key: AccessKey, claim: Claim, now: Instant) -> None:
        if not key.active:
            raise ApiError(INACTIVE_ACCESS_KEY)
        if claim.security_token is not None:  # of somebody else, or of nobody: a permanent key has none
            self._tokens.open(claim.security_token, claim.access_key_id, now)

    def _token(self, claim: Claim, now: Instant) -> OpenedToken:
        if claim.security_token is None:
            raise ApiError(MISSING_SECURITY_TOKEN)
        return self._tokens.open(claim.security_token, claim.access_key_id, now)

    def _same_work(self, claim: Claim) -> None:
        """Do for an unknown key what is done for a known one with a wrong signature, so that time tells nothing."""
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


def _temporary(token: OpenedToken) -> AccessKey:
    """Return the key that a token stands for."""
    session = token.session
    return AccessKey(
        access_key_id=session.access_key_id, account_id=session.account_id, kind=KeyKind.HMAC, sealed=b"", active=True,
        user_id=session.user_id,
    )  # fmt: skip


def _principal(account: AccountView, key: AccessKey, token: OpenedToken | None) -> Principal:
    """Return whose policies count.

    :raises ApiError: ``INVALID_ACCESS_KEY``: the user was deleted.
    """
    user = account.users.get(key.user_id) if key.user_id is not None else None
    if user is None and key.user_id is not None:
        raise ApiError(INVALID_ACCESS_KEY)
    policies = None if user is None else user.policies
    if token is None:
        return Principal("" if user is None else user.name, policies)
    return Principal(token.session.name, policies, session=token.policy, temporary=True, mfa=token.session.mfa)
