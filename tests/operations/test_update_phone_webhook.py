"""UpdatePhoneWebhook: what a call does to the two endpoints of a sender."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from alibabacloud_cams20200606.models import UpdatePhoneWebhookRequest  # type: ignore[import-untyped]

from chatgate.errors import ApiError
from chatgate.operations import update_phone_webhook as operation
from chatgate.operations.base import Webhook, all_operations
from tests.operations.desk import Desk
from tests.operations.send_chatapp_message.example import SPACE, Changes, call

STATUS, UP = "https://shop.example/status", "https://shop.example/inbound"
BASE = {"CustSpaceId": SPACE, "PhoneNumber": "27549"}


@pytest.mark.parametrize(
    ("changes", "urls"),
    [
        ({"StatusCallbackUrl": STATUS, "UpCallbackUrl": UP}, {"status": STATUS, "inbound": UP}),
        ({"StatusCallbackUrl": STATUS}, {"status": STATUS}),
        ({"UpCallbackUrl": UP, "HttpFlag": "Y"}, {"inbound": UP}),
        ({"StatusCallbackUrl": STATUS, "UpCallbackUrl": ""}, {"status": STATUS, "inbound": None}),
        ({"UpCallbackUrl": ""}, {"inbound": None}),
        ({"HttpFlag": "N"}, {"status": None, "inbound": None}),
        ({"UpCallbackUrl": UP, "HttpFlag": "N"}, {"status": None, "inbound": None}),
    ],
)
async def test_what_is_not_said_stays(changes: Changes, urls: Mapping[str, str | None]) -> None:
    desk, made = Desk(), call(BASE, changes)
    assert await operation.execute(made, desk) == {"Code": "OK", "Message": "OK"}
    assert desk.webhooks == [(made, [Webhook(sender="27549", kind=kind, url=url) for kind, url in urls.items()])]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CustSpaceId": "theirs", "UpCallbackUrl": UP}, "Unknown.ResourceOwnerId"),
        ({"PhoneNumber": None, "UpCallbackUrl": UP}, "MissingPhoneNumber"),
        ({"PhoneNumber": "27550", "UpCallbackUrl": UP}, "InvalidParameter.PhoneNumber"),
        ({"UpCallbackUrl": UP, "QueueFlag": "Y"}, "InvalidParameter.QueueFlag"),
        ({}, "MissingStatusCallbackUrl"),
        ({"StatusCallbackUrl": STATUS, "UpCallbackUrl": "inbound"}, "InvalidParameter.UpCallbackUrl"),
    ],
)
async def test_refused(changes: Changes, code: str) -> None:
    desk = Desk()
    with pytest.raises(ApiError) as refused:
        await operation.execute(call(BASE, changes), desk)
    assert refused.value.code == code
    assert desk.webhooks == []


async def test_refusal_names_what_could_be_said() -> None:
    with pytest.raises(ApiError, match="StatusCallbackUrl or UpCallbackUrl is needed, or HttpFlag=N"):
        await operation.execute(call(BASE), Desk())


def test_it_is_found_by_its_action() -> None:
    assert all_operations()["UpdatePhoneWebhook"] is operation


def test_every_parameter_of_the_sdk_is_declared() -> None:
    names = set(UpdatePhoneWebhookRequest(**dict.fromkeys(vars(UpdatePhoneWebhookRequest()), "x")).to_map())
    hidden = {"OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"}
    assert {row.name for row in operation.PARAMETERS} == names - hidden
