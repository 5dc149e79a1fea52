"""ModifyChatappTemplate: new contents for a template that was never approved, handed in for review again.

``Components`` and ``Example`` are replaced; ``Category`` and ``MessageSendTtlSeconds`` stay where they are not given
(our choice). An approved template cannot be changed: delete it, or make another.
Source: SDK alibabacloud-cams20200606, "only templates that are not approved can be modified".
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.operations.base import Call, Desk, check_space
from chatgate.operations.create_chatapp_template import (
    CATEGORY,
    COMPONENTS,
    EXAMPLE,
    MADE,
    SPACE,
    TTL,
    UNUSED,
    language,
    read_text,
    template_type,
)
from chatgate.operations.get_chatapp_template_detail import WHICH, which
from chatgate.protocol import params
from chatgate.protocol.params import Parameter, String

NAME = "ModifyChatappTemplate"
CHANGES = True
CALLS_PER_SECOND = 50  # published metadata of CAMS (2024)

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    template_type(required=False),
    *WHICH,
    language(required=True),
    String("Category", description=CATEGORY + " Not given: as before.", example="UTILITY"),
    COMPONENTS,
    EXAMPLE,
    TTL,
    *UNUSED,
)

RESPONSE = MADE


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Change a template. Raises ApiError when the call is refused; then nothing was changed."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    named = which(values)
    old = await desk.templates.find(call, named, values["Language"])
    if old is None:
        raise errors.invalid("TemplateCode", "The account has no such template in this Language.")
    text = read_text(call, values, values["Category"] or old.text.category, old.text.message_send_ttl)
    new = await desk.templates.change(call, named, values["Language"], text)
    data = {"TemplateCode": new.template.template_code, "TemplateName": new.template.name}
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": data}
