"""ListInstance: lists the instances of the account, the oldest first.

Source: SDK alibabacloud-cams20200606. What it leaves open is our choice: ``FilterStr`` is a part of the id or of the
name, ``InstanceName`` the whole name; ``State`` is ``A`` for all.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.domain.account import Space
from chatgate.operations.base import Call, Desk
from chatgate.operations.create_instance import SHOWN, shown
from chatgate.operations.query_instance import OWNER
from chatgate.operations.send_chatapp_message.parameters import CHANNELS
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Boolean, Integer, String

NAME = "ListInstance"

PARAMETERS = (
    Integer("PageIndex", minimum=1, maximum=1_000_000, description="The page, from 1 (default).", example="1"),
    Integer("PageSize", minimum=1, maximum=100, description="Instances on a page; default 10.", example="10"),
    String("ChannelType", description="Only of this channel.", example="viber"),
    String("InstanceId", description="Only this one.", example="cams-8e4abcd12345"),
    String("InstanceName", description="Only of this name.", example="Shop"),
    String("FilterStr", description="Only with this in the id or the name.", example="sho"),
    # Of the SDK, and of no use here: taken and never read.
    String("SubmitTime", description="Not used."),
    String("BindId", description="Not used."),
    Boolean("IsBind", description="Not used."),
    String("ResourceGroupId", description="Not used."),
)

LISTED = (
    Field("CustSpaceId", description="The same as InstanceId.", example="cams-8e4abcd12345"),
    *SHOWN,
    *OWNER,
    Field("State", description="`A`: it can be used.", example="A"),
)
RESPONSE = (
    SUCCESS,
    Field("Data", Kind.ARRAY, description="The instances of the page.", fields=LISTED),
    Field("TotalCount", Kind.INTEGER, description="How many fit on all pages.", example=1),
)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return one page. Raises ApiError when the call is refused."""
    values = params.parse(PARAMETERS, call.params)
    fitting = [space for space in call.account.spaces.values() if _fits(space, values)]
    size = values["PageSize"] or 10
    first = ((values["PageIndex"] or 1) - 1) * size
    data = [shown(space, LISTED) for space in fitting[first : first + size]]
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": data, "TotalCount": len(fitting)}


def _fits(space: Space, values: Mapping[str, object]) -> bool:
    name = space.details.get("InstanceName", space.space_id)
    channel, part = values["ChannelType"], values["FilterStr"]
    return (
        (channel is None or str(channel).lower() in CHANNELS)
        and values["InstanceId"] in (None, space.space_id)
        and values["InstanceName"] in (None, name)
        and (part is None or str(part) in space.space_id or str(part) in name)
    )
