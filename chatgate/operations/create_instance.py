"""CreateInstance: makes an instance, which is a space: what ``CustSpaceId`` of the calls names.

Source: SDK alibabacloud-cams20200606. What it leaves open is our choice:

- An instance has no senders of its own: every sender of the account may be used with it.
- What is said about it is kept and shown, and changes nothing.
- The first space of the account stays the one that stands for a call without ``CustSpaceId``.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping

from chatgate import errors
from chatgate.domain.account import Space
from chatgate.operations.base import Call, Desk, SpaceChange
from chatgate.operations.send_chatapp_message.parameters import CHANNELS
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import Choice, Parameter, String

NAME = "CreateInstance"
CHANGES = True

MOST = 100
"""Instances of an account, at most. Ours."""

REGION = "ap-southeast-1"
"""The region of the product."""

INSTANCE_NAME = String(
    "InstanceName", required=True, maximum_length=100, description="Name of the instance.", example="Shop"
)
DETAILS: tuple[Parameter, ...] = (
    INSTANCE_NAME,
    String("InstanceDescription", maximum_length=500, description="What it is for.", example="Orders and offers"),
    String("CountryId", maximum_length=100, description="The country.", example="PH"),
    String("ContactMail", maximum_length=255, description="Whom to write to.", example="shop@example.com"),
    String("OfficeAddress", maximum_length=500, description="Where the owner is.", example="1 Main Street"),
    String("FacebookBmId", maximum_length=100, description="Not used by Viber."),
    String("IsvTerms", maximum_length=1000, description="Not used by Viber."),
)
"""What its owner may write down about an instance."""
NOT_USED = (String("IsConfirmAudit", description="Not used."),)

CHANNEL_TYPE = Choice(
    "ChannelType",
    values=tuple(CHANNELS),
    required=True,
    wrong=errors.CHANNEL_NOT_SUPPORTED,
    description="The channel. Upper and lower case are the same.",
    example="viber",
)

PARAMETERS = (CHANNEL_TYPE, *DETAILS, *NOT_USED, String("ResourceGroupId", description="Not used."))

INSTANCE_ID = Field("InstanceId", description="The instance.", example="cams-8e4abcd12345")
SHOWN = (
    INSTANCE_ID,
    Field("InstanceName", description="Its name.", example="Shop"),
    Field("ChannelType", description="Its channel.", example="viber"),
    Field("InstanceDescription", description="What it is for.", example="Orders and offers"),
    Field("ResourceRegionId", description="The region of the product.", example=REGION),
    Field("SubmitTime", description="When it was made, in milliseconds since 1970.", example="1740830400000"),
)
RESPONSE = (SUCCESS, Field("Data", Kind.OBJECT, description="The new instance.", fields=SHOWN))

_LETTERS = string.ascii_lowercase + string.digits


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Make an instance. Raises ApiError when the call is refused; then nothing was made."""
    values = params.parse(PARAMETERS, {**call.params, "ChannelType": call.params.get("ChannelType", "").lower()})
    space_id = "cams-" + "".join(secrets.choice(_LETTERS) for _ in range(12))
    details = written_down(values)
    await desk.change_space(call, SpaceChange(space_id=space_id, details=details, most=MOST))
    made = Space(space_id=space_id, made_at=call.now, details=details)
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": shown(made, SHOWN)}


def written_down(values: Mapping[str, object]) -> dict[str, str]:
    """Return the details that a call gives, by name."""
    return {row.name: str(values[row.name]) for row in DETAILS if values[row.name] is not None}


def shown(space: Space, fields: tuple[Field, ...]) -> dict[str, str]:
    """Return these fields of an instance. One that the operator made has its id for a name."""
    known = {
        "InstanceName": space.space_id, **space.details, "InstanceId": space.space_id, "CustSpaceId": space.space_id,
        "ChannelType": next(iter(CHANNELS)), "ResourceRegionId": REGION, "State": "A",
        "SubmitTime": "" if space.made_at is None else str(space.made_at),
    }  # fmt: skip
    return {field.name: known.get(field.name, "") for field in fields}
