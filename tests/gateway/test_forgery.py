"""A call that is not what its key signed, or not of this time, is refused and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.e2e.sandbox import Sandbox
from tests.gateway.wire import MINUTE, Caller, ask, text

Sign = Callable[..., bytes]

SCHEMES = pytest.mark.parametrize("sign", [Caller.v3, Caller.v1], ids=["V3", "V1"])


def flipped(request: bytes, before: bytes) -> bytes:
    """Return a request with one bit changed, in the last byte of what follows ``before`` up to a separator."""
    start = request.index(before) + len(before)
    end = start + next(i for i, byte in enumerate(request[start:]) if byte in b"&,; \r\n")
    return request[: end - 1] + bytes([request[end - 1] ^ 1]) + request[end:]


@SCHEMES
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_wrong_secret(sandbox: Sandbox, caller: Caller, sign: Sign, method: str) -> None:
    reply = ask(sandbox.host, sign(replace(caller, secret="guessed"), text(), method=method))
    assert (reply.status, reply.code) == (400, "SignatureDoesNotMatch")
    assert sandbox.messages(caller.access_key_id) == []


@SCHEMES
def test_unknown_key(sandbox: Sandbox, sign: Sign) -> None:
    reply = ask(sandbox.host, sign(Caller(sandbox.host, "LTAI5tNobodyHasThisKey00"), text()))
    assert (reply.status, reply.code) == (404, "InvalidAccessKeyId.NotFound")


@SCHEMES
def test_forged_call_does_not_spend_the_nonce(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    """Else anybody who guesses or overhears a nonce could make the call of its owner fail."""
    forged = ask(sandbox.host, sign(replace(caller, secret="guessed"), text(), nonce="overheard"))
    assert forged.code == "SignatureDoesNotMatch"
    assert ask(sandbox.host, sign(caller, text(), nonce="overheard")).code == "OK"


V3_PLACES = {
    "a parameter of the query": (b"&To=", "SignatureDoesNotMatch"),
    "the body": (b"TaskId=", "ContentSha256NotMatched"),
    "the hash of the body": (b"x-acs-content-sha256: ", "ContentSha256NotMatched"),
    "the nonce": (b"x-acs-signature-nonce: ", "SignatureDoesNotMatch"),
    "the operation": (b"x-acs-action: ", "InvalidAction.NotFound"),
    "the host": (b"host: ", "SignatureDoesNotMatch"),
    "the signature": (b"Signature=", "SignatureDoesNotMatch"),
    "the key": (b"Credential=", "SignatureDoesNotMatch"),
}
V1_PLACES = {
    "a parameter of the query": (b"&To=", "SignatureDoesNotMatch"),
    "the body": (b"TaskId=", "SignatureDoesNotMatch"),
    "the nonce": (b"SignatureNonce=", "SignatureDoesNotMatch"),
    "the operation": (b"Action=", "InvalidAction.NotFound"),
    "the signature": (b"Signature=", "SignatureDoesNotMatch"),
    "the key": (b"AccessKeyId=", "SignatureDoesNotMatch"),
}
FLIPS = [
    *[pytest.param(Caller.v3, *flip, id=f"V3, {place}") for place, flip in V3_PLACES.items()],
    *[pytest.param(Caller.v1, *flip, id=f"V1, {place}") for place, flip in V1_PLACES.items()],
]


@pytest.mark.parametrize(("sign", "before", "code"), FLIPS)
def test_one_bit_changed(sandbox: Sandbox, caller: Caller, sign: Sign, before: bytes, code: str) -> None:
    request = sign(caller, text(), form={"TaskId": "17", "Tag": "t"}, nonce="17")
    reply = ask(sandbox.host, flipped(request, before))
    assert reply.code == code
    assert sandbox.messages(caller.access_key_id) == []
    assert ask(sandbox.host, request).code == "OK"  # the call itself was fine


@SCHEMES
@pytest.mark.parametrize("late", [16 * MINUTE, -16 * MINUTE], ids=["stale", "of the future"])
def test_signed_at_another_time(sandbox: Sandbox, caller: Caller, sign: Sign, late: int) -> None:
    reply = ask(sandbox.host, sign(caller, text(), late=late))
    assert (reply.status, reply.code) == (400, "InvalidTimeStamp.Expired")
    assert sandbox.messages(caller.access_key_id) == []


@SCHEMES
@pytest.mark.parametrize("late", [14 * MINUTE, -14 * MINUTE], ids=["slow clock", "fast clock"])
def test_clock_within_the_window(sandbox: Sandbox, caller: Caller, sign: Sign, late: int) -> None:
    assert ask(sandbox.host, sign(caller, text(), late=late)).code == "OK"
