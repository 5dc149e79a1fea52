"""GetChatappTemplateMetric: how many messages of a template were sent, delivered and read, day by day.

Source: SDK alibabacloud-cams20200606, which documents it for WhatsApp. What it leaves open is our choice:

- A message counts in the span (a day of UTC, or half an hour) in which it was accepted, with what became of it so far.
- Only spans with messages are listed. Viber tells nobody which button was pressed: ``Cliented`` is empty.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.clock import DAY, MINUTE
from chatgate.operations.base import Call, Count, Desk, WantedCounts, check_space
from chatgate.operations.create_chatapp_template import SPACE, language, template_type
from chatgate.protocol import params
from chatgate.protocol.fields import Field, Kind
from chatgate.protocol.params import Choice, Integer, Parameter, String

NAME = "GetChatappTemplateMetric"
CALLS_PER_SECOND = 50  # published metadata of CAMS (2024)

STEPS = {"DAILY": DAY, "HALF_HOUR": 30 * MINUTE}
LONGEST_RANGE = 90 * DAY

PARAMETERS: tuple[Parameter, ...] = (
    SPACE,
    template_type(required=False),
    String("TemplateCode", required=True, description="The template.", example="744c4b5c79c9432497a075bdfca30001"),
    language(required=False),
    Integer("Start", required=True, minimum=0, description="The oldest, in milliseconds.", example="1740830400000"),
    Integer("End", required=True, minimum=0, description="The newest, in milliseconds.", example="1740916800000"),
    Choice("Granularity", values=tuple(STEPS), description="Span of one count. Not given: `DAILY`.", example="DAILY"),
    String("IsvCode", description="Not used."),
)

CLICKED = (
    Field("Type", description="Kind of the button."),
    Field("ButtonContent", description="What stands on it."),
    Field("Count", Kind.INTEGER, description="How often it was pressed.", example=0),
)
COUNTED = (
    Field("TemplateCode", description="The template.", example="744c4b5c79c9432497a075bdfca30001"),
    Field("Language", description="Its language.", example="en"),
    Field("Start", Kind.INTEGER, description="When the span begins.", example=1740787200000),
    Field("End", Kind.INTEGER, description="When it ends.", example=1740873599999),
    Field("SentCount", Kind.INTEGER, description="Messages that the provider took.", example=100),
    Field("DeliveredCount", Kind.INTEGER, description="Of these, those that a phone has.", example=98),
    Field("ReadCount", Kind.INTEGER, description="Of these, those that were read.", example=60),
    Field("Cliented", Kind.ARRAY, description="Empty: Viber does not tell.", fields=CLICKED),
)
RESPONSE = (Field("Data", Kind.ARRAY, description="By span and language.", fields=COUNTED),)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return the counts. Raises ApiError when the call is refused."""
    values = params.parse(PARAMETERS, call.params)
    check_space(call)
    start, end, code = values["Start"], values["End"], values["TemplateCode"]
    if not start <= end <= start + LONGEST_RANGE:
        raise errors.invalid("End", f"End must not be before Start, and at most {LONGEST_RANGE // DAY} days after it.")
    if not any(code == own for own, _ in call.account.templates):
        raise errors.invalid("TemplateCode", "The account has no such template.")
    wanted = WantedCounts(
        template_code=code, language=values["Language"], since=start, until=end,
        step=STEPS[values["Granularity"] or "DAILY"],
    )  # fmt: skip
    data = [_entry(code, count) for count in await desk.templates.counts(call, wanted)]
    return {"Code": "OK", "Message": "OK", "Data": data}


def _entry(code: str, count: Count) -> dict[str, object]:
    return {
        "TemplateCode": code, "Language": count.language, "Start": count.start, "End": count.end,
        "SentCount": count.sent, "DeliveredCount": count.delivered, "ReadCount": count.read, "Cliented": [],
    }  # fmt: skip
