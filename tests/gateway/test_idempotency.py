"""A call with an ``Idempotency-Key`` may be made again, signed afresh, and is still one message."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, new_account, running
from tests.gateway.wire import Caller, Reply, ask, text


def sent(caller: Caller, key: str, **changed: str | None) -> Reply:
    return ask(caller.host, caller.v3(text(**changed), unsigned={"idempotency-key": key}))


def test_same_call_again(sandbox: Sandbox, caller: Caller) -> None:
    first, again = sent(caller, "order 17"), sent(caller, "order 17")
    assert (first.status, first.code) == (again.status, again.code) == (200, "OK")
    assert first.json["MessageId"] == again.json["MessageId"]
    assert first.json["RequestId"] != again.json["RequestId"]
    assert len(sandbox.messages(caller.access_key_id)) == 1


@pytest.mark.parametrize(
    "changed", [{"To": "639170000002"}, {"Content": '{"text":"ho"}'}, {"Ttl": "60"}, {"Label": "transaction"}]
)
def test_other_call_under_the_same_key(sandbox: Sandbox, caller: Caller, changed: dict[str, str]) -> None:
    assert sent(caller, "order 17").code == "OK"
    other = sent(caller, "order 17", **changed)
    assert (other.status, other.code) == (400, "IdempotentParameterMismatch")
    assert "MessageId" not in other.json
    assert len(sandbox.messages(caller.access_key_id)) == 1


def test_keys_differ(sandbox: Sandbox, caller: Caller) -> None:
    replies = [sent(caller, "order 17"), sent(caller, "order 18"), ask(sandbox.host, caller.v3(text()))]
    assert len({reply.json["MessageId"] for reply in replies}) == 3


def test_other_account_has_keys_of_its_own(sandbox: Sandbox, caller: Caller) -> None:
    stranger = Caller(sandbox.host, new_account())
    first, other = sent(caller, "order 17"), sent(stranger, "order 17", To="639170000002")
    assert (first.code, other.code) == ("OK", "OK")
    assert first.json["MessageId"] != other.json["MessageId"]


def test_byte_identical_call_is_a_replay_all_the_same(sandbox: Sandbox, caller: Caller) -> None:
    request = caller.v3(text(), unsigned={"idempotency-key": "order 17"})
    assert ask(sandbox.host, request).code == "OK"
    assert ask(sandbox.host, request).code == "SignatureNonceUsed"


def test_refused_call_does_not_take_the_key(sandbox: Sandbox, caller: Caller) -> None:
    assert sent(caller, "order 17", To="+1").code == "InvalidParameter.ToOnlyNumeric"
    assert sent(caller, "order 17").code == "OK"


def test_eight_at_once(sandbox: Sandbox, caller: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: sent(caller, "order 17"), range(8)))
    assert {reply.code for reply in replies} == {"OK"}
    [message] = sandbox.messages(caller.access_key_id)
    assert {reply.json["MessageId"] for reply in replies} == {message["message_id"]}


@pytest.mark.parametrize("key", ["", "k" * 256], ids=["empty", "256 characters"])
def test_key_that_is_none(sandbox: Sandbox, caller: Caller, key: str) -> None:
    assert sent(caller, key).code == "InvalidParameter.Idempotency-Key"
    assert sandbox.messages(caller.access_key_id) == []


def test_longest_key(caller: Caller) -> None:
    assert sent(caller, "k" * 255).code == "OK"


def test_after_a_restart(tmp_path: Path, account: str) -> None:
    with running(tmp_path / "data") as process:
        first = sent(Caller(process.host, account), "order 17")
        assert first.code == "OK"
    with running(tmp_path / "data") as process:
        caller = Caller(process.host, account)
        assert sent(caller, "order 17").json["MessageId"] == first.json["MessageId"]
        assert sent(caller, "order 17", To="639170000002").code == "IdempotentParameterMismatch"
        assert len(process.messages(account)) == 1
