"""The limits of single operations, as the published metadata of CAMS (2024) and the SDK's comments name them."""

from __future__ import annotations

import time
from itertools import count

import pytest

from chatgate.domain.account import AccountView
from chatgate.errors import ApiError
from chatgate.gateway.flow_control import FlowControl
from chatgate.operations.base import all_operations, own_limits
from tests.e2e.sandbox import SPACE, Sandbox
from tests.gateway.wire import Caller, ask_all

DOCUMENTED = {
    "SendChatappMassMessage": 10,
    "CreateChatappTemplate": 50,
    "ModifyChatappTemplate": 50,
    "DeleteChatappTemplate": 5,
    "GetChatappTemplateDetail": 5,
    "ListChatappTemplate": 5,
    "GetChatappTemplateMetric": 50,
    "GetChatappPhoneNumberMetric": 50,
    "GetChatappUploadAuthorization": 5,
    "QueryChatappPhoneNumbers": 10,
    "UpdateAccountWebhook": 10,
    "UpdatePhoneWebhook": 10,
}
"""SendChatappMessage is not among them: its 250 are those of all calls together."""


def test_the_table() -> None:
    assert own_limits(all_operations()) == DOCUMENTED


@pytest.mark.parametrize(("action", "limit"), DOCUMENTED.items())
def test_so_many_and_no_more(action: str, limit: int) -> None:
    """Beside it, other operations of the account go on, and so does another account."""
    account, other = (
        AccountView(
            account_id=number, name="x", subscribed=True, calls_per_second=None, loaded_at=0, spaces={}, senders={},
            templates={}, policies={},
        )
        for number in (1, 2)
    )  # fmt: skip
    moment = count(1)
    control = FlowControl(250, lambda: next(moment), own_limits(all_operations()))
    for _ in range(limit):
        control.admit(account, action)
    with pytest.raises(ApiError) as refused:
        control.admit(account, action)
    assert refused.value.code == "System.LimitControl"
    assert refused.value.headers["x-ratelimit-user-api"].startswith(f"Limit:{limit},Remain:0,TimeLeft:")
    control.admit(account, "GetChatappOpenStatus")
    control.admit(other, action)


def test_over_http(sandbox: Sandbox, caller: Caller) -> None:
    began = time.monotonic()
    calls = [caller.v3({"CustSpaceId": SPACE, "Page": "{}"}, action="ListChatappTemplate") for _ in range(30)]
    replies = ask_all(sandbox.host, calls)
    seconds = int(time.monotonic() - began)
    codes = [reply.json["Code"] for reply in replies]
    assert 5 <= codes.count("OK") <= 5 * (1 + seconds)
    assert set(codes) == {"OK", "System.LimitControl"}
