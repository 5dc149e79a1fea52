"""Operations of other channels are known, and refused once the caller is known; made-up ones are not found."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import alibabacloud_cams20200606.client as sdk  # type: ignore[import-untyped]
import pytest

from chatgate.operations.base import all_operations
from chatgate.protocol.actions import ACTIONS
from tests.e2e.sandbox import Sandbox
from tests.gateway.wire import Caller, ask, ask_all

OTHERS = sorted(ACTIONS - all_operations().keys())


def test_the_list_is_that_of_the_sdk() -> None:
    methods = [name.removesuffix("_with_options") for name in vars(sdk.Client) if name.endswith("_with_options")]
    assert len(ACTIONS) == len(methods) == 172

    def plain(name: str) -> str:
        return re.sub("[^a-z0-9]", "", name.lower())

    assert {plain(name) for name in ACTIONS} == {plain(name) for name in methods}
    assert all_operations().keys() <= ACTIONS


@pytest.mark.parametrize("action", OTHERS[::12])
def test_refused_as_of_another_channel(sandbox: Sandbox, caller: Caller, action: str) -> None:
    request = caller.v3({"WabaId": "1"}, action=action)
    reply = ask(sandbox.host, request)
    assert reply.status == 200
    assert reply.json == {
        "RequestId": reply.json["RequestId"], "Code": "InvalidParameter.ChannelTypeNotSupport",
        "Message": "This operation is not available: the only channel here is Viber.", "Success": False,
    }  # fmt: skip
    assert ask(sandbox.host, request).code == "SignatureNonceUsed"


def test_all_of_them(sandbox: Sandbox, caller: Caller) -> None:
    requests = [caller.v3({}, action=action) for action in OTHERS]
    replies = [reply for n in range(0, len(requests), 8) for reply in ask_all(sandbox.host, requests[n : n + 8])]
    assert {(reply.status, reply.code) for reply in replies} == {(200, "InvalidParameter.ChannelTypeNotSupport")}
    assert len(replies) == len(ACTIONS) - len(all_operations())


def test_in_xml(sandbox: Sandbox, caller: Caller) -> None:
    root = ElementTree.fromstring(ask(sandbox.host, caller.v3({"Format": "XML"}, action="ListFlow")).body)
    assert (root.tag, root.findtext("Code")) == ("ListFlowResponse", "InvalidParameter.ChannelTypeNotSupport")


def test_only_for_who_has_proved_to_be_somebody(sandbox: Sandbox, account: str) -> None:
    assert ask(sandbox.host, Caller(sandbox.host, "nobody").v3({}, action="ListFlow")).status == 404
    forged = ask(sandbox.host, Caller(sandbox.host, account, secret="guessed").v3({}, action="ListFlow"))
    assert forged.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("action", ["listflow", "ListFlows", "SendSms", "base"])
def test_a_name_that_is_none(sandbox: Sandbox, caller: Caller, action: str) -> None:
    reply = ask(sandbox.host, caller.v3({}, action=action))
    assert (reply.status, reply.code) == (404, "InvalidAction.NotFound")
