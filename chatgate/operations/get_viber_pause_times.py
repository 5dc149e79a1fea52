"""GetViberPauseTimes: how often senders of the account were paused.

Source: SDK alibabacloud-cams20200606. ``Data`` is a map without documented keys; ``PauseTimes`` is ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.operations.add_audit_viber_open import SPACE
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.params import Parameter

NAME = "GetViberPauseTimes"

PARAMETERS: tuple[Parameter, ...] = (SPACE,)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return the number. Raises ApiError when the call is refused."""
    params.parse(PARAMETERS, call.params)
    check_space(call)
    data = {"PauseTimes": await desk.senders.pauses(call)}
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": data}
