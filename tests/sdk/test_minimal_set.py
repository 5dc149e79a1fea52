"""Every operation that there is, called with the newest Python SDK's typed request, and read into its typed answer."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]

from chatgate.operations.base import all_operations
from tests.e2e.sandbox import SENDER, SPACE, TEMPLATE, new_account, running
from tests.operations.answers import misfits
from tests.sdk import python5
from tests.sdk.calls import TEXT, Call

pytestmark = pytest.mark.xdist_group("sdk")

NOT_HERE = "InvalidParameter.UploadNotSupport"


class Shop:
    """Calls, and keeps which operations were called."""

    def __init__(self, client: Client) -> None:
        self.called: set[str] = set()
        self._client = client

    def __call__(self, action: str, code: str = "OK", **fields: Any) -> Any:
        asked = getattr(models, f"{action}Request")(**fields)
        method = getattr(self._client, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower())
        body = python5.patiently(method, asked)
        assert type(body) is getattr(models, f"{action}ResponseBody")
        body.validate()
        assert (body.code, bool(body.message), bool(body.request_id)) == (code, True, True)
        assert misfits(all_operations()[action], _given(body.to_map())) == []
        self.called.add(action)
        return body


def _given(value: Any) -> Any:
    """Return what an answer says, without the fields that the model has and the answer had not."""
    if isinstance(value, dict):
        return {name: _given(one) for name, one in value.items() if one not in (None, [])}
    return [_given(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    """An account where a template waits for the operator: only such a one can be modified."""
    with running(tmp_path / "data", template_review="manual") as sandbox:
        account = new_account()
        yield Shop(python5.client(Call(sandbox.host, account, account, TEXT)))


def test_every_operation(shop: Shop) -> None:
    _account(shop)
    _templates(shop)
    _messages(shop)
    _senders(shop)
    assert shop.called == all_operations().keys()


def _account(shop: Shop) -> None:
    assert shop("GetChatappOpenStatus").open_status is True
    assert shop("OpenChatappService").open_status is True
    shop("UpdateAccountWebhook", cust_space_id=SPACE, status_callback_url="https://shop.example.com/status")
    shop("UpdatePhoneWebhook", cust_space_id=SPACE, phone_number=SENDER, up_callback_url="https://shop.example.com/up")
    (number,) = shop("QueryChatappPhoneNumbers", cust_space_id=SPACE).phone_numbers
    assert isinstance(number, models.QueryChatappPhoneNumbersResponseBodyPhoneNumbers)
    assert (number.phone_number, number.up_callback_url) == (SENDER, "https://shop.example.com/up")
    made = shop("CreateInstance", channel_type="viber", instance_name="Shop").data
    assert isinstance(made, models.CreateInstanceResponseBodyData)
    listed = shop("ListInstance", page_index=1, page_size=10)
    assert {type(one) for one in listed.data} == {models.ListInstanceResponseBodyData}
    assert listed.total_count == 2
    shown = shop("QueryInstance", instance_id=made.instance_id).data
    assert isinstance(shown, models.QueryInstanceResponseBodyData)
    assert shop("UpdateInstance", instance_id=made.instance_id, instance_name="Bank").data.instance_name == "Bank"
    shop("DeleteInstance", instance_id=made.instance_id)
    assert shop("GetChatappUploadAuthorization", NOT_HERE, cust_space_id=SPACE).data is None
    assert shop("GeneratePresignedUrl", NOT_HERE, file_path="a/b.jpg").data is None


def _templates(shop: Shop) -> None:
    own: dict[str, Any] = {"cust_space_id": SPACE, "template_type": "VIBER"}
    body = models.CreateChatappTemplateRequestComponents(type="BODY", text="Hello $(name)")
    made = shop("CreateChatappTemplate", name="hi", language="en", category="UTILITY", components=[body], **own).data
    assert isinstance(made, models.CreateChatappTemplateResponseBodyData)
    new = models.ModifyChatappTemplateRequestComponents(type="BODY", text="Hi $(name)")
    named: dict[str, Any] = {"template_code": made.template_code, "language": "en", **own}
    assert shop("ModifyChatappTemplate", components=[new], **named).data.template_code == made.template_code
    detail = shop("GetChatappTemplateDetail", **named).data
    assert (detail.audit_status, detail.components[0].text) == ("auditing", "Hi $(name)")
    assert isinstance(detail.components[0], models.GetChatappTemplateDetailResponseBodyDataComponents)
    listed = shop("ListChatappTemplate", cust_space_id=SPACE)
    assert {type(one) for one in listed.list_template} == {models.ListChatappTemplateResponseBodyListTemplate}
    assert listed.total == 2
    shop("DeleteChatappTemplate", **named)


def _messages(shop: Shop) -> None:
    common: dict[str, Any] = {
        "channel_type": "viber", "from_": SENDER, "cust_space_id": SPACE, "label": "promotion", "language": "en",
        "template_code": TEMPLATE,
    }  # fmt: skip
    values = {"param1": "Ann", "param2": "7"}
    sent = shop("SendChatappMessage", type="template", to="639170000001", template_params=values, **common)
    assert len(sent.message_id) == 24
    entry = models.SendChatappMassMessageRequestSenderList(to="639170000001", template_params=values)
    assert len(shop("SendChatappMassMessage", sender_list=[entry], **common).group_message_id) == 24
    page = models.ListChatappMessageRequestPage(index=1, size=10)
    history = shop(
        "ListChatappMessage", business_number=SENDER, channel_type="viber", cust_space_id=SPACE, page=page
    ).data
    assert [type(one) for one in history] == [models.ListChatappMessageResponseBodyData] * 2
    now = int(time.time() * 1000)
    times: dict[str, Any] = {
        "start": now - 86_400_000,
        "end": now + 60_000,
        "granularity": "DAILY",
        "cust_space_id": SPACE,
    }
    (count,) = shop("GetChatappTemplateMetric", template_code=TEMPLATE, template_type="VIBER", **times).data
    assert isinstance(count, models.GetChatappTemplateMetricResponseBodyData)
    counts = shop("GetChatappPhoneNumberMetric", phone_number=SENDER, **times).data
    assert {type(one) for one in counts} <= {models.GetChatappPhoneNumberMetricResponseBodyData}


def _senders(shop: Shop) -> None:
    record = models.AddAuditViberOpenRequestAuditRecord(business_account_name="Shop")
    number = shop("AddAuditViberOpen", cust_space_id=SPACE, audit_record=record).data["RequestNo"]
    new = models.UpdateAuditRequestRequestAuditRecord(business_account_name="Store")
    shop("UpdateAuditRequest", cust_space_id=SPACE, request_no=number, audit_record=new)
    found = shop("GetViberByRequestNo", request_no=number, cust_space_id=SPACE).data
    assert isinstance(found, models.GetViberByRequestNoResponseBodyData)
    assert found.audit_record.business_account_name == "Store"
    still_open = shop("GetAuditRequestByTypeUnAudit", cust_space_id=SPACE, request_type="viberOpen").data
    assert isinstance(still_open, models.GetAuditRequestByTypeUnAuditResponseBodyData)
    country = models.AddAddressRecoverSuspendRequestAuditRecord(message_destination_country=["213|DZ"])
    shop("AddAddressRecoverSuspend", cust_space_id=SPACE, request_type="suspend", audit_record=country)
    assert shop("GetViberPauseTimes", cust_space_id=SPACE).data == {"PauseTimes": 0}
    (service,) = shop("ListViberServiceMessage", cust_space_id=SPACE).data
    assert isinstance(service, models.ListViberServiceMessageResponseBodyData)
