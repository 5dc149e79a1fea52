"""QueryChatappPhoneNumbers, GetChatappPhoneNumberMetric, and the operations that say what is not here."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]

from chatgate.clock import DAY
from chatgate.domain.traffic import Period, Traffic
from chatgate.errors import ApiError
from chatgate.operations.base import Webhook, all_operations
from tests.operations.answers import misfits
from tests.operations.desk import Desk
from tests.operations.send_chatapp_message.example import ACCOUNT, SPACE, call

OPERATIONS = all_operations()
HIDDEN = {"OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"}

LISTENING = [
    Webhook(sender="", kind="status", url="https://shop.example/status"),
    Webhook(sender="27549", kind="status", url="https://shop.example/27549"),
    Webhook(sender="27549", kind="inbound", url="https://shop.example/replies"),
]


async def run(name: str, params: dict[str, str], desk: Desk | None = None, account: Any = ACCOUNT) -> dict[str, Any]:
    made = msgspec.structs.replace(call(params), account=account)
    answer: dict[str, Any] = await OPERATIONS[name].execute(made, desk or Desk())
    assert answer["Code"] == "OK"
    assert misfits(OPERATIONS[name], answer) == []
    return answer


async def refused(name: str, params: dict[str, str], account: Any = ACCOUNT) -> str:
    with pytest.raises(ApiError) as refusal:
        await run(name, params, account=account)
    return refusal.value.code


async def test_numbers() -> None:
    found = (await run("QueryChatappPhoneNumbers", {}, Desk(listening=LISTENING)))["PhoneNumbers"]
    assert {one["PhoneNumber"]: one["Status"] for one in found} == {
        "27549": "CONNECTED", "1": "RESTRICTED", "2": "BANNED", "3": "PENDING", "4": "DISCONNECTED", "5": "CONNECTED",
    }  # fmt: skip
    assert {one["PhoneNumber"]: one["CodeVerificationStatus"] for one in found}["3"] == "NOT_VERIFIED"
    urls = {one["PhoneNumber"]: (one["StatusCallbackUrl"], one["UpCallbackUrl"]) for one in found}
    assert urls["27549"] == ("https://shop.example/27549", "https://shop.example/replies")
    assert urls["1"] == ("https://shop.example/status", "")


async def test_numbers_narrowed() -> None:
    found = await run("QueryChatappPhoneNumbers", {"Status": "BANNED", "CustSpaceId": SPACE})
    assert [one["PhoneNumber"] for one in found["PhoneNumbers"]] == ["2"]
    assert await refused("QueryChatappPhoneNumbers", {"CustSpaceId": "theirs"}) == "Unknown.ResourceOwnerId"
    assert await refused("QueryChatappPhoneNumbers", {"Status": "banned"}) == "InvalidParameter.Status"


async def test_metric() -> None:
    desk = Desk(traffic=[Traffic(sender="27549", start=DAY, sent=5, delivered=4)])
    params = {"Start": str(DAY), "End": str(2 * DAY), "PhoneNumber": "27549"}
    answer = await run("GetChatappPhoneNumberMetric", params, desk)
    assert answer["Data"] == [{
        "PhoneNumber": "27549", "Start": DAY, "End": 2 * DAY, "Granularity": "DAILY", "SentCount": 5,
        "DeliveredCount": 4,
    }]  # fmt: skip
    await run("GetChatappPhoneNumberMetric", {"Start": "0", "End": "1", "Granularity": "HALF_HOUR"}, desk)
    assert desk.periods == [
        Period(start=DAY, end=2 * DAY, span=DAY, sender="27549"),
        Period(start=0, end=1, span=30 * 60 * 1000, sender=None),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Start": ""}, "MissingStart"),
        ({"End": ""}, "MissingEnd"),
        ({"End": "0"}, "InvalidParameter.End"),
        ({"End": str(91 * DAY)}, "InvalidParameter.End"),
        ({"Granularity": "WEEK"}, "InvalidParameter.Granularity"),
        ({"PhoneNumber": "99"}, "InvalidParameter.PhoneNumber"),
        ({"CustSpaceId": "theirs"}, "Unknown.ResourceOwnerId"),
    ],
)
async def test_metric_refused(changes: dict[str, str], code: str) -> None:
    assert await refused("GetChatappPhoneNumberMetric", {"Start": "0", "End": "1", **changes}) == code


async def test_open_status() -> None:
    closed = msgspec.structs.replace(ACCOUNT, subscribed=False)
    assert (await run("GetChatappOpenStatus", {}))["OpenStatus"] is True
    assert (await run("GetChatappOpenStatus", {}, account=closed))["OpenStatus"] is False
    assert (await run("OpenChatappService", {}))["OpenStatus"] is True
    assert await refused("OpenChatappService", {}, closed) == "Product.Unsubscript"


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("GetChatappUploadAuthorization", {"CustSpaceId": SPACE}, "InvalidParameter.UploadNotSupport"),
        ("GetChatappUploadAuthorization", {"CustSpaceId": "theirs"}, "Unknown.ResourceOwnerId"),
        ("GetChatappUploadAuthorization", {}, "MissingCustSpaceId"),
        ("GeneratePresignedUrl", {"FilePath": "a/b.jpg"}, "InvalidParameter.UploadNotSupport"),
        ("GeneratePresignedUrl", {}, "MissingFilePath"),
    ],
)
async def test_no_uploads(name: str, params: dict[str, str], code: str) -> None:
    assert await refused(name, params) == code


@pytest.mark.parametrize(
    "name",
    ["QueryChatappPhoneNumbers", "GetChatappPhoneNumberMetric", "GetChatappOpenStatus", "OpenChatappService",
     "GetChatappUploadAuthorization", "GeneratePresignedUrl"],
)  # fmt: skip
def test_every_parameter_of_the_sdk_is_declared(name: str) -> None:
    request = getattr(models, f"{name}Request")
    names = set(request(**dict.fromkeys(vars(request()), "x")).to_map())
    assert {row.name for row in OPERATIONS[name].PARAMETERS} == names - HIDDEN
