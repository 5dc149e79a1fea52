"""What only the newest Python SDK has: temporary credentials, bearer tokens, its classes of errors, and XML."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi import utils_models  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.exceptions import ClientException  # type: ignore[import-untyped]

from tests.e2e.sandbox import Sandbox
from tests.sdk import python5
from tests.sdk.calls import TEXT, Call

pytestmark = pytest.mark.xdist_group("sdk")

ALGORITHMS = pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "v2"])


@pytest.fixture
def call(sandbox: Sandbox, account: str) -> Call:
    return Call(sandbox.host, account, account, TEXT)


def refusal(client: Client, call: Call) -> Any:
    """Return what the SDK raises for a call."""
    with pytest.raises(ClientException) as caught:
        client.send_chatapp_message(python5.request(call.params))
    return caught.value


@ALGORITHMS
def test_security_token_that_nobody_issued(call: Call, algorithm: str) -> None:
    error = refusal(python5.client(call, signature_algorithm=algorithm, security_token="a token"), call)
    assert (error.status_code, error.code) == (400, "InvalidSecurityToken.Malformed")


@ALGORITHMS
def test_temporary_key_that_nobody_issued(call: Call, algorithm: str) -> None:
    there = replace(call, access_key_id="STS.NUgYrLnoC37mZZCNnAbez", secret="x")
    error = refusal(python5.client(there, signature_algorithm=algorithm, security_token="a token"), there)
    assert (error.status_code, error.code) == (400, "InvalidSecurityToken.Malformed")


@ALGORITHMS
def test_temporary_key_without_its_token(call: Call, algorithm: str) -> None:
    there = replace(call, access_key_id="STS.NUgYrLnoC37mZZCNnAbez", secret="x")
    error = refusal(python5.client(there, signature_algorithm=algorithm), there)
    assert (error.status_code, error.code) == (400, "MissingSecurityToken")


@ALGORITHMS
def test_bearer_token(call: Call, algorithm: str) -> None:
    config = utils_models.Config(
        bearer_token="a token", endpoint=call.endpoint, protocol="HTTP", signature_algorithm=algorithm
    )
    error = refusal(Client(config), call)
    assert (error.status_code, error.code) == (400, "InvalidBearerToken.Malformed")


def test_what_a_refusal_tells(sandbox: Sandbox, call: Call) -> None:
    error = refusal(python5.client(replace(call, access_key_id="LTAI5tNobodyHasThisKey00")), call)
    body = error.data
    assert (error.status_code, error.code) == (404, "InvalidAccessKeyId.NotFound")
    assert error.message == f"code: 404, Specified access key is not found. request id: {error.request_id}"
    assert error.request_id == body["RequestId"]
    assert error.description == error.detail == "None"  # the SDK's word for a field that Alibaba's answers lack too
    assert error.access_denied_detail is None
    assert body["HostId"] == sandbox.host
    assert body["Recommend"].startswith(f"{sandbox.url}/")
    assert body.keys() == {"RequestId", "HostId", "Code", "Message", "Recommend", "statusCode"}


@pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SHA256", "ACS3-HMAC-SM3"])
def test_refusal_in_xml(call: Call, algorithm: str) -> None:
    """The SDK reads an error in XML only if its content type is exactly that of Alibaba's (and never with V1)."""
    there = replace(call, secret="not the secret", params=TEXT | {"Format": "XML"})
    client = python5.client(there, signature_algorithm=algorithm)
    with pytest.raises(ClientException) as caught:
        client.call_api(*python5.generic(there))
    assert (caught.value.status_code, caught.value.code) == (400, "SignatureDoesNotMatch")


def test_answer_in_xml(call: Call) -> None:
    there = replace(call, params=TEXT | {"Format": "XML"})
    answer = python5.client(there).call_api(*python5.generic(there, body_type="string"))
    assert answer["headers"]["content-type"] == "text/xml;charset=utf-8"
    assert "<SendChatappMessageResponse><RequestId>" in answer["body"]
    assert "<Code>OK</Code>" in answer["body"]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Ttl": True}, "InvalidParameter.Ttl"),
        ({"Ttl": "sixty"}, "InvalidParameter.Ttl"),
        ({"To": 639170000021.5}, "InvalidParameter.ToOnlyNumeric"),
    ],
)
def test_wrong_type_is_told_in_the_body(call: Call, params: dict[str, object], code: str) -> None:
    """Python writes ``True`` and ``1.5`` where a number is due; that is no exception and no message."""
    [outcome] = python5.run([replace(call, params=TEXT | params)])
    assert (outcome.raised, outcome.code, outcome.message_id) == (None, code, None)
