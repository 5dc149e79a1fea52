"""A client is generated from the metadata of a running server, as Python source, and every operation is called with it.

What it sends is what ``api-docs.json`` says; what it gets is held against the schemas of ``openapi.json`` by an
independent validator of JSON Schema. Nothing here knows an operation but by its name.
"""

from __future__ import annotations

import json
import keyword
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from tests import signing
from tests.e2e.sandbox import SENDER, SPACE, TEMPLATE, Sandbox
from tests.gateway.wire import ask, http

META = "/meta/v1"
DOCS = f"{META}/products/cams/versions/2020-06-06/api-docs.json"

Ask = Callable[[str, Mapping[str, object], frozenset[str]], dict[str, Any]]


def page(sandbox: Sandbox, path: str) -> dict[str, Any]:
    return ask(sandbox.host, http("GET", path, {"host": sandbox.host})).json


def word(name: str) -> str:
    """Return the name of a parameter or an operation as Python has it."""
    found = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"{found}_" if keyword.iskeyword(found) else found


def source(docs: dict[str, Any]) -> str:
    """Return the source of a client: a method for each operation, a keyword argument for each parameter."""
    lines = ["class Client:", "    def __init__(self, ask):", "        self._ask = ask"]
    for name, api in docs["apis"].items():
        rows = sorted(api["parameters"], key=lambda row: not row["schema"]["required"])
        wanted = [word(row["name"]) + ("" if row["schema"]["required"] else "=None") for row in rows]
        values = ", ".join(f"{row['name']!r}: {word(row['name'])}" for row in rows)
        as_json = {row["name"] for row in rows if row.get("style") == "json"}
        lines += [
            f"    def {word(name)}({', '.join(['self', *(['*'] if wanted else []), *wanted])}):",
            f"        return self._ask({name!r}, {{{values}}}, frozenset({sorted(as_json)!r}))",
        ]
    return "\n".join(lines)


@pytest.fixture
def client(sandbox: Sandbox, account: str) -> Any:
    schemas = {
        one["operationId"]: one["responses"]["200"]["content"]["application/json"]["schema"]
        for methods in page(sandbox, f"{META}/openapi.json")["paths"].values()
        for one in methods.values()
    }

    def asking(action: str, values: Mapping[str, object], as_json: frozenset[str]) -> dict[str, Any]:
        form = {
            name: json.dumps(value) if name in as_json else str(value)
            for name, value in values.items()
            if value is not None
        }
        target, headers, body = signing.sign_v3(
            "POST", {}, account, account, host=sandbox.host, now=time.time_ns() // 1_000_000, nonce=uuid.uuid4().hex,
            action=action, form=form,
        )  # fmt: skip
        answer = ask(sandbox.host, http("POST", target, headers, body)).json
        if answer["Code"] == "System.LimitControl":
            time.sleep(0.2)
            return asking(action, values, as_json)
        schema = schemas[action] | {"additionalProperties": False}
        assert [error.message for error in Draft202012Validator(schema).iter_errors(answer)] == []
        called.add(action)
        return answer

    called: set[str] = set()
    names: dict[str, Any] = {}
    exec(source(page(sandbox, DOCS)), names)
    made = names["Client"](asking)
    made.called = called
    return made


def test_every_operation_of_the_document(sandbox: Sandbox, account: str, client: Any) -> None:
    space, own = {"cust_space_id": SPACE}, {"cust_space_id": SPACE, "template_type": "VIBER", "language": "en"}
    body = [{"Type": "BODY", "Text": "Hello $(name)"}]
    made = client.create_chatapp_template(name="hi", category="UTILITY", components=body, **own)
    code = made["Data"]["TemplateCode"]
    assert client.get_chatapp_template_detail(template_code=code, **own)["Data"]["Components"] == body
    assert client.modify_chatapp_template(template_code=code, components=body, **own)["Code"] != "OK"  # approved
    assert client.list_chatapp_template(page={"Index": 1, "Size": 1}, **space)["Total"] == 2
    common = {"channel_type": "viber", "from_": SENDER, "label": "promotion", "language": "en", **space}
    values = {"param1": "Ann", "param2": "7"}
    sent = client.send_chatapp_message(
        type="template", to="639170000001", template_code=TEMPLATE, template_params=values, ttl=60, **common
    )
    assert sandbox.delivered(sent["MessageId"], account)["status"] == "delivered"
    many = [{"To": f"63917000{n}001", "TemplateParams": {"name": "Ann"}} for n in range(3)]
    assert client.send_chatapp_mass_message(sender_list=many, template_code=code, **common)["Code"] == "OK"
    asked = {"business_number": SENDER, "channel_type": "viber", "page": {"Index": 1, "Size": 10}}
    assert len(client.list_chatapp_message(**asked, **space)["Data"]) == 4
    day = {"start": int(time.time() * 1000) - 86_400_000, "end": int(time.time() * 1000) + 60_000, **space}
    assert client.get_chatapp_template_metric(template_code=TEMPLATE, template_type="VIBER", **day)["Data"]
    assert client.get_chatapp_phone_number_metric(**day)["Code"] == "OK"
    assert client.delete_chatapp_template(template_code=code, **own)["Code"] == "OK"
    _account(client, space)
    _senders(client, space)
    assert client.called == page(sandbox, DOCS)["apis"].keys()


def _account(client: Any, space: dict[str, str]) -> None:
    assert client.get_chatapp_open_status()["OpenStatus"] is True
    assert client.open_chatapp_service()["Code"] == "OK"
    hook = "https://shop.example.com/hook"
    assert client.update_account_webhook(status_callback_url=hook, **space)["Code"] == "OK"
    assert client.update_phone_webhook(phone_number=SENDER, up_callback_url=hook, **space)["Code"] == "OK"
    assert client.query_chatapp_phone_numbers(**space)["PhoneNumbers"][0]["UpCallbackUrl"] == hook
    made = client.create_instance(channel_type="viber", instance_name="Shop")["Data"]["InstanceId"]
    assert client.update_instance(instance_id=made, instance_name="Bank")["Data"]["InstanceName"] == "Bank"
    assert client.query_instance(instance_id=made)["Data"]["InstanceName"] == "Bank"
    assert client.list_instance()["TotalCount"] == 2
    assert client.delete_instance(instance_id=made)["Code"] == "OK"
    assert client.get_chatapp_upload_authorization(**space)["Code"] == "InvalidParameter.UploadNotSupport"
    assert client.generate_presigned_url(file_path="a")["Code"] == "InvalidParameter.UploadNotSupport"


def _senders(client: Any, space: dict[str, str]) -> None:
    record = {"BusinessAccountName": "Shop", "MessageDestinationCountry": ["63|PH"]}
    number = client.add_audit_viber_open(audit_record=record, **space)["Data"]["RequestNo"]
    assert client.update_audit_request(request_no=number, audit_record=record, **space)["Code"] == "OK"
    assert client.get_viber_by_request_no(request_no=number)["Data"]["AuditRecord"] == record
    found = client.get_audit_request_by_type_un_audit(request_type="viberOpen", **space)
    assert found["Data"]["RequestNo"] == number
    assert client.add_address_recover_suspend(request_type="suspend", audit_record=record)["Code"] == "OK"
    assert client.get_viber_pause_times(**space)["Data"] == {"PauseTimes": 0}
    assert client.list_viber_service_message(**space)["Data"][0]["State"] == "normal"
