"""GetChatappUploadAuthorization: would allow an upload of files; not available here.

Source: SDK alibabacloud-cams20200606. Its answer is a key for Alibaba's object store, which this installation has not:
a clear refusal is better than a key that opens nothing. Media are named by a URL of the caller's own.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.errors import NOT_OWNER, UPLOAD_NOT_SUPPORTED, ApiError
from chatgate.operations.base import Call, Desk
from chatgate.protocol import params
from chatgate.protocol.params import String

NAME = "GetChatappUploadAuthorization"
CALLS_PER_SECOND = 5  # published metadata of CAMS (2024)

SPACE = String("CustSpaceId", required=True, description="A space of the account.", example="282514865123580001")
PARAMETERS = (SPACE,)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Refuse the call. Raises ApiError: UPLOAD_NOT_SUPPORTED, or what else is wrong with it."""
    if params.value(SPACE, call.params) not in call.account.spaces:
        raise ApiError(NOT_OWNER, param=SPACE.name)
    raise ApiError(UPLOAD_NOT_SUPPORTED)
