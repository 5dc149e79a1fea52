"""Where operations ask about templates: what review says of a new one, and the account that sees it at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from chatgate import errors
from chatgate.channels import viber_template
from chatgate.domain.review import AUDIT_STATUSES, ReviewMode, TemplateRecord, TemplateText, Verdict, first_verdict
from chatgate.errors import (
    CREATE_ERROR,
    DELETE_NOT_FOUND,
    NONCE_USED,
    TEMPLATE_NAME_EXISTS,
    TOO_FAR_BACK,
    ApiError,
    NotFound,
)
from chatgate.operations.base import Call, Count, TemplateName, WantedCounts, WantedTemplates
from chatgate.store.store import Store
from chatgate.store.template_counts import TooMany
from chatgate.store.templates import (
    Change,
    Creation,
    Deletion,
    NameProhibited,
    Naming,
    TemplateApproved,
    TemplateExists,
    TooManyTemplates,
    Wanted,
)

_STANDINGS = {status: standing for standing, status in AUDIT_STATUSES.items()}


class TemplateDesk:
    """The templates of callers."""

    def __init__(self, store: Store, forget: Callable[[int], None], *, review: ReviewMode, review_delay: int) -> None:
        """``forget`` makes this process read an account again. ``review_delay``: milliseconds of a delayed review."""
        self._store = store
        self._forget = forget
        self._review = review
        self._review_delay = review_delay

    async def create(self, call: Call, name: str, language: str, text: TemplateText) -> str:
        template = viber_template.sendable(text, secrets.token_hex(16), language, name)
        creation = Creation(
            account_id=call.account.account_id, template=template, text=text, verdict=self._verdict(call),
            author=call.access_key_id, now=call.now, nonce=call.nonce,
        )  # fmt: skip
        try:
            code = await self._store.create_template(creation)
        except TemplateExists:
            raise ApiError(TEMPLATE_NAME_EXISTS) from None
        except NameProhibited:
            raise ApiError(CREATE_ERROR, "A template of this name and language was prohibited.") from None
        except TooManyTemplates:
            raise ApiError(CREATE_ERROR, "The account has as many templates as it can have.") from None
        self._forget(call.account.account_id)
        if code is None:
            raise ApiError(NONCE_USED)
        return code

    async def change(self, call: Call, which: TemplateName, language: str, text: TemplateText) -> TemplateRecord:
        change = Change(
            which=_naming(call, which, language), template=viber_template.sendable(text, "", language, ""), text=text,
            verdict=self._verdict(call), author=call.access_key_id, now=call.now, nonce=call.nonce,
        )  # fmt: skip
        try:
            changed = await self._store.change_template(change)
        except NotFound:
            raise errors.invalid("TemplateCode", "The account has no such template in this Language.") from None
        except TemplateApproved:
            raise errors.invalid(
                "TemplateCode", "An approved template cannot be changed; delete it, or make another."
            ) from None
        self._forget(call.account.account_id)
        if changed is None:
            raise ApiError(NONCE_USED)
        return changed

    async def remove(self, call: Call, which: TemplateName, language: str | None) -> None:
        deletion = Deletion(
            which=_naming(call, which, language), author=call.access_key_id, now=call.now, nonce=call.nonce
        )
        try:
            fresh = await self._store.remove_template(deletion)
        except NotFound:
            raise ApiError(DELETE_NOT_FOUND) from None
        self._forget(call.account.account_id)
        if not fresh:
            raise ApiError(NONCE_USED)

    async def find(self, call: Call, which: TemplateName, language: str) -> TemplateRecord | None:
        return await self._store.find_template(_naming(call, which, language))

    async def page(self, call: Call, wanted: WantedTemplates) -> tuple[list[TemplateRecord], int]:
        if wanted.status is not None and wanted.status not in _STANDINGS:
            return [], 0
        return await self._store.list_templates(
            Wanted(
                which=_naming(call, wanted.which, wanted.language), category=wanted.category, limit=wanted.size,
                standing=None if wanted.status is None else _STANDINGS[wanted.status],
                offset=(wanted.index - 1) * wanted.size,
            )
        )  # fmt: skip

    async def counts(self, call: Call, wanted: WantedCounts) -> list[Count]:
        try:
            spans = await self._store.count_templates(
                call.account.account_id, wanted.template_code, wanted.since, wanted.until, wanted.step
            )
        except TooMany:
            raise ApiError(TOO_FAR_BACK, "Too many messages lie between Start and End; narrow them.") from None
        return [
            Count(
                language=language, start=start, end=start + wanted.step - 1, sent=span.sent,
                delivered=span.delivered, read=span.read,
            )
            for (start, language), span in spans.items()
            if wanted.language in (None, language)
        ]  # fmt: skip

    def _verdict(self, call: Call) -> Verdict:
        return first_verdict(self._review, call.now, self._review_delay)


def _naming(call: Call, which: TemplateName, language: str | None) -> Naming:
    return Naming(account_id=call.account.account_id, code=which.code, name=which.name, language=language)
