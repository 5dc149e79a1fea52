"""DeleteInstance: takes an instance of the account away.

Source: SDK alibabacloud-cams20200606. What it leaves open is our choice: messages that were accepted go their way, and
the last instance stays, because calls need one.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.operations.base import Call, Desk, SpaceChange
from chatgate.operations.query_instance import INSTANCE, find
from chatgate.protocol.fields import SUCCESS

NAME = "DeleteInstance"
CHANGES = True

PARAMETERS = (INSTANCE,)
RESPONSE = (SUCCESS,)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Delete an instance. Raises ApiError when the call is refused; then it is still there."""
    await desk.change_space(call, SpaceChange(space_id=find(call).space_id, details=None))
    return {"Code": "OK", "Message": "OK", "Success": True}
