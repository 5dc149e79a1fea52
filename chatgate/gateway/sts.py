"""Temporary credentials: a key, its secret, and a security token that carries everything, so that no row is kept.

The token is a sealed value (``sealing``): nobody but an installation with the key ring can make or read one. It ends
with its time, with its user, or with the key of the ring that sealed it. Whoever calls signs with the secret and sends
the token along; the caller may then do what the user may (or everything, where it is the account itself), and of that
only what the session's policy allows, if it has one.

A *bearer token* is the same with nothing to sign: who has it is believed. It is sealed for another purpose, so that
neither is ever taken for the other. How Alibaba Cloud makes them is not documented; this way is ours.

Follows Alibaba Cloud "STS: AssumeRole" for the shape of the credentials; how a token is made is ours.
"""

from __future__ import annotations

import base64
import secrets
import string
from dataclasses import dataclass, field

import msgspec

from chatgate.clock import HOUR, MINUTE, Instant
from chatgate.domain.ram import policy
from chatgate.domain.ram.policy import MalformedPolicy, Policy
from chatgate.errors import (
    EXPIRED_BEARER_TOKEN,
    EXPIRED_SECURITY_TOKEN,
    MALFORMED_BEARER_TOKEN,
    MALFORMED_SECURITY_TOKEN,
    MISMATCHED_SECURITY_TOKEN,
    ApiError,
    ErrorCode,
    SettingError,
)
from chatgate.sealing import KeyRing

PREFIX = "STS."
"""Access key ids of temporary credentials begin with it."""

SHORTEST, LONGEST = 15 * MINUTE, 12 * HOUR
"""How long they may live (STS: ``DurationSeconds``)."""

LONGEST_POLICY = 2048
"""Characters of a session policy. Ours: STS's own limit has grown too (1,024 in 2021); the token is in a header."""

OPENED_TOKENS = 10_000
"""Tokens that are kept open in memory, at most."""

SESSION_POLICY = "session"

BEARER_PREFIX = "BEARER."
"""What a call with a bearer token has instead of an access key id begins with it."""

_PURPOSE, _BEARER = "security_tokens", "bearer_tokens"
_LETTERS = string.ascii_letters + string.digits


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token says."""

    access_key_id: str
    secret: str
    account_id: int
    user_id: int | None = None
    """None: the account itself."""
    name: str
    """What the session is called where its calls are explained."""
    expires_at: Instant
    mfa: bool = False
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is handed to the caller, once."""

    access_key_id: str
    secret: str = field(repr=False)
    security_token: str = field(repr=False)
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Bearer:
    """What is handed to the caller, once."""

    token: str = field(repr=False)
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class OpenedToken:
    session: Session = field(repr=False)
    policy: Policy | None


class Tokens:
    """Opens security tokens; each once."""

    def __init__(self, key_ring: KeyRing) -> None:
        self._key_ring = key_ring
        self._opened: dict[tuple[str, str], OpenedToken] = {}
        self._version = key_ring.version

    def open(self, token: str, access_key_id: str, now: Instant) -> OpenedToken:
        """Return what a token says that came with an access key.

        :raises ApiError: ``MALFORMED_SECURITY_TOKEN``, ``MISMATCHED_SECURITY_TOKEN`` or ``EXPIRED_SECURITY_TOKEN``.
        """
        found = self._found(token, _PURPOSE, MALFORMED_SECURITY_TOKEN)
        if found.session.access_key_id != access_key_id:
            raise ApiError(MISMATCHED_SECURITY_TOKEN)
        if now >= found.session.expires_at:
            raise ApiError(EXPIRED_SECURITY_TOKEN)
        return found

    def open_bearer(self, token: str, now: Instant) -> OpenedToken:
        """Return what a bearer token says.

        :raises ApiError: ``MALFORMED_BEARER_TOKEN`` or ``EXPIRED_BEARER_TOKEN``.
        """
        found = self._found(token, _BEARER, MALFORMED_BEARER_TOKEN)
        if now >= found.session.expires_at:
            raise ApiError(EXPIRED_BEARER_TOKEN)
        return found

    def _found(self, token: str, purpose: str, malformed: ErrorCode) -> OpenedToken:
        if self._version != self._key_ring.version:  # what a dropped key sealed must not go on
            self._version = self._key_ring.version
            self._opened.clear()
        found = self._opened.get((purpose, token))
        if found is None:
            found = self._read(token, purpose, malformed)
            if len(self._opened) >= OPENED_TOKENS:
                self._opened.clear()
            self._opened[purpose, token] = found
        return found

    def _read(self, token: str, purpose: str, malformed: ErrorCode) -> OpenedToken:
        try:
            text = self._key_ring.open(base64.b64decode(token, validate=True), purpose)
            session = msgspec.json.decode(text, type=Session)
            own = None if session.policy is None else policy.compiled(SESSION_POLICY, session.policy)
        except (ValueError, SettingError, msgspec.DecodeError, MalformedPolicy):
            raise ApiError(malformed) from None
        return OpenedToken(session, own)


@dataclass(frozen=True, slots=True)
class Wish:
    """What credentials are to be for."""

    account_id: int
    user_id: int | None
    """None: the account itself."""
    name: str
    duration: int
    """Milliseconds."""
    mfa: bool = False
    policy: str | None = None
    """What of all that the owner may; None: all."""


def issue(key_ring: KeyRing, wish: Wish, now: Instant) -> Credentials:
    """Make temporary credentials. Raises SettingError, MalformedPolicy."""
    session = _session(wish, PREFIX + _letters(24), _letters(44), now)
    return Credentials(session.access_key_id, session.secret, _sealed(key_ring, session, _PURPOSE), session.expires_at)


def issue_bearer(key_ring: KeyRing, wish: Wish, now: Instant) -> Bearer:
    """Make a bearer token. Raises SettingError, MalformedPolicy."""
    session = _session(wish, BEARER_PREFIX + _letters(24), "", now)
    return Bearer(_sealed(key_ring, session, _BEARER), session.expires_at)


def _session(wish: Wish, access_key_id: str, secret: str, now: Instant) -> Session:
    if not SHORTEST <= wish.duration <= LONGEST:
        raise SettingError("Temporary credentials live 15 minutes to 12 hours.")
    if wish.policy is not None:
        if len(wish.policy) > LONGEST_POLICY:
            raise SettingError(f"The policy of a session has at most {LONGEST_POLICY} characters.")
        policy.compiled(SESSION_POLICY, wish.policy)
    return Session(
        access_key_id=access_key_id, secret=secret, account_id=wish.account_id, user_id=wish.user_id, name=wish.name,
        expires_at=now + wish.duration, mfa=wish.mfa, policy=wish.policy,
    )  # fmt: skip


def _sealed(key_ring: KeyRing, session: Session, purpose: str) -> str:
    return base64.b64encode(key_ring.seal(msgspec.json.encode(session), purpose)).decode()


def _letters(count: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(count))
