"""QueryInstance: shows one instance of the account.

Source: SDK alibabacloud-cams20200606. An instance of another account is answered like one that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.domain.account import Space
from chatgate.errors import NOT_OWNER, ApiError
from chatgate.operations.base import Call, Desk
from chatgate.operations.create_instance import SHOWN, shown
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS, Field, Kind
from chatgate.protocol.params import String

NAME = "QueryInstance"

INSTANCE = String("InstanceId", required=True, description="The instance: a CustSpaceId.", example="cams-8e4abcd12345")
PARAMETERS = (INSTANCE,)

OWNER = (
    Field("CountryId", description="The country.", example="PH"),
    Field("ContactMail", description="Whom to write to.", example="shop@example.com"),
    Field("OfficeAddress", description="Where the owner is.", example="1 Main Street"),
    Field("FacebookBmId", description="As it was given."),
    Field("IsvTerms", description="As it was given."),
    Field("ResourceGroupId", description="Empty: there are no resource groups."),
)
ALL = (*SHOWN, *OWNER, Field("CustType", description="Empty: of WhatsApp."))
RESPONSE = (SUCCESS, Field("Data", Kind.OBJECT, description="The instance.", fields=ALL))


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Return one instance. Raises ApiError: it is none of the account."""
    return {"Code": "OK", "Message": "OK", "Success": True, "Data": shown(find(call), ALL)}


def find(call: Call) -> Space:
    """Return the instance that a call names. Raises ApiError: NOT_OWNER."""
    space = call.account.spaces.get(params.value(INSTANCE, call.params))
    if space is None:
        raise ApiError(NOT_OWNER, param="InstanceId")
    return space
