"""What a caller may do: how the call came is what the policies are asked about."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgate.domain.account import AccountView
from chatgate.domain.ram import policy
from chatgate.domain.ram.decision import Principal
from chatgate.errors import ApiError
from chatgate.gateway.authenticate import Caller as Known
from chatgate.gateway.authorize import authorize
from chatgate.protocol import request as rpc_request
from chatgate.wire import HttpRequest
from tests.e2e.command import chatgate, chatgate_json, until
from tests.e2e.sandbox import Sandbox
from tests.gateway.wire import Caller, ask, text

NOON = 1_740_830_400_000
"""2025-03-01T12:00:00Z"""

ACCOUNT = 7


def known(principal: Principal | None, subscribed: bool = True) -> Known:
    account = AccountView(
        account_id=ACCOUNT, name="shop", subscribed=subscribed, calls_per_second=None, loaded_at=0, spaces={},
        senders={}, templates={}, policies={},
    )  # fmt: skip
    return Known(access_key_id="k", account=account, nonce=b"n", principal=principal)


def allows(mfa: bool | None = None, *, resource: str = "*", action: str = "*", **condition: dict[str, str]) -> bool:
    """Whether a policy with this one statement allows the call below."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition}
    own = policy.compiled("p", json.dumps({"Version": "1", "Statement": [statement]}))
    request = HttpRequest(
        method="GET", path="/", query="Action=SendChatappMessage&Version=2020-06-06&To=639170000001&Ttl=60",
        peer="203.0.113.7", secure=True,
    )  # fmt: skip
    principal = Principal("alice", (own,), mfa=mfa, temporary=mfa is not None)
    try:
        said = authorize(known(principal), rpc_request.read(request), request, NOON)
    except ApiError as error:
        if error.code != "Ram.PermissionDeny":
            raise
        return False
    assert said == "alice may call cams:SendChatappMessage: statement 1 of policy p allows it."
    return True


def test_the_call_is_what_is_asked_about() -> None:
    assert allows(action="cams:SendChatappMessage")
    assert not allows(action="cams:ListChatappMessage")
    assert allows(resource=f"acs:cams:*:{ACCOUNT}:*")
    assert not allows(resource="acs:cams:*:8:*")
    assert allows(IpAddress={"acs:SourceIp": "203.0.113.7"})
    assert not allows(IpAddress={"acs:SourceIp": "203.0.113.8"})
    assert allows(Bool={"acs:SecureTransport": "true"})
    assert not allows(Bool={"acs:SecureTransport": "false"})
    assert allows(DateEquals={"acs:CurrentTime": "2025-03-01T12:00:00Z"})
    assert not allows(DateEquals={"acs:CurrentTime": "2025-03-01T12:00:01Z"})
    assert allows(True, Bool={"acs:MFAPresent": "true"})
    assert not allows(False, Bool={"acs:MFAPresent": "true"})
    assert not allows(None, Bool={"acs:MFAPresent": "true"})
    assert allows(StringEquals={"cams:To": "639170000001"}, NumericLessThan={"cams:Ttl": "61"})
    assert not allows(StringEquals={"cams:Action": "SendChatappMessage"})  # no parameter of the operation


@pytest.mark.parametrize("principal", [None, Principal("alice", ())])
def test_subscription_comes_first(principal: Principal | None) -> None:
    request = HttpRequest(method="GET", path="/", query="Action=A&Version=2020-06-06")
    with pytest.raises(ApiError) as caught:
        authorize(known(principal, subscribed=False), rpc_request.read(request), request, NOON)
    assert caught.value.code == "Product.Unsubscript"
    assert caught.value.denied is None


def test_a_repeated_call_is_explained_once(sandbox: Sandbox, account: str) -> None:
    """By the note of the message, which the call that was repeated did not make."""
    assert ask(sandbox.host, Caller(sandbox.host, account).v3(text())).code == "OK"
    chatgate(sandbox, "user", "create", account, "alice")
    chatgate(sandbox, "policy", "attach", account, "AliyunCamsFullAccess", "alice")
    made = chatgate_json(sandbox, "key", "create", account, "--user", "alice")
    alice = Caller(sandbox.host, made["access_key_id"], made["access_key_secret"])
    until(lambda: ask(sandbox.host, alice.v3(text())).code == "OK")
    replies = [ask(sandbox.host, alice.v3(text(), unsigned={"idempotency-key": "7"})).json for _ in range(2)]
    first, second = (reply["MessageId"] for reply in replies)
    assert first == second
    events = [step["event"] for step in chatgate_json(sandbox, "why", first)["steps"]]
    assert events.count("allowed") == 1
