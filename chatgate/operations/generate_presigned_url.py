"""GeneratePresignedUrl: would show a file that was uploaded; not available here, as uploads are not.

Source: SDK alibabacloud-cams20200606.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.errors import UPLOAD_NOT_SUPPORTED, ApiError
from chatgate.operations.base import Call, Desk
from chatgate.protocol import params
from chatgate.protocol.fields import SUCCESS
from chatgate.protocol.params import String

NAME = "GeneratePresignedUrl"

PARAMETERS = (String("FilePath", required=True, description="Path of the file in the object store.", example="a/b"),)
RESPONSE = (SUCCESS,)


async def execute(call: Call, desk: Desk) -> Mapping[str, object]:
    """Refuse the call. Raises ApiError: UPLOAD_NOT_SUPPORTED, or what else is wrong with it."""
    params.parse(PARAMETERS, call.params)
    raise ApiError(UPLOAD_NOT_SUPPORTED)
