"""GetChatappOpenStatus: says whether the account is subscribed.

Source: SDK alibabacloud-cams20200606. It is answered also where the account is not: nothing else would tell it.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.operations.base import Call, Desk
from chatgate.protocol.fields import Field, Kind
from chatgate.protocol.params import Parameter

NAME = "GetChatappOpenStatus"

PARAMETERS: tuple[Parameter, ...] = ()
RESPONSE = (Field("OpenStatus", Kind.BOOLEAN, description="Whether the account is subscribed.", example=True),)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return the status."""
    return {"Code": "OK", "Message": "OK", "OpenStatus": call.account.subscribed}
