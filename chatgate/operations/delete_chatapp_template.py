"""DeleteChatappTemplate: a template is gone, in one language or, when none is named, in all.

What was accepted before is sent all the same: a message holds what it shows.
Source: SDK alibabacloud-cams20200606. That no ``Language`` means all of them is our choice.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.operations.base import Call, Desk, check_space
from chatgate.operations.create_chatapp_template import SPACE, UNUSED, language, template_type
from chatgate.operations.get_chatapp_template_detail import WHICH, which
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS
from chatgate.protocol.params import Parameter

NAME = "DeleteChatappTemplate"
CHANGES = True
CALLS_PER_SECOND = 5  # published metadata of CAMS (2024)

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    template_type(required=True),
    *WHICH,
    language(required=False),
    *(row for row in UNUSED if row.name in ("IsvCode", "CustWabaId")),
)

RESPONSE = (SUCCESS,)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Delete a template. Raises ApiError when the call is refused, or there is none."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    await desk.templates.remove(call, which(values), values["Language"])
    return {"Code": "OK", "Message": "OK", "Success": True}
