"""What a caller may do. Every access key is its account's own so far: there are no RAM users, so no policies."""

from __future__ import annotations

from chatgate.errors import UNSUBSCRIBED, ApiError
from chatgate.gateway.authenticate import Caller

WITHOUT_SUBSCRIPTION = frozenset({"GetChatappOpenStatus", "OpenChatappService"})
"""What tells an account that is not subscribed that it is not."""


def authorize(caller: Caller, action: str) -> None:
    """Refuse a call that the account may not make.

    :raises ApiError: ``UNSUBSCRIBED``.
    """
    if not caller.account.subscribed and action not in WITHOUT_SUBSCRIPTION:
        raise ApiError(UNSUBSCRIBED)
