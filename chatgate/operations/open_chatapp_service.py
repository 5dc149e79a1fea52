"""OpenChatappService: subscribes the account; here the operator has done so, or has not.

Source: SDK alibabacloud-cams20200606. Our choice: who may use this installation is for its operator to say, so the call
changes nothing. An account that is subscribed is told so, another one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.errors import UNSUBSCRIBED, ApiError
from chatgate.operations.base import Call, Desk
from chatgate.operations.get_chatapp_open_status import RESPONSE
from chatgate.protocol.params import Parameter

__all__ = ["NAME", "PARAMETERS", "RESPONSE", "execute"]

NAME = "OpenChatappService"

PARAMETERS: tuple[Parameter, ...] = ()


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Say that the account is subscribed. Raises ApiError: UNSUBSCRIBED."""
    if not call.account.subscribed:
        raise ApiError(UNSUBSCRIBED, f"{UNSUBSCRIBED.message} The operator of this installation subscribes accounts.")
    return {"Code": "OK", "Message": "OK", "OpenStatus": True}
