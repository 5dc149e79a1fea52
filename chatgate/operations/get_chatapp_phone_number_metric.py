"""GetChatappPhoneNumberMetric: counts what went out from the senders of the account, by day or half hour.

Source: SDK alibabacloud-cams20200606. What it leaves open is our choice:

- ``SentCount`` is of messages that the provider took, ``DeliveredCount`` of those that a phone has; both by the time at
  which chatgate took the message.
- Days and half hours are of UTC; those in which nothing went out are left out. The SMS of fallbacks do not count.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate import errors
from chatgate.clock import DAY, MINUTE
from chatgate.domain.traffic import Period
from chatgate.operations.base import Call, Desk, check_space
from chatgate.protocol import params
from chatgate.protocol.fields import Field, Kind
from chatgate.protocol.params import Choice, Integer, String

NAME = "GetChatappPhoneNumberMetric"
CALLS_PER_SECOND = 50  # published metadata of CAMS (2024)

GRANULARITIES = {"DAILY": DAY, "DAY": DAY, "HALF_HOUR": 30 * MINUTE}

LONGEST = 90 * DAY

PARAMETERS = (
    Integer("Start", required=True, minimum=0, description="Milliseconds since 1970.", example="1740787200000"),
    Integer("End", required=True, minimum=0, description="Up to, at most 90 days later.", example="1740873600000"),
    String("PhoneNumber", description="Only of this sender.", example="27549"),
    Choice("Granularity", values=tuple(GRANULARITIES), description="Default: `DAILY`.", example="DAILY"),
    String("CustSpaceId", description="A space of the account.", example="282514865123580001"),
    String("IsvCode", description="Not used."),
)

COUNTED = (
    Field("PhoneNumber", description="The sender.", example="27549"),
    Field("Start", Kind.INTEGER, description="When the day or half hour begins.", example=1740787200000),
    Field("End", Kind.INTEGER, description="When it ends.", example=1740873600000),
    Field("Granularity", description="As asked for.", example="DAILY"),
    Field("SentCount", Kind.INTEGER, description="Messages that the provider took.", example=100),
    Field("DeliveredCount", Kind.INTEGER, description="Of these, those that a phone has.", example=98),
)
RESPONSE = (Field("Data", Kind.ARRAY, description="By sender and time.", fields=COUNTED),)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return the counts. Raises ApiError when the call is refused."""
    values = params.parse(PARAMETERS, call.params)
    start, end, sender = values["Start"], values["End"], values["PhoneNumber"]
    if not start < end <= start + LONGEST:
        raise errors.invalid("End", "End must be after Start, and at most 90 days later.")
    if sender is not None and sender not in call.account.senders:
        raise errors.invalid("PhoneNumber", "PhoneNumber is not a sender of the account.")
    check_space(call)
    granularity = values["Granularity"] or "DAILY"
    span = GRANULARITIES[granularity]
    data = [
        {
            "PhoneNumber": one.sender, "Start": one.start, "End": one.start + span, "Granularity": granularity,
            "SentCount": one.sent, "DeliveredCount": one.delivered,
        }
        for one in await desk.traffic(call, Period(start=start, end=end, span=span, sender=sender))
    ]  # fmt: skip
    return {"Code": "OK", "Message": "OK", "Data": data}
