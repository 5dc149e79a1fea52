"""UpdateAccountWebhook: what a call does to the account's endpoint."""

from __future__ import annotations

import pytest
from alibabacloud_cams20200606.models import UpdateAccountWebhookRequest  # type: ignore[import-untyped]

from chatgate.errors import ApiError
from chatgate.operations import update_account_webhook as operation
from chatgate.operations.base import Webhook, all_operations
from tests.operations.desk import Desk
from tests.operations.send_chatapp_message.example import SPACE, Changes, call

URL = "https://shop.example/status"
BASE = {"CustSpaceId": SPACE}


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"StatusCallbackUrl": URL}, URL),
        ({"StatusCallbackUrl": "http://shop.example:8080/?a=b"}, "http://shop.example:8080/?a=b"),
        ({"StatusCallbackUrl": URL, "HttpFlag": "Y", "QueueFlag": "N"}, URL),
        ({"StatusCallbackUrl": ""}, None),
        ({"StatusCallbackUrl": URL, "HttpFlag": "N"}, None),
        ({"HttpFlag": "N"}, None),
        ({"StatusCallbackUrl": URL, "CustSpaceId": "tasks"}, URL),
    ],
)
async def test_set(changes: Changes, url: str | None) -> None:
    desk, made = Desk(), call(BASE, changes)
    assert await operation.execute(made, desk) == {"Code": "OK", "Message": "OK"}
    assert desk.webhooks == [(made, [Webhook(sender="", kind="status", url=url)])]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CustSpaceId": None, "StatusCallbackUrl": URL}, "MissingCustSpaceId"),
        ({"CustSpaceId": "theirs", "StatusCallbackUrl": URL}, "Unknown.ResourceOwnerId"),
        ({"StatusCallbackUrl": URL, "QueueFlag": "Y"}, "InvalidParameter.QueueFlag"),
        ({"StatusCallbackUrl": URL, "QueueFlag": "y"}, "InvalidParameter.QueueFlag"),
        ({"StatusCallbackUrl": URL, "HttpFlag": "true"}, "InvalidParameter.HttpFlag"),
        ({}, "MissingStatusCallbackUrl"),
        ({"HttpFlag": "Y", "QueueFlag": "N"}, "MissingStatusCallbackUrl"),
        ({"StatusCallbackUrl": "shop.example"}, "InvalidParameter.StatusCallbackUrl"),
        ({"StatusCallbackUrl": "ftp://shop.example"}, "InvalidParameter.StatusCallbackUrl"),
        ({"StatusCallbackUrl": "https://user:pass@shop.example"}, "InvalidParameter.StatusCallbackUrl"),
        ({"StatusCallbackUrl": "https://shop.example/a b"}, "InvalidParameter.StatusCallbackUrl"),
        ({"StatusCallbackUrl": " "}, "InvalidParameter.StatusCallbackUrl"),
        ({"StatusCallbackUrl": "https://shop.example/" + "x" * 2000}, "InvalidParameter.StatusCallbackUrl"),
    ],
)
async def test_refused(changes: Changes, code: str) -> None:
    desk = Desk()
    with pytest.raises(ApiError) as refused:
        await operation.execute(call(BASE, changes), desk)
    assert refused.value.code == code
    assert desk.webhooks == []


def test_it_is_found_by_its_action() -> None:
    assert all_operations()["UpdateAccountWebhook"] is operation


def test_every_parameter_of_the_sdk_is_declared() -> None:
    names = set(UpdateAccountWebhookRequest(**dict.fromkeys(vars(UpdateAccountWebhookRequest()), "x")).to_map())
    hidden = {"OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"}
    assert {row.name for row in operation.PARAMETERS} == names - hidden
