"""What a caller may do. Today every access key is its account's own; policies of RAM users come with the account issue."""

from __future__ import annotations

from chatgate.errors import UNSUBSCRIBED, ApiError
from chatgate.gateway.authenticate import Caller


def authorize(caller: Caller, action: str) -> None:
    """Refuse a call that the account may not make.

    :raises ApiError: ``UNSUBSCRIBED``.
    """
    if not caller.account.subscribed:
        raise ApiError(UNSUBSCRIBED)
