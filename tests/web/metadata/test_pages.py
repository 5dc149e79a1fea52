"""The metadata pages of a running server: public, cached by ETag; a client made from OpenAPI alone makes a call."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from chatgate.clock import SystemClock
from chatgate.operations import list_chatapp_message
from chatgate.operations.base import all_operations
from tests import signing
from tests.e2e.sandbox import SENDER, SPACE, TEMPLATE, Sandbox
from tests.gateway.wire import Reply, ask, http
from tests.operations.answers import misfits

OF_VERSION = "/meta/v1/products/cams/versions/2020-06-06"
PAGES = ["/meta/v1/products.json", "/meta/v1/openapi.json", f"{OF_VERSION}/api-docs.json",
         f"{OF_VERSION}/apis/SendChatappMessage/api.json"]  # fmt: skip


def get(sandbox: Sandbox, path: str, method: str = "GET", **headers: str) -> Reply:
    named = {"host": sandbox.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return ask(sandbox.host, http(method, path, named))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_public_and_cached(sandbox: Sandbox, path: str) -> None:
    reply = get(sandbox, path)
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-cache")
    assert reply.json
    etag = reply.headers["etag"]
    assert get(sandbox, f"{path}?language=EN_US").headers["etag"] == etag
    for said in (etag, f'"other", W/{etag}', "*"):
        again = get(sandbox, path, if_none_match=said)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)
    assert get(sandbox, path, if_none_match='"other"').status == 200


@pytest.mark.parametrize("path", PAGES)
def test_head(sandbox: Sandbox, path: str) -> None:
    whole, head = get(sandbox, path), get(sandbox, path, "HEAD")
    assert (head.status, head.headers["content-length"]) == (200, str(len(whole.body)))
    assert head.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize(
    "path",
    ["/meta", "/meta/", "/meta/v1", "/meta/v1/", "/meta/v2/products.json", f"{OF_VERSION}/apis/Nothing/api.json",
     "/meta/v1/products/ecs/versions/2020-06-06/api-docs.json", f"{OF_VERSION}/apis//api.json"],
)  # fmt: skip
def test_no_such_page(sandbox: Sandbox, path: str) -> None:
    reply = get(sandbox, path)
    assert (reply.status, reply.code) == (404, "InvalidPath.NotFound")


def test_no_other_method(sandbox: Sandbox) -> None:
    reply = get(sandbox, PAGES[0], "POST")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


def test_the_host_is_the_callers(sandbox: Sandbox) -> None:
    docs = get(sandbox, f"{OF_VERSION}/api-docs.json").json
    assert docs["endpoints"][0]["endpoint"] == sandbox.host
    assert set(docs["apis"]) == set(all_operations())
    one = get(sandbox, f"{OF_VERSION}/apis/SendChatappMessage/api.json").json
    assert one == docs["apis"]["SendChatappMessage"]
    odd = get(sandbox, "/meta/v1/openapi.json", host='evil"\\.example')
    assert odd.json["servers"] == [{"url": 'http://evil"\\.example'}]


class DocumentClient:
    """Calls by an OpenAPI document: where, how and with what is read from it; only the signing is added."""

    def __init__(self, document: dict[str, Any], access_key_id: str) -> None:
        self._document = document
        self._key = access_key_id

    def call(self, operation_id: str, **values: object) -> Any:
        ((path, method, described),) = [
            (path, method, one)
            for path, methods in self._document["paths"].items()
            for method, one in methods.items()
            if one["operationId"] == operation_id
        ]
        ((content_type, content),) = described["requestBody"]["content"].items()
        assert content_type == "application/x-www-form-urlencoded"
        assert set(content["schema"].get("required", ())) <= values.keys() <= content["schema"]["properties"].keys()
        form = {
            name: json.dumps(value) if content.get("encoding", {}).get(name) else str(value)
            for name, value in values.items()
        }
        return self._ask(method.upper(), urlsplit(self._document["servers"][0]["url"] + path), form)

    def _ask(self, method: str, url: Any, form: dict[str, str]) -> Any:
        query = dict(parse_qsl(url.query))
        target, headers, body = signing.sign_v3(
            method, query, self._key, self._key, host=url.netloc, now=SystemClock().now(), nonce=uuid.uuid4().hex,
            action=query["Action"], form=form,
        )  # fmt: skip
        assert target == f"/?{urlencode(query)}"
        return ask(url.netloc, http(method, target, headers, body)).json


def test_a_client_made_from_the_document_makes_a_call(sandbox: Sandbox, account: str) -> None:
    client = DocumentClient(get(sandbox, "/meta/v1/openapi.json").json, account)
    common = {
        "ChannelType": "viber",
        "From": SENDER,
        "Label": "transaction",
        "TemplateCode": TEMPLATE,
        "Language": "en",
    }
    one = client.call(
        "SendChatappMessage", **common, Type="template", To="639170000001", Ttl=60,
        TemplateParams={"param1": "Ann", "param2": "7"},
    )  # fmt: skip
    many = client.call(
        "SendChatappMassMessage", **common,
        SenderList=[{"To": f"63917000{n}001", "TemplateParams": {"param1": "Ann", "param2": "7"}} for n in range(3)],
    )  # fmt: skip
    listed = client.call(
        "ListChatappMessage", BusinessNumber=SENDER, ChannelType="viber", CustSpaceId=SPACE,
        Page={"Index": 1, "Size": 10},
    )  # fmt: skip
    assert len(listed["Data"]) == 4
    assert listed["Data"][0].keys() == {field.name for field in list_chatapp_message.ENTRY}
    operations = all_operations()
    for name, answer in (("SendChatappMessage", one), ("SendChatappMassMessage", many), ("ListChatappMessage", listed)):
        assert answer["Code"] == "OK"
        assert misfits(operations[name], answer) == []
