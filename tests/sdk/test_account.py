"""The operations of an account with the newest Python SDK's typed methods: instances, senders, what is not here."""

from __future__ import annotations

import time
from typing import Any

import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.exceptions import ClientException  # type: ignore[import-untyped]

from tests.e2e.sandbox import SENDER, SPACE, Sandbox
from tests.sdk import python5
from tests.sdk.calls import TEXT, Call

pytestmark = pytest.mark.xdist_group("sdk")


@pytest.fixture
def client(sandbox: Sandbox, account: str) -> Client:
    return python5.client(Call(sandbox.host, account, account, TEXT))


def instances(client: Client) -> list[Any]:
    body = client.list_instance(models.ListInstanceRequest(page_index=1, page_size=10)).body
    assert (body.code, body.success, body.total_count) == ("OK", True, len(body.data))
    return list(body.data)


def test_the_life_of_an_instance(sandbox: Sandbox, account: str, client: Client) -> None:
    """Every step is seen by the next call, and messages can be sent with it."""
    request = models.CreateInstanceRequest(channel_type="viber", instance_name="Shop", country_id="PH")
    made = client.create_instance(request).body.data
    assert made.channel_type == "viber"
    assert [one.instance_id for one in instances(client)] == [SPACE, made.instance_id]
    [outcome] = python5.run([Call(sandbox.host, account, account, {**TEXT, "CustSpaceId": made.instance_id})])
    assert outcome.code == "OK"
    update = models.UpdateInstanceRequest(instance_id=made.instance_id, instance_name="Bank")
    assert client.update_instance(update).body.data.instance_name == "Bank"
    shown = client.query_instance(models.QueryInstanceRequest(instance_id=made.instance_id)).body.data
    assert (shown.instance_name, shown.country_id) == ("Bank", "PH")
    gone = models.DeleteInstanceRequest(instance_id=made.instance_id)
    assert client.delete_instance(gone).body.success is True
    assert [one.instance_id for one in instances(client)] == [SPACE]
    with pytest.raises(ClientException) as refused:
        client.delete_instance(gone)
    assert refused.value.code == "Unknown.ResourceOwnerId"
    last = client.delete_instance(models.DeleteInstanceRequest(instance_id=SPACE)).body
    assert (last.code, last.success) == ("InvalidParameter.InstanceId", False)


def test_senders_and_their_counts(sandbox: Sandbox, account: str, client: Client) -> None:
    [outcome] = python5.run([Call(sandbox.host, account, account, TEXT)])
    sandbox.delivered(str(outcome.message_id), account)
    (number,) = client.query_chatapp_phone_numbers(models.QueryChatappPhoneNumbersRequest()).body.phone_numbers
    assert (number.phone_number, number.status) == (SENDER, "CONNECTED")
    assert number.status_callback_url
    now = int(time.time() * 1000)
    asked = models.GetChatappPhoneNumberMetricRequest(start=now - 86_400_000, end=now + 60_000, granularity="DAILY")
    (count,) = client.get_chatapp_phone_number_metric(asked).body.data
    assert (count.phone_number, count.sent_count, count.delivered_count) == (SENDER, 1, 1)


def test_what_is_open_and_what_is_not(client: Client) -> None:
    assert client.get_chatapp_open_status(models.GetChatappOpenStatusRequest()).body.open_status is True
    assert client.open_chatapp_service(models.OpenChatappServiceRequest()).body.open_status is True
    upload = client.get_chatapp_upload_authorization(
        models.GetChatappUploadAuthorizationRequest(cust_space_id=SPACE)
    ).body
    assert (upload.code, upload.data) == ("InvalidParameter.UploadNotSupport", None)
    url = client.generate_presigned_url(models.GeneratePresignedUrlRequest(file_path="a/b.jpg")).body
    assert (url.code, url.success) == ("InvalidParameter.UploadNotSupport", False)


def test_an_operation_of_whatsapp(client: Client) -> None:
    body = client.list_flow(models.ListFlowRequest(cust_space_id=SPACE)).body
    assert body.code == "InvalidParameter.ChannelTypeNotSupport"
