"""An operation of the product that is not done here: most of them are of WhatsApp, Messenger or Instagram.

It is answered after the caller has proved who it is, in the shape of a validation code, as CAMS does for a channel that
it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.errors import CHANNEL_NOT_SUPPORTED, ApiError
from chatgate.operations.base import Call, Desk


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Refuse the call. Raises ApiError: CHANNEL_NOT_SUPPORTED."""
    raise ApiError(CHANNEL_NOT_SUPPORTED, "This operation is not available: the only channel here is Viber.")
