"""A bearer token: whose it is, what is refused first, and that it is taken over TLS only."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from chatgate.clock import HOUR
from chatgate.errors import ApiError
from chatgate.gateway import sts
from chatgate.gateway.authenticate import Authenticator, Caller
from chatgate.gateway.sts import Tokens, Wish
from chatgate.protocol import request as rpc_request
from chatgate.protocol import signature
from chatgate.wire import HttpRequest
from tests.gateway.test_authenticate import ACCOUNT, GONE, NOW, READ_ONLY, RING, Directory, wish

MINUTE = 60_000


def token(of: Wish | None = None) -> str:
    return sts.issue_bearer(RING, of or wish(), NOW).token


async def caller(
    bearer: str, *, now: int = NOW, nonce: str = "n", secure: bool = True, plain_bearer: bool = False
) -> Caller:
    """Call with a token, beside which stand the time ``NOW`` and a nonce."""
    query = urlencode({
        "Action": "A", "Version": "V", "SignatureType": "BEARERTOKEN", "BearerToken": bearer,
        "Timestamp": "2025-03-01T12:00:00Z", "SignatureNonce": nonce,
    })  # fmt: skip
    request = HttpRequest(method="POST", path="/", query=query, secure=secure)
    claim = signature.read_claim(request, rpc_request.read(request))
    used: list[str] = []
    authenticate = Authenticator(
        Directory(), RING, Tokens(RING), lambda name, _now: used.append(name), plain_bearer=plain_bearer
    )
    found = await authenticate(claim, now)
    assert used == []
    return found


async def refused(bearer: str, *, now: int = NOW, secure: bool = True) -> str:
    with pytest.raises(ApiError) as caught:
        await caller(bearer, now=now, secure=secure)
    return caught.value.code


async def test_of_a_user() -> None:
    found = await caller(token())
    assert found.access_key_id.startswith("BEARER.")
    assert found.account.account_id == ACCOUNT
    assert found.principal is not None
    assert (found.principal.name, found.principal.policies) == ("session", (READ_ONLY,))
    assert found.principal.temporary


async def test_of_the_account() -> None:
    found = await caller(token(wish(None)))
    assert found.principal is not None
    assert (found.principal.policies, found.principal.session) == (None, None)


async def test_the_first_thing_that_is_wrong() -> None:
    made, late = token(), NOW + 16 * MINUTE
    assert {
        "over plain HTTP": await refused(made, secure=False),
        "nobody's, over plain HTTP": await refused("a token", secure=False),
        "nobody's": await refused("a token"),
        "torn": await refused(made[:-4]),
        "expired": await refused(made, now=NOW + HOUR),
        "late": await refused(made, now=late),
        "user gone": await refused(token(wish(GONE))),
    } == {
        "over plain HTTP": "InvalidProtocol.NeedSsl",
        "nobody's, over plain HTTP": "InvalidProtocol.NeedSsl",
        "nobody's": "InvalidBearerToken.Malformed",
        "torn": "InvalidBearerToken.Malformed",
        "expired": "InvalidBearerToken.Expired",
        "late": "InvalidTimeStamp.Expired",
        "user gone": "InvalidBearerToken.Expired",
    }


async def test_where_nothing_leaves_the_machine() -> None:
    assert await caller(token(), secure=False, plain_bearer=True)


async def test_a_nonce_is_used_once_with_a_token() -> None:
    """The same request again is a replay; with another token, or another nonce, it is another request."""
    one, other = token(), token()
    nonces = [(await caller(made, nonce=nonce)).nonce for made in (one, other) for nonce in ("a", "b", "a")]
    assert nonces[0] == nonces[2]
    assert len(set(nonces)) == 4
