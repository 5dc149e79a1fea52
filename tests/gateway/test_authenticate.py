"""Who is calling: the code of the first thing that is wrong, whose policies count, and when a key counts as used."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import pytest

from chatgate.clock import HOUR
from chatgate.domain.account import AccessKey, AccountView, KeyKind, User
from chatgate.domain.ram import policy, system_policies
from chatgate.errors import ApiError
from chatgate.gateway import sts
from chatgate.gateway.authenticate import Authenticator, Caller, purpose
from chatgate.gateway.sts import Tokens, Wish
from chatgate.protocol import request as rpc_request
from chatgate.protocol import signature
from chatgate.protocol.signature import Claim
from chatgate.sealing import KeyRing
from chatgate.wire import HttpRequest
from tests import signing

RING = KeyRing({1: b"k" * 32})
NOW = 1_740_830_400_000
ACCOUNT, ALICE, GONE = 7, 11, 12

READ_ONLY = policy.compiled("read", system_policies.TEXTS["AliyunCamsReadOnlyAccess"])


def key(name: str, user_id: int | None = None, active: bool = True) -> AccessKey:
    sealed = RING.seal(f"secret of {name}".encode(), purpose(name))
    return AccessKey(
        access_key_id=name, account_id=ACCOUNT, kind=KeyKind.HMAC, sealed=sealed, active=active, user_id=user_id
    )


@dataclass
class Directory:
    keys: dict[str, AccessKey] = field(
        default_factory=lambda: {
            one.access_key_id: one
            for one in (key("own"), key("hers", ALICE), key("orphan", GONE), key("off", active=False))
        }
    )

    async def access_key(self, access_key_id: str) -> AccessKey | None:
        return self.keys.get(access_key_id)

    async def account(self, key: AccessKey) -> AccountView | None:
        alice = User(user_id=ALICE, name="alice", policies=(READ_ONLY,))
        return AccountView(
            account_id=key.account_id, name="shop", subscribed=True, calls_per_second=None, loaded_at=0, spaces={},
            senders={}, templates={}, policies={}, users={ALICE: alice},
        )  # fmt: skip


class Desk:
    """An authenticator, and who was noted as having used a key."""

    def __init__(self) -> None:
        self.used: list[tuple[str, int]] = []
        self._authenticate = Authenticator(
            Directory(), RING, Tokens(RING), lambda name, now: self.used.append((name, now))
        )

    async def caller(self, name: str, secret: str = "", token: str | None = None, now: int = NOW) -> Caller:
        return await self._authenticate(claim(name, secret or f"secret of {name}", token), now)

    async def refused(self, name: str, secret: str = "", token: str | None = None, now: int = NOW) -> str:
        with pytest.raises(ApiError) as caught:
            await self.caller(name, secret, token, now)
        return caught.value.code


def claim(name: str, secret: str, token: str | None) -> Claim:
    more = {} if token is None else {"x-acs-security-token": token}
    target, headers, body = signing.sign_v3(
        "POST", {"To": "1"}, name, secret, host="h", now=NOW, nonce="n", headers=more
    )
    query = urlsplit(target).query
    assert parse_qsl(query) == [("To", "1")]
    request = HttpRequest(method="POST", path="/", query=query, headers=headers, body=body)
    return signature.read_claim(request, rpc_request.read(request))


def issued(user_id: int | None = ALICE, **more: str) -> sts.Credentials:
    return sts.issue(RING, wish(user_id, **more), NOW)


def wish(user_id: int | None = ALICE, **more: str) -> Wish:
    return Wish(account_id=ACCOUNT, user_id=user_id, name="session", duration=HOUR, **more)  # type: ignore[arg-type]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_key_of_the_account_is_limited_by_no_policy(desk: Desk) -> None:
    caller = await desk.caller("own")
    assert (caller.access_key_id, caller.principal) == ("own", None)


async def test_a_key_of_a_user_is_limited_by_the_users(desk: Desk) -> None:
    caller = await desk.caller("hers")
    assert caller.principal is not None
    assert (caller.principal.name, caller.principal.policies) == ("alice", (READ_ONLY,))
    assert (caller.principal.temporary, caller.principal.mfa, caller.principal.session) == (False, None, None)


async def test_a_session_of_a_user(desk: Desk) -> None:
    made = issued(policy=system_policies.TEXTS["AliyunCamsFullAccess"])
    caller = await desk.caller(made.access_key_id, made.secret, made.security_token)
    assert caller.access_key_id == made.access_key_id
    assert caller.principal is not None
    assert (caller.principal.name, caller.principal.policies) == ("session", (READ_ONLY,))
    assert (caller.principal.temporary, caller.principal.mfa) == (True, False)
    assert caller.principal.session is not None


async def test_a_session_of_the_account(desk: Desk) -> None:
    made = issued(None)
    caller = await desk.caller(made.access_key_id, made.secret, made.security_token)
    assert caller.principal is not None
    assert (caller.principal.policies, caller.principal.session) == (None, None)


async def test_the_first_thing_that_is_wrong(desk: Desk) -> None:
    made, other = issued(), issued()
    temporary, token = made.access_key_id, made.security_token
    late = NOW + 16 * 60_000
    refusals = {
        "unknown": await desk.refused("nobody"),
        "unknown, with a token": await desk.refused("nobody", "", token),
        "disabled": await desk.refused("off"),
        "disabled, wrong secret": await desk.refused("off", "guessed"),
        "wrong secret": await desk.refused("own", "guessed"),
        "late": await desk.refused("own", now=late),
        "late, wrong secret": await desk.refused("own", "guessed", now=late),
        "user gone": await desk.refused("orphan"),
        "with another's token": await desk.refused("own", "", token),
        "with no token that is one": await desk.refused("own", "", "a token"),
        "temporary, no token": await desk.refused(temporary, made.secret),
        "temporary, torn token": await desk.refused(temporary, made.secret, token[:-4]),
        "temporary, another's token": await desk.refused(temporary, made.secret, other.security_token),
        "temporary, expired": await desk.refused(temporary, made.secret, token, now=NOW + HOUR),
        "temporary, late": await desk.refused(temporary, made.secret, token, now=late),
        "temporary, wrong secret": await desk.refused(temporary, "guessed", token),
        "temporary, user gone": await desk.refused(*_signed(issued(GONE))),
    }
    assert refusals == {
        "unknown": "InvalidAccessKeyId.NotFound",
        "unknown, with a token": "InvalidAccessKeyId.NotFound",
        "disabled": "InvalidAccessKeyId.Inactive",
        "disabled, wrong secret": "InvalidAccessKeyId.Inactive",
        "wrong secret": "SignatureDoesNotMatch",
        "late": "InvalidTimeStamp.Expired",
        "late, wrong secret": "InvalidTimeStamp.Expired",
        "user gone": "InvalidAccessKeyId.NotFound",
        "with another's token": "InvalidSecurityToken.MismatchWithAccessKey",
        "with no token that is one": "InvalidSecurityToken.Malformed",
        "temporary, no token": "MissingSecurityToken",
        "temporary, torn token": "InvalidSecurityToken.Malformed",
        "temporary, another's token": "InvalidSecurityToken.MismatchWithAccessKey",
        "temporary, expired": "InvalidSecurityToken.Expired",
        "temporary, late": "InvalidTimeStamp.Expired",
        "temporary, wrong secret": "SignatureDoesNotMatch",
        "temporary, user gone": "InvalidAccessKeyId.NotFound",
    }
    assert desk.used == [("orphan", NOW)]  # it did sign; only whose it is nobody knows any more


async def test_use_is_noted_of_permanent_keys(desk: Desk) -> None:
    await desk.caller("own")
    await desk.caller("hers", now=NOW + 1)
    await desk.caller(*_signed(issued()))
    assert desk.used == [("own", NOW), ("hers", NOW + 1)]


def _signed(made: sts.Credentials) -> tuple[str, str, str]:
    return made.access_key_id, made.secret, made.security_token
