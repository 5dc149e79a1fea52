"""``alibabacloud_cams20200606`` 5.x over ``alibabacloud_tea_openapi`` 0.4, called as its documentation does."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]
from alibabacloud_cams20200606.client import Client  # type: ignore[import-untyped]
from alibabacloud_tea_openapi import utils_models  # type: ignore[import-untyped]
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException, ThrottlingException  # type: ignore[import-untyped]
from darabonba.runtime import RuntimeOptions  # type: ignore[import-untyped]

from tests.sdk.calls import Call, Outcome


def run(calls: Sequence[Call], *, use_async: bool = False, method: str = "", **config: str) -> list[Outcome]:
    """Make calls; ``config`` as in ``client``. With a ``method`` they are generic: the typed ones are POST, always."""
    return [_outcome(call, client(call, **config), method, use_async) for call in calls]


def client(call: Call, *, scheme: str = "", **config: str) -> Client:
    """Return a client; ``scheme`` stands before the endpoint, ``config`` goes to the SDK's ``Config``."""
    sdk_config = utils_models.Config(
        access_key_id=call.access_key_id, access_key_secret=call.secret, endpoint=scheme + call.endpoint,
        protocol="HTTP", **({"security_token": call.security_token or None} | config),
    )  # fmt: skip
    return Client(sdk_config)


def patiently(method: Callable[[Any], Any], asked: object) -> Any:
    """Call a typed method; where there are too many calls, wait as long as the answer says, and call again."""
    while True:
        try:
            return method(asked).body
        except ThrottlingException as error:
            time.sleep(min(error.retry_after / 1000, 0.2))


def request(params: dict[str, object]) -> models.SendChatappMessageRequest:
    """Return the typed request: ``FallBackId`` is ``fall_back_id``, and ``From`` is ``from_``."""
    names = {name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in params}
    return models.SendChatappMessageRequest(
        **{"from_" if names[name] == "from" else names[name]: value for name, value in params.items()}
    )


def generic(call: Call, **params: str) -> tuple[object, object, RuntimeOptions]:
    """Return the arguments of ``call_api``, the generic call; ``params`` replaces what describes the operation."""
    described = {
        "action": call.action, "version": "2020-06-06", "protocol": "HTTP", "pathname": "/", "method": "POST",
        "auth_type": "AK", "style": "RPC", "req_body_type": "formData", "body_type": "json",
    }  # fmt: skip
    query = {name: json.dumps(value) if isinstance(value, dict) else str(value) for name, value in call.params.items()}
    return utils_models.Params(**described | params), utils_models.OpenApiRequest(query=query), RuntimeOptions()


def _outcome(call: Call, sdk: Client, method: str, use_async: bool) -> Outcome:
    typed = call.action == "SendChatappMessage" and not method
    arguments = [request(call.params)] if typed else generic(call, method=method or "POST")
    try:
        if use_async:
            answer = asyncio.run((sdk.send_chatapp_message_async if typed else sdk.call_api_async)(*arguments))
        else:
            answer = (sdk.send_chatapp_message if typed else sdk.call_api)(*arguments)
    except AlibabaCloudException as error:
        return Outcome(
            raised=type(error).__name__, code=error.code, message=error.message, request_id=error.request_id,
            http=error.status_code, retry_after=error.retry_after,
        )  # fmt: skip
    fields = answer.to_map() if typed else answer
    return Outcome.returned(fields["body"], fields["statusCode"])
