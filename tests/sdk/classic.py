"""``aliyun-python-sdk-core`` 2 with ``aliyun-python-sdk-cams``, called as its documentation does."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aliyunsdkcams.request.v20200606.SendChatappMessageRequest import (  # type: ignore[import-untyped]
    SendChatappMessageRequest,
)
from aliyunsdkcore.acs_exception.exceptions import ServerException  # type: ignore[import-untyped]
from aliyunsdkcore.auth.credentials import StsTokenCredential  # type: ignore[import-untyped]
from aliyunsdkcore.client import AcsClient  # type: ignore[import-untyped]

from tests.sdk.calls import Call, Outcome


def run(calls: Sequence[Call], *, method: str = "POST") -> list[Outcome]:
    return [_outcome(call, method) for call in calls]


def _outcome(call: Call, method: str) -> Outcome:
    host, port = call.endpoint.split(":")
    own: dict[str, object] = {"ak": call.access_key_id, "secret": call.secret}
    if call.security_token:
        own = {"credential": StsTokenCredential(call.access_key_id, call.secret, call.security_token)}
    client = AcsClient(**own, region_id="ap-southeast-1", port=int(port), auto_retry=False)
    try:
        answer = client.do_action_with_exception(_request(call, host, method))
    except ServerException as error:
        return Outcome(
            raised=type(error).__name__, code=error.get_error_code(), message=error.get_error_msg(),
            request_id=error.get_request_id(), http=error.get_http_status(),
        )  # fmt: skip
    return Outcome.returned(json.loads(answer))


def _request(call: Call, host: str, method: str) -> SendChatappMessageRequest:
    request = SendChatappMessageRequest()
    request.set_action_name(call.action)
    request.set_endpoint(host)
    request.set_protocol_type("http")
    request.set_method(method)
    for name, value in call.params.items():
        getattr(request, f"set_{name}")(value)
    return request
