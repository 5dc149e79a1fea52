"""What an account applies for: to send by Viber, to other countries, to pause or to go on.

An ``AuditRecord`` is kept as it was written, without what the SDK does not know: typed clients read it back. Its fields
are those of the SDK alibabacloud-cams20200606; that none of them is required is our choice: the operator decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from chatgate import errors
from chatgate.clock import Instant
from chatgate.domain.account import Standing

OPEN = "viberOpen"
"""``RequestType`` of AddAuditViberOpen; the SDK names no words, this one is ours."""
DESTINATIONS = "addressRecoverSuspend"
"""``RequestType`` of AddAddressRecoverSuspend, where the call names none; ours."""


class AuditResult(StrEnum):
    """``AuditResult``: the SDK's examples, and its ``fail`` of templates."""

    OPEN = "unAudit"
    PASS = "pass"
    FAIL = "fail"


# ``State`` of ListViberServiceMessage; ``stop`` is the SDK's example, the others are ours.
STATES: dict[Standing, str] = {
    Standing.PENDING: "audit",
    Standing.APPROVED: "normal",
    Standing.PAUSED: "stop",
    Standing.PROHIBITED: "stop",
    Standing.REJECTED: "fail",
}

_TEXTS = """
    AgeLimit ApplyReason BusinessAccountName BusinessLicenseRegistrationNumber CompanyEnglishName CompanyLegalName
    CompanyLegalPerson CompanyProfile CompanyRegisteredCountry CompleteAddressOfHeadquarters ContactEmail ContactMail
    ContactName ContactPhone ContactPosition EnableAutoReply IndustryDescription IndustryInvolved LetterGuarantee
    MessageDialogueIntroduction MessageEnableDate MessageSessionName OtherLetterGuarantee RecoveryDate ReplyContent
    SuspensionDate WebAddress
"""
_LISTS = ("Logo", "MessageDestinationCountry", "MessageDestinationInternationalCountry")
_OBJECTS = {
    "CompanyAddress": ("CompanyAddress", "CompanyAddressTitle"),
    "CompanyTel": ("CompanyTelNumber", "CompanyTelTitle"),
}


class SenderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One application and what became of it."""

    request_no: str
    space_id: str
    request_type: str
    result: AuditResult
    reason: str
    record: dict[str, Any]
    creator: str
    modifier: str
    created_at: Instant
    changed_at: Instant
    audited_at: Instant | None = None
    sender: str | None = None
    """Which one was granted."""
    service_id: str | None = None


def read_record(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an AuditRecord says. Raises ApiError ``InvalidParameter.AuditRecord`` for the first wrong field."""
    record: dict[str, Any] = {}
    for name in _TEXTS.split():
        if _is_given(given, name):
            record[name] = _text(name, given[name])
    for name in _LISTS:
        if _is_given(given, name):
            record[name] = [_text(name, one) for one in _list(name, given[name])]
    for name, keys in _OBJECTS.items():
        if _is_given(given, name):
            record[name] = [_fields(name, one, keys) for one in _list(name, given[name])]
    return record


def _is_given(given: Mapping[str, Any], name: str) -> bool:
    return given.get(name) not in (None, "", [])


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "a string")
    return value


def _list(name: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(name, "a list")
    return value


def _fields(name: str, value: object, keys: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _wrong(name, "a list of objects")
    return {key: _text(f"{key} of {name}", value[key]) for key in keys if _is_given(value, key)}


def _wrong(name: str, what: str) -> errors.ApiError:
    return errors.invalid("AuditRecord", f"{name} in AuditRecord must be {what}.")
