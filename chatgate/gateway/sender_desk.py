"""Where operations ask about senders, and about what the account applied for."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from chatgate import errors
from chatgate.domain.review import NotPossible
from chatgate.domain.sender_request import AuditResult, SenderRequest
from chatgate.errors import CREATE_ERROR, NONCE_USED, ApiError, NotFound
from chatgate.operations.base import Call
from chatgate.store.senders import Filing, Revision, TooManyRequests
from chatgate.store.store import Store

MOST_LOOKED_AT = 1000


class SenderDesk:
    """The senders of callers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def file(self, call: Call, space_id: str, request_type: str, record: dict[str, Any]) -> str:
        request = SenderRequest(
            request_no=secrets.token_hex(12), space_id=space_id, request_type=request_type, result=AuditResult.OPEN,
            reason="", record=record, creator=call.access_key_id, modifier=call.access_key_id, created_at=call.now,
            changed_at=call.now,
        )  # fmt: skip
        filing = Filing(account_id=call.account.account_id, request=request, nonce=call.nonce)
        try:
            fresh = await self._store.file_request(filing)
        except TooManyRequests:
            raise ApiError(CREATE_ERROR, "The account has too many open requests.") from None
        if not fresh:
            raise ApiError(NONCE_USED)
        return request.request_no

    async def revise(self, call: Call, space_id: str, request_no: str, record: dict[str, Any]) -> None:
        revision = Revision(
            account_id=call.account.account_id, request_no=request_no, space_id=space_id, record=record,
            author=call.access_key_id, now=call.now, nonce=call.nonce,
        )  # fmt: skip
        try:
            fresh = await self._store.revise_request(revision)
        except NotFound:
            raise errors.invalid("RequestNo", "The account has no such request.") from None
        except NotPossible:
            raise errors.invalid("RequestNo", "The request is closed.") from None
        if not fresh:
            raise ApiError(NONCE_USED)

    async def request(self, call: Call, request_no: str) -> SenderRequest | None:
        return await self._store.find_request(call.account.account_id, request_no)

    async def requests(self, call: Call) -> Sequence[SenderRequest]:
        return await self._store.list_requests(call.account.account_id, MOST_LOOKED_AT)

    async def pauses(self, call: Call) -> int:
        return await self._store.sender_pauses(call.account.account_id)
