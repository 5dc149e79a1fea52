"""CreateInstance, QueryInstance, ListInstance, UpdateInstance, DeleteInstance."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]

from chatgate.domain.account import Space
from chatgate.errors import ApiError
from chatgate.operations.base import Call, SpaceChange, all_operations
from chatgate.operations.create_instance import MOST
from tests.operations.answers import misfits
from tests.operations.desk import Desk
from tests.operations.send_chatapp_message.example import ACCOUNT, SPACE, call

OPERATIONS = all_operations()

SHOP = Space(space_id="cams-shop", made_at=7000, details={"InstanceName": "Shop", "InstanceDescription": "Orders"})
OWNER = msgspec.structs.replace(ACCOUNT, spaces={SPACE: Space(space_id=SPACE), "cams-shop": SHOP})
CREATE = {"ChannelType": "Viber", "InstanceName": "Bank", "InstanceDescription": "Codes", "CountryId": "PH"}


def made(params: dict[str, str], account: Any = OWNER) -> Call:
    return msgspec.structs.replace(call(params), account=account, now=9000)


async def run(name: str, params: dict[str, str], desk: Desk | None = None, account: Any = OWNER) -> dict[str, Any]:
    answer: dict[str, Any] = await OPERATIONS[name].execute(made(params, account), desk or Desk())
    assert (answer["Code"], answer["Success"]) == ("OK", True)
    assert misfits(OPERATIONS[name], answer) == []
    return answer


async def refused(name: str, params: dict[str, str], account: Any = OWNER) -> str:
    desk = Desk()
    with pytest.raises(ApiError) as refusal:
        await OPERATIONS[name].execute(made(params, account), desk)
    assert desk.spaces == []
    return refusal.value.code


async def test_create() -> None:
    desk = Desk()
    data = (await run("CreateInstance", CREATE, desk))["Data"]
    assert re.fullmatch("cams-[a-z0-9]{12}", data["InstanceId"])
    assert (data["InstanceName"], data["ChannelType"], data["SubmitTime"]) == ("Bank", "viber", "9000")
    [(_, change)] = desk.spaces
    details = {"InstanceName": "Bank", "InstanceDescription": "Codes", "CountryId": "PH"}
    assert change == SpaceChange(space_id=data["InstanceId"], details=details, most=MOST)


async def test_query() -> None:
    data = (await run("QueryInstance", {"InstanceId": "cams-shop"}))["Data"]
    assert (data["InstanceName"], data["InstanceDescription"], data["SubmitTime"]) == ("Shop", "Orders", "7000")
    data = (await run("QueryInstance", {"InstanceId": SPACE}))["Data"]
    assert (data["InstanceName"], data["InstanceDescription"], data["SubmitTime"]) == (SPACE, "", "")


@pytest.mark.parametrize(
    ("params", "found", "total"),
    [
        ({}, [SPACE, "cams-shop"], 2),
        ({"PageSize": "1"}, [SPACE], 2),
        ({"PageSize": "1", "PageIndex": "2"}, ["cams-shop"], 2),
        ({"PageIndex": "3"}, [], 2),
        ({"ChannelType": "VIBER"}, [SPACE, "cams-shop"], 2),
        ({"ChannelType": "whatsapp"}, [], 0),
        ({"InstanceId": "cams-shop"}, ["cams-shop"], 1),
        ({"InstanceName": "Shop"}, ["cams-shop"], 1),
        ({"InstanceName": "shop"}, [], 0),
        ({"FilterStr": "sho"}, ["cams-shop"], 1),
        ({"FilterStr": SPACE[3:7]}, [SPACE], 1),
        ({"IsBind": "True", "BindId": "x"}, [SPACE, "cams-shop"], 2),
    ],
)
async def test_list(params: dict[str, str], found: list[str], total: int) -> None:
    answer = await run("ListInstance", params)
    assert [one["InstanceId"] for one in answer["Data"]] == found == [one["CustSpaceId"] for one in answer["Data"]]
    assert answer["TotalCount"] == total


async def test_update_keeps_what_is_not_said() -> None:
    desk = Desk()
    data = (await run("UpdateInstance", {"InstanceId": "cams-shop", "InstanceName": "New"}, desk))["Data"]
    assert (data["InstanceName"], data["InstanceDescription"], data["Description"]) == ("New", "Orders", "Orders")
    [(_, change)] = desk.spaces
    assert change == SpaceChange(space_id="cams-shop", details={"InstanceName": "New"})


async def test_delete() -> None:
    desk = Desk()
    await run("DeleteInstance", {"InstanceId": "cams-shop"}, desk)
    assert [change for _, change in desk.spaces] == [SpaceChange(space_id="cams-shop", details=None)]


@pytest.mark.parametrize(
    ("name", "params", "code"),
    [
        ("CreateInstance", {"InstanceName": "x"}, "MissingChannelType"),
        ("CreateInstance", {**CREATE, "ChannelType": "whatsapp"}, "InvalidParameter.ChannelTypeNotSupport"),
        ("CreateInstance", {"ChannelType": "viber"}, "MissingInstanceName"),
        ("CreateInstance", {**CREATE, "InstanceName": "x" * 101}, "InvalidParameter.InstanceName"),
        ("QueryInstance", {}, "MissingInstanceId"),
        ("QueryInstance", {"InstanceId": "theirs"}, "Unknown.ResourceOwnerId"),
        ("UpdateInstance", {"InstanceId": "theirs", "InstanceName": "x"}, "Unknown.ResourceOwnerId"),
        ("UpdateInstance", {"InstanceId": "cams-shop"}, "MissingInstanceName"),
        ("DeleteInstance", {"InstanceId": "theirs"}, "Unknown.ResourceOwnerId"),
        ("ListInstance", {"PageSize": "101"}, "InvalidParameter.PageSize"),
        ("ListInstance", {"PageIndex": "0"}, "InvalidParameter.PageIndex"),
    ],
)
async def test_refused(name: str, params: dict[str, str], code: str) -> None:
    assert await refused(name, params) == code


@pytest.mark.parametrize(
    "name", ["CreateInstance", "QueryInstance", "ListInstance", "UpdateInstance", "DeleteInstance"]
)
def test_every_parameter_of_the_sdk_is_declared(name: str) -> None:
    request = getattr(models, f"{name}Request")
    names = set(request(**dict.fromkeys(vars(request()), "x")).to_map())
    assert {row.name for row in OPERATIONS[name].PARAMETERS} == names
