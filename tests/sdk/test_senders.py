"""Senders with the newest Python SDK's typed methods: applied for, granted at the command line, listed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.exceptions import ClientException  # type: ignore[import-untyped]

from tests.cli.running import environment
from tests.e2e.sandbox import PACE, PATIENCE, PROGRAMS, SENDER, SPACE, Sandbox
from tests.gateway.wire import Caller, ask
from tests.sdk import python5
from tests.sdk.calls import TEXT, Call

pytestmark = pytest.mark.xdist_group("sdk")

Record = models.AddAuditViberOpenRequestAuditRecord
NewRecord = models.UpdateAuditRequestRequestAuditRecord

RECORD: dict[str, Any] = {
    "business_account_name": "Shop", "company_registered_country": "PH", "industry_involved": "Retail",
    "logo": ["https://cdn.example.com/logo.png"], "message_destination_country": ["63|PH"],
}  # fmt: skip


@pytest.fixture
def call(sandbox: Sandbox, account: str) -> Call:
    return Call(sandbox.host, account, account, TEXT)


@pytest.fixture
def client(call: Call) -> Client:
    return python5.client(call)


@pytest.fixture
def stranger(call: Call) -> Client:
    return python5.client(replace(call, access_key_id=f"{call.access_key_id}-b", secret=f"{call.access_key_id}-b"))


def apply(client: Client) -> str:
    tel = [models.AddAuditViberOpenRequestAuditRecordCompanyTel(company_tel_title="Office", company_tel_number="63")]
    asked = models.AddAuditViberOpenRequest(cust_space_id=SPACE, audit_record=Record(company_tel=tel, **RECORD))
    body = client.add_audit_viber_open(asked).body
    assert (body.code, body.success) == ("OK", True)
    return str(body.data["RequestNo"])


def request(client: Client, request_no: str) -> Any:
    asked = models.GetViberByRequestNoRequest(request_no=request_no, cust_space_id=SPACE)
    return client.get_viber_by_request_no(asked).body


def open_request(client: Client, request_type: str = "viberOpen") -> Any:
    asked = models.GetAuditRequestByTypeUnAuditRequest(cust_space_id=SPACE, request_type=request_type)
    body = client.get_audit_request_by_type_un_audit(asked).body
    assert (body.code, body.success) == ("OK", True)
    return body.data


def services(client: Client) -> dict[str, Any]:
    body = client.list_viber_service_message(models.ListViberServiceMessageRequest(cust_space_id=SPACE)).body
    assert (body.code, body.success) == ("OK", True)
    return {one.service_id: one for one in body.data}


def pauses(client: Client) -> int:
    body = client.get_viber_pause_times(models.GetViberPauseTimesRequest(cust_space_id=SPACE)).body
    assert body.code == "OK"
    return int(body.data["PauseTimes"])


def operate(sandbox: Sandbox, account: str, *arguments: str) -> None:
    subprocess.run(
        [PROGRAMS / "chatgate", "sender", *arguments, "--account", account, "--data", sandbox.data],
        check=True, timeout=PATIENCE, env=environment(), stdout=subprocess.DEVNULL,
    )  # fmt: skip


def until(what: Callable[[], object], wanted: object) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := what()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(PACE)


def test_a_sender_is_applied_for(sandbox: Sandbox, call: Call, client: Client) -> None:
    request_no = apply(client)
    data = request(client, request_no).data
    assert (data.request_no, data.request_type, data.audit_result, data.state) == (
        request_no,
        "viberOpen",
        "unAudit",
        "A",
    )
    assert (data.audit_time, data.maap_service_no, data.creator) == ("", "", call.access_key_id)
    record = data.audit_record
    assert (record.business_account_name, record.company_registered_country) == ("Shop", "PH")
    assert [(one.company_tel_title, one.company_tel_number) for one in record.company_tel] == [("Office", "63")]
    assert open_request(client).audit_record.company_registered_country == ["PH"]

    revised = models.UpdateAuditRequestRequest(
        cust_space_id=SPACE,
        request_no=request_no,
        audit_record=NewRecord(**RECORD | {"business_account_name": "Store"}),
    )
    body = client.update_audit_request(revised).body
    assert (body.code, body.data) == ("OK", {"RequestNo": request_no})
    assert request(client, request_no).data.audit_record.business_account_name == "Store"

    operate(sandbox, call.access_key_id, "grant", request_no, "--sender", "777", "--service-id", "4100")
    until(lambda: services(client).keys() >= {"4100"}, True)
    data = request(client, request_no).data
    assert (data.audit_result, data.maap_service_no) == ("pass", "4100")
    assert int(data.audit_time) > 0
    one = services(client)["4100"]
    assert (one.state, one.business_account_name, one.industry_involved) == ("normal", "Store", "Retail")
    assert one.message_destination_country == one.destination_country_id == ["63|PH"]
    assert open_request(client).request_no is None
    assert client.update_audit_request(revised).body.code == "InvalidParameter.RequestNo"


def test_a_sender_is_paused(sandbox: Sandbox, call: Call, client: Client) -> None:
    [service] = services(client)
    assert (services(client)[service].state, pauses(client)) == ("normal", 0)
    operate(sandbox, call.access_key_id, "pause", SENDER, "--reason", "Complaints.")
    until(lambda: services(client)[service].state, "stop")
    assert pauses(client) == 1
    [outcome] = python5.run([call])
    assert outcome.message_id is not None
    failure = sandbox.message(outcome.message_id, call.access_key_id)["failure"]
    assert failure["code"] == "SenderPaused"
    operate(sandbox, call.access_key_id, "resume", SENDER)
    until(lambda: services(client)[service].state, "normal")


def test_destinations(client: Client) -> None:
    asked = models.AddAddressRecoverSuspendRequest(
        cust_space_id=SPACE, request_type="suspend",
        audit_record=models.AddAddressRecoverSuspendRequestAuditRecord(
            message_destination_country=["213|DZ"], apply_reason="season", suspension_date="2026-12-01"
        ),
    )  # fmt: skip
    body = client.add_address_recover_suspend(asked).body
    assert (body.code, body.success) == ("OK", True)
    found = open_request(client, "suspend")
    assert found.request_no == body.data["RequestNo"]
    record = found.audit_record
    assert (record.message_destination_country, record.apply_reason) == (["213|DZ"], "season")
    assert record.suspension_date == "2026-12-01"
    assert client.add_address_recover_suspend(models.AddAddressRecoverSuspendRequest()).body.code == "OK"
    assert open_request(client, "addressRecoverSuspend").request_no is not None


def test_of_a_stranger(client: Client, stranger: Client) -> None:
    request_no = apply(client)
    theirs, none = request(stranger, request_no), request(stranger, "0" * 24)
    assert (theirs.code, theirs.message) == (none.code, none.message)
    assert theirs.code == "InvalidParameter.RequestNo"
    assert open_request(stranger).request_no is None
    revised = models.UpdateAuditRequestRequest(
        cust_space_id=SPACE, request_no=request_no, audit_record=NewRecord(business_account_name="Stolen")
    )
    assert stranger.update_audit_request(revised).body.code == "InvalidParameter.RequestNo"
    assert request(client, request_no).data.audit_record.business_account_name == "Shop"
    assert services(stranger).keys().isdisjoint(services(client))


def test_a_space_of_another_account(client: Client) -> None:
    for method, asked in (
        (client.add_audit_viber_open, models.AddAuditViberOpenRequest),
        (client.get_viber_pause_times, models.GetViberPauseTimesRequest),
        (client.list_viber_service_message, models.ListViberServiceMessageRequest),
        (client.add_address_recover_suspend, models.AddAddressRecoverSuspendRequest),
    ):
        with pytest.raises(ClientException) as refused:
            method(asked(cust_space_id="x"))
        assert refused.value.code == "Unknown.ResourceOwnerId"


@pytest.mark.parametrize("action", ["AddAuditViberOpen", "AddAddressRecoverSuspend", "UpdateAuditRequest"])
@pytest.mark.parametrize(
    "record",
    [
        "x", "[]", {"WebAddress": 5}, {"Logo": "x"}, {"Logo": [5]}, {"CompanyTel": ["x"]},
        {"CompanyTel": [{"CompanyTelTitle": 5}]}, {"CompanyAddress": {}}, {"WebAddress": "x" * 65_536},
    ],
)  # fmt: skip
def test_a_record_that_is_none(sandbox: Sandbox, account: str, action: str, record: object) -> None:
    text = record if isinstance(record, str) else json.dumps(record)
    params = {"CustSpaceId": SPACE, "AuditRecord": text, "RequestNo": "0" * 24}
    assert ask(sandbox.host, Caller(sandbox.host, account).v3(params, action=action)).code == (
        "InvalidParameter.AuditRecord"
    )


@pytest.mark.parametrize(
    "action",
    ["AddAuditViberOpen", "GetAuditRequestByTypeUnAudit", "AddAddressRecoverSuspend", "GetViberPauseTimes",
     "ListViberServiceMessage"],
)  # fmt: skip
def test_replays_are_refused(sandbox: Sandbox, account: str, action: str) -> None:
    params = {"CustSpaceId": SPACE, "RequestType": "viberOpen", "AuditRecord": '{"WebAddress":"x"}'}
    request = Caller(sandbox.host, account).v3(params, action=action)
    assert [ask(sandbox.host, request).code for _ in range(2)] == ["OK", "SignatureNonceUsed"]
