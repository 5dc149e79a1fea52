"""``alibabacloud_cams20200606`` 1 to 3 over ``alibabacloud_tea_openapi`` 0.3: a program of its own.

They cannot be installed beside generation 5, so this file imports nothing but them: it runs on ``PYTHONPATH`` alone
(``python -S``), reads calls from standard input and writes outcomes, as ``calls`` describes.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi import models as open_api_models  # type: ignore[import-untyped]
from alibabacloud_tea_util import models as util_models  # type: ignore[import-untyped]
from Tea.exceptions import TeaException  # type: ignore[import-untyped]


def main() -> None:
    json.dump([_outcome(call) for call in json.load(sys.stdin)], sys.stdout)


def _outcome(call: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = _send(call)
    except TeaException as error:
        return {
            "raised": type(error).__name__, "code": error.code, "message": error.message,
            "request_id": error.data["RequestId"], "http": error.data["statusCode"],
        }  # fmt: skip
    body = answer["body"]
    return {
        "raised": None, "code": body["Code"], "message": body["Message"], "request_id": body["RequestId"],
        "http": answer["statusCode"], "message_id": body.get("MessageId"),
    }  # fmt: skip


def _send(call: dict[str, Any]) -> dict[str, Any]:
    config = open_api_models.Config(
        access_key_id=call["access_key_id"],
        access_key_secret=call["secret"],
        security_token=call["security_token"] or None,
        endpoint=call["endpoint"],
        protocol="HTTP",
    )
    client = Client(config)
    if call["action"] == "SendChatappMessage":
        return dict(client.send_chatapp_message(_request(call["params"])).to_map())
    params = open_api_models.Params(
        action=call["action"], version="2020-06-06", protocol="HTTP", pathname="/", method="POST", auth_type="AK",
        style="RPC", req_body_type="formData", body_type="json",
    )  # fmt: skip
    request = open_api_models.OpenApiRequest(body=call["params"])
    return dict(client.call_api(params, request, util_models.RuntimeOptions()))


def _request(params: dict[str, Any]) -> Any:
    request = models.SendChatappMessageRequest()
    for name, value in params.items():
        attribute = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        attribute = "from_" if attribute == "from" else attribute
        assert hasattr(request, attribute), f"this generation has no {attribute}"
        setattr(request, attribute, value)
    return request


if __name__ == "__main__":
    main()
