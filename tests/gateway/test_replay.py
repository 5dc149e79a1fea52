"""A signed call counts once, whenever and however often it is sent."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, new_account, running
from tests.gateway.wire import Caller, ask, ask_all, text

Sign = Callable[..., bytes]

SCHEMES = pytest.mark.parametrize("sign", [Caller.v3, Caller.v1], ids=["V3", "V1"])


@SCHEMES
def test_sent_again(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    request = sign(caller, text())
    assert ask(sandbox.host, request).code == "OK"
    again = ask(sandbox.host, request)
    assert (again.status, again.code) == (400, "SignatureNonceUsed")
    assert len(sandbox.messages(caller.access_key_id)) == 1


@SCHEMES
def test_refused_call_sent_again(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    request = sign(caller, text(To="+1"))
    assert ask(sandbox.host, request).code == "InvalidParameter.ToOnlyNumeric"
    assert ask(sandbox.host, request).code == "SignatureNonceUsed"


def test_same_nonce_for_another_call(sandbox: Sandbox, caller: Caller) -> None:
    now = round(time.time() * 1000)
    assert ask(sandbox.host, caller.v3(text(), nonce="n", now=now)).code == "OK"
    assert ask(sandbox.host, caller.v3(text(To="639170000002"), nonce="n", now=now)).code == "SignatureNonceUsed"


def test_same_nonce_of_another_key(sandbox: Sandbox, caller: Caller) -> None:
    now = round(time.time() * 1000)
    assert ask(sandbox.host, caller.v3(text(), nonce="n", now=now)).code == "OK"
    assert ask(sandbox.host, Caller(sandbox.host, new_account()).v3(text(), nonce="n", now=now)).code == "OK"


@SCHEMES
def test_eight_at_once(sandbox: Sandbox, caller: Caller, sign: Sign) -> None:
    request = sign(caller, text())
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: ask(sandbox.host, request), range(8)))
    assert sorted(reply.code for reply in replies) == ["OK", *["SignatureNonceUsed"] * 7]
    assert len(sandbox.messages(caller.access_key_id)) == 1


def test_after_a_restart(tmp_path: Path, account: str) -> None:
    with running(tmp_path / "data") as first:
        caller = Caller(first.host, account)
        accepted, refused = caller.v3(text()), caller.v1(text(To="+1"))
        [ok, not_valid] = ask_all(first.host, [accepted, refused])
        assert (ok.code, not_valid.code) == ("OK", "InvalidParameter.ToOnlyNumeric")
    with running(tmp_path / "data") as second:
        assert [reply.code for reply in ask_all(second.host, [accepted, refused])] == ["SignatureNonceUsed"] * 2
        [message] = second.messages(account)
        assert message["message_id"] == ok.json["MessageId"]
        assert ask(second.host, Caller(second.host, account).v3(text())).code == "OK"


def test_replays_do_not_use_up_the_limit(sandbox: Sandbox, caller: Caller) -> None:
    """Else an eavesdropper could shut a customer out by repeating one call of his."""
    request = caller.v3(text())
    codes = [reply.code for _ in range(4) for reply in ask_all(sandbox.host, [request] * 75)]
    assert codes == ["OK", *["SignatureNonceUsed"] * 299]
    fresh = [caller.v3(text()) for _ in range(249)]
    codes = [reply.code for start in range(0, 249, 83) for reply in ask_all(sandbox.host, fresh[start : start + 83])]
    assert codes == ["OK"] * 249
