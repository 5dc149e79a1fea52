"""UpdateInstance: changes what is written down about an instance of the account.

Source: SDK alibabacloud-cams20200606. What is not given stays as it is (our choice).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chatgate.operations.base import Call, Desk, SpaceChange
from chatgate.operations.create_instance import DETAILS, NOT_USED, SHOWN, shown, written_down
from chatgate.operations.query_instance import INSTANCE, find
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind

NAME = "UpdateInstance"
CHANGES = True

PARAMETERS = (INSTANCE, *DETAILS, *NOT_USED)

CHANGED = (*SHOWN, Field("Description", description="What it is for.", example="Orders and offers"))
RESPONSE = (SUCCESS, Field("Data", Kind.OBJECT, description="The instance as it is now.", fields=CHANGED))


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Change an instance. Raises ApiError when the call is refused; then nothing was changed."""
    values = params.parse(PARAMETERS, call.params)
    space = find(call)
    details = await desk.change_space(call, SpaceChange(space_id=space.space_id, details=written_down(values)))
    data = shown(msgspec.structs.replace(space, details=details), SHOWN)
    data["Description"] = data["InstanceDescription"]
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": data}
