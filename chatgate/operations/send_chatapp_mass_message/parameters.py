"""What SendChatappMassMessage takes, in the order in which it is checked.

The rows are those of SendChatappMessage, where the field is the same; a template is always needed.
"""

from __future__ import annotations

from dataclasses import replace

from chatgate.operations.send_chatapp_message.parameters import PARAMETERS as OF_ONE
from chatgate.protocol.params import JsonArray, Parameter

MOST = 1000
"""Receivers of one call (SDK alibabacloud-cams20200606)."""

_ROWS = {row.name: row for row in OF_ONE}

TO, TEMPLATE_PARAMS = _ROWS["To"], _ROWS["TemplateParams"]

SENDER_LIST = JsonArray(
    "SenderList",
    required=True,
    minimum_items=1,
    maximum_items=MOST,
    items=(TO, TEMPLATE_PARAMS, *(_ROWS[name] for name in ("Payload", "ProductAction", "FlowAction", "RecipientType"))),
    description="The receivers, each with its own values for the template's variables. Each entry is a message: a"
    " number that stands in two entries gets two.",
    example='[{"To":"639170000001","TemplateParams":{"param1":"Ann","param2":"7"}}]',
)

PARAMETERS: tuple[Parameter, ...] = (
    _ROWS["ChannelType"],
    _ROWS["From"],
    SENDER_LIST,
    *(_ROWS[name] for name in ("CustSpaceId", "FallBackRule", "FallBackDuration", "FallBackContent", "FallBackId")),
    _ROWS["Label"],
    replace(_ROWS["TemplateCode"], required=True, description="The template."),
    replace(_ROWS["Language"], required=True, description="Language of the template."),
    *(_ROWS[name] for name in ("Ttl", "Tag", "TaskId", "TemplateName", "IsvCode", "CustWabaId")),
)
