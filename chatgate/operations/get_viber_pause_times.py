"""GetViberPauseTimes: how often senders of the account were paused.

Source: SDK alibabacloud-cams20200606. ``Data`` is a map without documented keys; ``PauseTimes`` is ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.operations.add_audit_viber_open import SPACE
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Parameter

NAME = "GetViberPauseTimes"

PARAMETERS: tuple[Parameter, ...] = (SPACE,)

TIMES = (Field("PauseTimes", Kind.INTEGER, description="How often.", example=0),)
RESPONSE = (SUCCESS, Field("Data", Kind.OBJECT, description="The number.", fields=TIMES))


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return the number. Raises ApiError when the call is refused."""
    params.parse(PARAMETERS, call.params)
    check_space(call)
    data = {"PauseTimes": await desk.senders.pauses(call)}
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": data}
