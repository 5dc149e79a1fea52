"""GetChatappTemplateDetail: one language of a template, with its review.

Source: SDK alibabacloud-cams20200606. ``Components`` are given back as they were written, without keys that Viber does
not know; a template of another account is none (our choices).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatgate import errors
from chatgate.domain.account import Standing
from chatgate.domain.review import TemplateRecord
from chatgate.errors import DETAIL_NOT_FOUND, ApiError
from chatgate.operations.base import Call, Desk, TemplateName, check_space
from chatgate.operations.create_chatapp_template import SPACE, UNUSED, VIBER, language, template_type
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Parameter, String

NAME = "GetChatappTemplateDetail"
CALLS_PER_SECOND = 5  # published metadata of CAMS (2024)

WHICH = (
    String("TemplateCode", description="The template, by its code.", example="744c4b5c79c9432497a075bdfca30001"),
    String("TemplateName", description="The template, by its name.", example="order"),
)

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    template_type(required=False),
    *WHICH,
    language(required=True),
    *(row for row in UNUSED if row.name in ("IsvCode", "CustWabaId")),
)

TEXTS = (
    ("Type", "`BODY`, `HEADER` or `BUTTONS`.", "BODY"), ("Text", "The text, with its variables.", "Hello $(name)"),
    ("Format", "Of a header: `IMAGE`, `VIDEO` or `DOCUMENT`.", ""), ("Url", "Of a header: its medium.", ""),
    ("ThumbUrl", "Of a video.", ""), ("FileName", "Of a document.", ""), ("FileType", "Of a document.", ""),
    ("Caption", "Of a header; Viber does not show it.", ""),
)  # fmt: skip
BUTTON = (
    ("Type", "`URL`.", "URL"), ("Text", "What stands on it.", "Track"), ("Url", "What it opens.", ""),
    ("UrlType", "`static` or `dynamic`.", "static"),
)  # fmt: skip
COMPONENT = (
    *(Field(name, description=text, example=sample) for name, text, sample in TEXTS),
    Field("Duration", Kind.INTEGER, description="Of a video: seconds.", example=30),
    Field(
        "Buttons",
        Kind.ARRAY,
        description="Of `BUTTONS`: its button.",
        fields=tuple(Field(name, description=text, example=sample) for name, text, sample in BUTTON),
    ),
)
DETAIL = (
    Field("TemplateCode", description="Its code.", example="744c4b5c79c9432497a075bdfca30001"),
    Field("Name", description="Its name.", example="order"),
    Field("Language", description="Its language.", example="en"),
    Field("Category", description="Its purpose, or its message type.", example="UTILITY"),
    Field("TemplateType", description="`VIBER`.", example=VIBER),
    Field("Components", Kind.ARRAY, description="As they were written.", fields=COMPONENT),
    Field("Example", Kind.OBJECT, description="A sample for each variable, by its name."),
    Field("AuditStatus", description="What review says of it.", example="pass"),
    Field("Reason", description="Why."),
    Field("AllowSend", Kind.BOOLEAN, description="Whether a call may send it.", example=True),
    Field("CategoryChangePaused", Kind.BOOLEAN, description="Not used by Viber.", example=False),
    Field("MessageSendTtlSeconds", Kind.INTEGER, description="As it was given.", example=120),
)
RESPONSE = (SUCCESS, Field("Data", Kind.OBJECT, description="The template.", fields=DETAIL))


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return a template. Raises ApiError when the call is refused, or there is none."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    found = await desk.templates.find(call, which(values), values["Language"])
    if found is None:
        raise ApiError(DETAIL_NOT_FOUND)
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": _data(found)}


def which(values: Mapping[str, Any]) -> TemplateName:
    """Return the template that a call names. Raises ApiError when it names none."""
    if values["TemplateCode"] is None and values["TemplateName"] is None:
        raise ApiError(errors.TEMPLATE_CODE_EMPTY, "TemplateCode or TemplateName is needed.", param="TemplateCode")
    return TemplateName(code=values["TemplateCode"], name=values["TemplateName"])


def _data(found: TemplateRecord) -> dict[str, object]:
    sent, text = found.template, found.text
    data: dict[str, object] = {
        "TemplateCode": sent.template_code, "Name": sent.name, "Language": sent.language, "Category": text.category,
        "TemplateType": VIBER, "Components": text.components, "Example": text.example or {},
        "AuditStatus": found.audit_status, "Reason": found.reason, "AllowSend": sent.standing is Standing.APPROVED,
        "CategoryChangePaused": False,
    }  # fmt: skip
    return data if text.message_send_ttl is None else data | {"MessageSendTtlSeconds": text.message_send_ttl}
