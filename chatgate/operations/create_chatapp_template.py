"""CreateChatappTemplate: a new template, or one more language of a template, handed in for review.

The setting ``template_review`` says what review does. Languages of one ``Name`` share a ``TemplateCode``.
Source: SDK alibabacloud-cams20200606; what is legal is in ``channels.viber_template``. The lengths are our choice, and
that the first finding is answered (``chatgate template lint`` prints all).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatgate import errors
from chatgate.channels import viber_template
from chatgate.domain.language import LANGUAGES
from chatgate.domain.review import TemplateText
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Choice, Integer, JsonArray, JsonObject, Parameter, String

NAME = "CreateChatappTemplate"
CHANGES = True
CALLS_PER_SECOND = 50  # published metadata of CAMS (2024)

LONGEST_NAME = 512
LONGEST_COMPONENTS = 32_768
"""Characters of ``Components`` and of ``Example``; the longest legal ones have a tenth of that."""

VIBER = "VIBER"


def template_type(*, required: bool) -> Choice:
    return Choice(
        "TemplateType",
        values=(VIBER,),
        required=required,
        wrong=errors.TEMPLATE_TYPE_NOT_SUPPORTED,
        description="`VIBER`." + ("" if required else " Not given: the same."),
        example=VIBER,
    )


def language(*, required: bool) -> Choice:
    return Choice(
        "Language",
        values=tuple(sorted(LANGUAGES)),
        required=required,
        wrong=errors.LANGUAGE_NOT_SUPPORTED,
        description="Language of the template.",
        example="en",
    )


SPACE = String("CustSpaceId", description="A space of the account.", example="282514865123580001")
CATEGORY = "Purpose of the template (`UTILITY`, `MARKETING`, `AUTHENTICATION`), or its message type (`text_image` …)."
COMPONENTS = JsonArray(
    "Components",
    required=True,
    description="BODY, and HEADER and BUTTONS where it has them.",
    example='[{"Type":"BODY","Text":"Hello $(name)"}]',
)
EXAMPLE = JsonObject("Example", description="A sample for every variable.", example='{"name":"Ann"}')
TTL = Integer("MessageSendTtlSeconds", minimum=30, maximum=1_209_600, description="Kept and given back.", example="120")
UNUSED = (
    String("CategoryChangePaused", description="Not used by Viber."),
    String("ProductSetId", description="Not used by Viber."),
    String("IsvCode", description="Not used."),
    String("CustWabaId", description="Not used."),
)

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    template_type(required=True),
    String("Name", required=True, maximum_length=LONGEST_NAME, description="Name of the template.", example="order"),
    language(required=True),
    String("Category", required=True, description=CATEGORY, example="UTILITY"),
    COMPONENTS,
    EXAMPLE,
    TTL,
    String("AllowCategoryChange", description="Not used by Viber."),
    *UNUSED,
)

RESPONSE = MADE = (
    SUCCESS,
    Field(
        "Data",
        Kind.OBJECT,
        description="The template.",
        fields=(
            Field("TemplateCode", description="Its code.", example="744c4b5c79c9432497a075bdfca30001"),
            Field("TemplateName", description="Its name.", example="order"),
        ),
    ),
)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Make a template. Raises ApiError when the call is refused; then nothing was made."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    if not values["Name"].isprintable() or values["Name"] != values["Name"].strip():
        raise errors.invalid("Name", "Name must be printable, without blanks around it.")
    text = read_text(call, values, values["Category"])
    code = await desk.templates.create(call, values["Name"], values["Language"], text)
    return {
        "Code": "OK",
        "Message": "OK",
        "Success": True,
        "Data": {"TemplateCode": code, "TemplateName": values["Name"]},
    }


def read_text(call: Call, values: Mapping[str, Any], category: str, ttl: int | None = None) -> TemplateText:
    """Return what a call says of a template; ``ttl`` where it names none. Raises ApiError for the first finding."""
    for name in ("Components", "Example"):
        if len(call.params.get(name, "")) > LONGEST_COMPONENTS:
            raise errors.invalid(name, f"{name} must have at most {LONGEST_COMPONENTS} characters.")
    for finding in viber_template.lint(values["Components"], category, values["Example"]):
        raise finding.error()
    return TemplateText(
        category=category, components=viber_template.plain(values["Components"]), example=values["Example"],
        message_send_ttl=values["MessageSendTtlSeconds"] or ttl,
    )  # fmt: skip
