"""ListChatappTemplate: the templates of an account, the last changed first, page by page.

Source: SDK alibabacloud-cams20200606; ``Page`` has the documented defaults 1 and 10. That ``Name`` is compared whole is
our choice.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.channels.viber_template import CATEGORIES
from chatgate.domain.review import AuditStatus, TemplateRecord
from chatgate.errors import PAGE_INVALID
from chatgate.operations.base import Call, Desk, TemplateName, WantedTemplates, check_space
from chatgate.operations.create_chatapp_template import SPACE, UNUSED, VIBER, language, template_type
from chatgate.operations.list_chatapp_message import LARGEST_PAGE, read_page
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Choice, JsonObject, Parameter, String

NAME = "ListChatappTemplate"
CALLS_PER_SECOND = 5  # published metadata of CAMS (2024)

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    template_type(required=False),
    JsonObject(
        "Page",
        wrong=PAGE_INVALID,
        description=f"`Index` from 1, and `Size` from 1 to {LARGEST_PAGE}; not given: 1 and 10.",
        example='{"Index":1,"Size":10}',
    ),
    Choice(
        "AuditStatus",
        values=tuple(AuditStatus),
        wrong=errors.AUDIT_STATUS_NOT_SUPPORTED,
        description="Only with this review.",
        example="pass",
    ),
    Choice("Category", values=CATEGORIES, description="Only of this category.", example="UTILITY"),
    String("Code", description="Only this TemplateCode.", example="744c4b5c79c9432497a075bdfca30001"),
    String("Name", description="Only of this name.", example="order"),
    language(required=False),
    *(row for row in UNUSED if row.name in ("IsvCode", "CustWabaId")),
)

LISTED = (
    Field("TemplateCode", description="Its code.", example="744c4b5c79c9432497a075bdfca30001"),
    Field("TemplateName", description="Its name.", example="order"),
    Field("Language", description="Its language.", example="en"),
    Field("Category", description="Its purpose, or its message type.", example="UTILITY"),
    Field("TemplateType", description="`VIBER`.", example=VIBER),
    Field("AuditStatus", description="What review says of it.", example="pass"),
    Field("Reason", description="Why."),
    Field("LastUpdateTime", Kind.INTEGER, description="When it changed, in milliseconds.", example=1740830400000),
)
RESPONSE = (
    SUCCESS,
    Field("ListTemplate", Kind.ARRAY, description="The templates of the page.", fields=LISTED),
    Field("Total", Kind.INTEGER, description="How many fit on all pages.", example=1),
)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return one page. Raises ApiError when the call is refused."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    index, size = read_page({"Index": 1, "Size": 10} | (values["Page"] or {}))
    status = values["AuditStatus"]
    wanted = WantedTemplates(
        which=TemplateName(code=values["Code"], name=values["Name"]), language=values["Language"],
        category=values["Category"], status=None if status is None else AuditStatus(status), index=index, size=size,
    )  # fmt: skip
    found, total = await desk.templates.page(call, wanted)
    listed = [_entry(record) for record in found]
    return {"Code": "OK", "Message": "OK", "Success": True, "ListTemplate": listed, "Total": total}


def _entry(found: TemplateRecord) -> dict[str, object]:
    sent = found.template
    return {
        "TemplateCode": sent.template_code, "TemplateName": sent.name, "Language": sent.language,
        "Category": found.text.category, "TemplateType": VIBER, "AuditStatus": found.audit_status,
        "Reason": found.reason, "LastUpdateTime": found.updated_at,
    }  # fmt: skip
