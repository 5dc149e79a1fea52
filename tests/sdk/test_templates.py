"""Templates with the newest Python SDK's typed methods: made, read, listed, sent, changed, counted, deleted."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.exceptions import ClientException  # type: ignore[import-untyped]

from tests.e2e.sandbox import SENDER, SPACE, TEMPLATE, Sandbox
from tests.gateway.wire import Caller, ask
from tests.sdk import python5
from tests.sdk.calls import TEXT, Call

pytestmark = pytest.mark.xdist_group("sdk")

Component = models.CreateChatappTemplateRequestComponents
Button = models.CreateChatappTemplateRequestComponentsButtons
NewComponent = models.ModifyChatappTemplateRequestComponents

PARCEL = [
    Component(type="HEADER", format="IMAGE", url="https://cdn.example.com/a.jpg"),
    Component(type="BODY", text="Hello $(name), order $(no) has left."),
    Component(
        type="BUTTONS",
        buttons=[Button(type="URL", text="Track", url="https://shop.example.com/$(no)", url_type="dynamic")],
    ),
]


@pytest.fixture
def call(sandbox: Sandbox, account: str) -> Call:
    return Call(sandbox.host, account, account, TEXT)


@pytest.fixture
def client(call: Call) -> Client:
    return python5.client(call)


@pytest.fixture
def stranger(call: Call) -> Client:
    """Another account."""
    return python5.client(replace(call, access_key_id=f"{call.access_key_id}-b", secret=f"{call.access_key_id}-b"))


def create(client: Client, name: str = "parcel", **changes: Any) -> Any:
    asked = {
        "name": name, "category": "UTILITY", "components": PARCEL, "language": "en", "template_type": "VIBER",
        "cust_space_id": SPACE, "example": {"name": "Ann", "no": "7"},
    }  # fmt: skip
    return client.create_chatapp_template(models.CreateChatappTemplateRequest(**asked | changes)).body


def detail(client: Client, code: str | None = None, language: str = "en", **more: Any) -> Any:
    asked = models.GetChatappTemplateDetailRequest(
        template_code=code, language=language, template_type="VIBER", cust_space_id=SPACE, **more
    )
    return python5.patiently(client.get_chatapp_template_detail, asked)


def listed(client: Client, **asked: Any) -> list[tuple[str, str]]:
    """Return name and language of one page; the first in the list is the last changed."""
    wanted = models.ListChatappTemplateRequest(cust_space_id=SPACE, **asked)
    body = python5.patiently(client.list_chatapp_template, wanted)
    assert (body.code, body.success) == ("OK", True)
    assert body.total >= len(body.list_template)
    return [(one.template_name, one.language) for one in body.list_template]


def test_create_and_detail(client: Client) -> None:
    body = create(client, message_send_ttl_seconds=300)
    assert (body.code, body.message, body.success, body.data.template_name) == ("OK", "OK", True, "parcel")
    for found in (detail(client, body.data.template_code), detail(client, template_name="parcel")):
        assert (found.code, found.success) == ("OK", True)
        data = found.data
        assert (data.template_code, data.name, data.language) == (body.data.template_code, "parcel", "en")
        assert (data.category, data.template_type, data.audit_status) == ("UTILITY", "VIBER", "pass")
        assert (data.reason, data.allow_send, data.message_send_ttl_seconds) == ("", True, 300)
        assert data.example == {"name": "Ann", "no": "7"}
        assert [_as_written(one) for one in data.components] == [_as_written(one) for one in PARCEL]


def _as_written(component: Any) -> dict[str, Any]:
    written = {key: value for key, value in component.to_map().items() if value}
    if buttons := written.get("Buttons"):
        written["Buttons"] = [{key: value for key, value in button.items() if value} for button in buttons]
    return written


def test_what_was_created_is_sent(sandbox: Sandbox, call: Call, client: Client) -> None:
    code = create(client).data.template_code
    params: dict[str, object] = {
        "ChannelType": "viber", "Type": "template", "Label": "promotion", "From": SENDER, "To": "639170000061",
        "TemplateCode": code, "Language": "en", "TemplateParams": {"name": "Ann", "no": "7"},
    }  # fmt: skip
    [outcome] = python5.run([replace(call, params=params)])
    assert outcome.message_id is not None, outcome
    sandbox.delivered(outcome.message_id, call.access_key_id)
    [shown] = sandbox.phone("639170000061", call.access_key_id)
    assert "Hello Ann, order 7 has left." in json.dumps(shown)
    assert "https://shop.example.com/7" in json.dumps(shown)
    assert "https://cdn.example.com/a.jpg" in json.dumps(shown)
    now = int(time.time() * 1000)
    asked = models.GetChatappTemplateMetricRequest(
        template_code=code, start=now - 3_600_000, end=now + 1, granularity="HALF_HOUR", template_type="VIBER"
    )
    body = client.get_chatapp_template_metric(asked).body
    [count] = body.data
    assert (body.code, count.template_code, count.language) == ("OK", code, "en")
    assert (count.sent_count, count.delivered_count, count.read_count, count.cliented) == (1, 1, 0, [])
    assert count.end - count.start == 1_800_000 - 1


def test_list(client: Client) -> None:
    assert listed(client) == [("order_on_its_way", "en")]
    code = create(client, "b").data.template_code
    assert create(client, "b", language="de").data.template_code == code
    create(client, "c", category="MARKETING", components=[Component(type="BODY", text="Hi")])
    everything = [("c", "en"), ("b", "de"), ("b", "en"), ("order_on_its_way", "en")]
    assert sorted(listed(client)) == sorted(everything)
    pages = [listed(client, page=models.ListChatappTemplateRequestPage(index=n, size=3)) for n in (1, 2, 3)]
    assert [len(page) for page in pages] == [3, 1, 0]
    assert listed(client, name="b", language="de") == [("b", "de")]
    assert sorted(listed(client, code=code)) == [("b", "de"), ("b", "en")]
    assert listed(client, category="MARKETING") == [("c", "en")]
    assert len(listed(client, audit_status="pass", template_type="VIBER")) == 4
    assert listed(client, audit_status="auditing") == listed(client, audit_status="unaudit") == []
    body = python5.patiently(client.list_chatapp_template, models.ListChatappTemplateRequest(name="c"))
    [one] = body.list_template
    assert (body.total, one.template_type, one.category, one.audit_status) == (1, "VIBER", "MARKETING", "pass")
    assert abs(one.last_update_time - time.time() * 1000) < 600_000


def test_an_approved_template_cannot_be_modified(client: Client) -> None:
    code = create(client).data.template_code
    asked = models.ModifyChatappTemplateRequest(
        template_code=code, language="en", components=[NewComponent(type="BODY", text="New")], template_type="VIBER"
    )
    body = client.modify_chatapp_template(asked).body
    assert (body.code, body.success) == ("InvalidParameter.TemplateCode", False)


def test_delete(client: Client) -> None:
    code = create(client).data.template_code
    create(client, language="de")
    create(client, language="fr")
    asked = models.DeleteChatappTemplateRequest(template_code=code, template_type="VIBER", language="en")
    body = client.delete_chatapp_template(asked).body
    assert (body.code, body.success) == ("OK", True)
    assert detail(client, code).code == "DetailError.TemplateNotExist"
    assert detail(client, code, "de").code == "OK"
    asked = models.DeleteChatappTemplateRequest(template_name="parcel", template_type="VIBER")
    assert client.delete_chatapp_template(asked).body.code == "OK"
    assert detail(client, code, "de").code == detail(client, code, "fr").code == "DetailError.TemplateNotExist"
    assert client.delete_chatapp_template(asked).body.code == "DelError.TemplateNotExist"
    assert create(client).code == "OK"  # the name is free again


def test_a_strangers_template_is_none(call: Call, client: Client, stranger: Client) -> None:
    """Tenant B tries everything with what is tenant A's; A keeps it."""
    code = create(client).data.template_code
    assert detail(stranger, code).code == "DetailError.TemplateNotExist"
    assert detail(stranger, template_name="parcel").code == "DetailError.TemplateNotExist"
    assert listed(stranger, code=code) == listed(stranger, name="parcel") == []
    modified = stranger.modify_chatapp_template(
        models.ModifyChatappTemplateRequest(
            template_code=code, language="en", components=[NewComponent(type="BODY", text="Stolen")]
        )
    ).body
    unknown = stranger.modify_chatapp_template(
        models.ModifyChatappTemplateRequest(
            template_code="0" * 32, language="en", components=[NewComponent(type="BODY", text="Stolen")]
        )
    ).body
    assert (modified.code, modified.message) == (unknown.code, unknown.message)
    assert modified.code == "InvalidParameter.TemplateCode"
    gone = models.DeleteChatappTemplateRequest(template_code=code, template_type="VIBER")
    assert stranger.delete_chatapp_template(gone).body.code == "DelError.TemplateNotExist"
    asked = models.GetChatappTemplateMetricRequest(template_code=code, start=0, end=1)
    assert stranger.get_chatapp_template_metric(asked).body.code == "InvalidParameter.TemplateCode"
    params: dict[str, object] = {
        "ChannelType": "viber", "Type": "template", "Label": "promotion", "From": SENDER, "To": "639170000061",
        "TemplateCode": code, "Language": "en", "TemplateParams": {"name": "Ann", "no": "7"},
    }  # fmt: skip
    name = f"{call.access_key_id}-b"
    [outcome] = python5.run([replace(call, access_key_id=name, secret=name, params=params)])
    assert outcome.code == "InvalidParameter.TemplateCode"
    assert create(stranger).data.template_code != code  # the same name, a template of its own
    assert detail(client, code).data.components[1].text == PARCEL[1].text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"template_type": "WHATSAPP"}, "InvalidParameter.TemplateTypeNotSupport"),
        ({"language": "xx"}, "InvalidParameter.LanguageNotSupport"),
        ({"category": "OTHER"}, "InvalidParameter.Category"),
        ({"components": [Component(type="BODY", text="Hello {{1}}")]}, "InvalidParameter.MessageInvalid"),
        ({"components": []}, "InvalidParameter.Components"),
        ({"example": {"name": "Ann"}}, "InvalidParameter.Example"),
        ({"name": "order_on_its_way"}, "InvalidParameter.TemplateNameExist"),
        ({"name": " parcel"}, "InvalidParameter.Name"),
        ({"message_send_ttl_seconds": 1}, "InvalidParameter.MessageSendTtlSeconds"),
    ],
)
def test_refused(client: Client, changes: dict[str, Any], code: str) -> None:
    body = create(client, **changes)
    assert (body.code, body.success) == (code, False)
    assert listed(client) == [("order_on_its_way", "en")]


def test_a_space_of_another_account(client: Client) -> None:
    with pytest.raises(ClientException) as refused:
        create(client, cust_space_id="another")
    assert refused.value.code == "Unknown.ResourceOwnerId"


@pytest.mark.parametrize(
    "action",
    [
        "CreateChatappTemplate", "ModifyChatappTemplate", "DeleteChatappTemplate", "GetChatappTemplateDetail",
        "ListChatappTemplate", "GetChatappTemplateMetric",
    ],
)  # fmt: skip
def test_replays_are_refused(sandbox: Sandbox, account: str, action: str) -> None:
    params = {
        "Name": "parcel", "Category": "text", "Components": '[{"Type":"BODY","Text":"Hi"}]', "Language": "en",
        "TemplateType": "VIBER", "TemplateCode": TEMPLATE, "Start": "0", "End": "1",
    }  # fmt: skip
    request = Caller(sandbox.host, account).v3(params, action=action)
    first, second = (ask(sandbox.host, request).code for _ in range(2))
    assert first == ("InvalidParameter.TemplateCode" if action == "ModifyChatappTemplate" else "OK")
    assert second == "SignatureNonceUsed"
