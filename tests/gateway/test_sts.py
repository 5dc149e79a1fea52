"""Security tokens: what is issued opens, and nothing else does."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate import sealing
from chatgate.clock import HOUR, MINUTE
from chatgate.errors import ApiError
from chatgate.gateway import sts
from chatgate.gateway.sts import Credentials, Tokens, Wish
from chatgate.sealing import KeyRing

RING = KeyRing({1: b"k" * 32})
NOW = 1_740_830_400_000


def issued(ring: KeyRing = RING, duration: int = HOUR) -> Credentials:
    return sts.issue(ring, Wish(account_id=7, user_id=11, name="alice", duration=duration), NOW)


def refused(tokens: Tokens, token: str, access_key_id: str, now: int = NOW) -> str:
    with pytest.raises(ApiError) as caught:
        tokens.open(token, access_key_id, now)
    return caught.value.code


def test_what_was_issued_opens() -> None:
    made, tokens = issued(), Tokens(RING)
    for _ in range(2):  # the second time from memory
        session = tokens.open(made.security_token, made.access_key_id, NOW).session
        assert (session.account_id, session.user_id, session.name) == (7, 11, "alice")
        assert (session.access_key_id, session.secret) == (made.access_key_id, made.secret)


def test_no_two_are_the_same() -> None:
    one, other = issued(), issued()
    assert len({one.access_key_id, other.access_key_id, one.secret, other.secret}) == 4


@pytest.mark.parametrize("duration", [15 * MINUTE, HOUR, 12 * HOUR])
def test_its_time(duration: int) -> None:
    """Also of one that was opened before."""
    made, tokens = issued(duration=duration), Tokens(RING)
    assert tokens.open(made.security_token, made.access_key_id, NOW + duration - 1)
    assert refused(tokens, made.security_token, made.access_key_id, NOW + duration) == "InvalidSecurityToken.Expired"


def test_of_another_key() -> None:
    """Also one that is expired too: whose it is comes first."""
    one, other, tokens = issued(), issued(), Tokens(RING)
    for now in (NOW, NOW + HOUR):
        code = refused(tokens, one.security_token, other.access_key_id, now)
        assert code == "InvalidSecurityToken.MismatchWithAccessKey"


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_byte_changed(place: int, change: int) -> None:
    made = issued()
    raw = bytearray(base64.b64decode(made.security_token))
    raw[place % len(raw)] ^= change
    forged = base64.b64encode(raw).decode()
    assert refused(Tokens(RING), forged, made.access_key_id) == "InvalidSecurityToken.Malformed"


@given(st.text(max_size=200))
def test_any_text(token: str) -> None:
    assert refused(Tokens(RING), token, "STS.x") == "InvalidSecurityToken.Malformed"


def test_other_sealed_values_are_no_tokens() -> None:
    """A sealed secret of the database, copied out of it, does not pass as a token."""
    made = issued()
    raw = base64.b64decode(made.security_token)
    session = RING.open(raw, "security_tokens")
    for purpose in ("access_keys|STS.x", "canary", ""):
        forged = base64.b64encode(RING.seal(session, purpose)).decode()
        assert refused(Tokens(RING), forged, made.access_key_id) == "InvalidSecurityToken.Malformed"


def test_of_another_installation() -> None:
    made = issued(KeyRing({1: b"x" * 32}))
    assert refused(Tokens(RING), made.security_token, made.access_key_id) == "InvalidSecurityToken.Malformed"


def test_it_ends_with_the_key_that_sealed_it(tmp_path: Path) -> None:
    """Also one that was opened before the key was dropped."""
    file = tmp_path / "key-ring"
    ring = sealing.load_or_create(file)
    made, tokens = issued(ring), Tokens(ring)
    assert tokens.open(made.security_token, made.access_key_id, NOW)
    sealing.add_key(file)
    ring.reload()
    assert tokens.open(made.security_token, made.access_key_id, NOW)
    sealing.drop_key(file, 1)
    ring.reload()
    assert refused(tokens, made.security_token, made.access_key_id) == "InvalidSecurityToken.Malformed"


def test_a_bearer_token_is_no_security_token() -> None:
    """Nor the other way round, though both are the same session: each is sealed for its purpose."""
    made, bearer = issued(), sts.issue_bearer(RING, Wish(account_id=7, user_id=11, name="alice", duration=HOUR), NOW)
    tokens = Tokens(RING)
    session = tokens.open_bearer(bearer.token, NOW).session
    assert (session.account_id, session.user_id, session.secret) == (7, 11, "")
    assert refused(tokens, bearer.token, session.access_key_id) == "InvalidSecurityToken.Malformed"
    with pytest.raises(ApiError) as caught:
        tokens.open_bearer(made.security_token, NOW)
    assert caught.value.code == "InvalidBearerToken.Malformed"
    assert bearer.token not in repr(bearer)


def test_credentials_are_not_printed() -> None:
    made = issued()
    assert made.secret not in repr(made)
    assert made.security_token not in repr(made)
    assert made.secret not in repr(Tokens(RING).open(made.security_token, made.access_key_id, NOW))
