"""What is refused, what is answered first, and what is accepted only to fail."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from chatgate import errors
from chatgate.domain.message import Content, Failure, FallbackOrder, Label
from chatgate.errors import ApiError
from chatgate.operations import send_chatapp_message as operation
from tests.operations.send_chatapp_message.example import (
    ACCOUNT,
    CODE,
    FALLBACK,
    MESSAGE,
    SENT_FAILED,
    TEMPLATE,
    TTL,
    Changes,
    call,
    draft_of,
    refusal_of,
)
from tests.operations.send_chatapp_message.faults import LENIENT_FAULTS, STRICT_FAULTS


@pytest.mark.parametrize(("base", "changes", "code", "http"), STRICT_FAULTS + LENIENT_FAULTS)
@pytest.mark.parametrize("fallback", [{}, FALLBACK], ids=["bare", "undelivered"])
def test_one_fault(
    base: Mapping[str, str], changes: dict[str, str | None], code: str, http: int, fallback: Changes
) -> None:
    if any(name.startswith("FallBack") for name in changes):
        fallback = {}
    refusal = refusal_of(base, {**fallback, **changes})
    assert (refusal.code, refusal.http) == (code, http)
    assert refusal.message
    assert "{" not in refusal.message


def test_the_bases_have_no_fault() -> None:
    for base in (MESSAGE, TEMPLATE):
        for more in ({}, FALLBACK, SENT_FAILED):
            assert draft_of(base, more).failure is None


def test_an_account_without_a_space() -> None:
    bare = msgspec.structs.replace(ACCOUNT, spaces={})
    with pytest.raises(ApiError, match="The account has no space"):
        operation.compose(msgspec.structs.replace(call(MESSAGE), account=bare), TTL)


# --- two things wrong -------------------------------------------------------------------------------------------------

# One fault of each check, in the documented order.
ORDER: list[tuple[Changes, str]] = [
    ({"ChannelType": "sms"}, "InvalidParameter.ChannelTypeNotSupport"),
    ({"Type": "x"}, "InvalidParameter.Type"),
    ({"From": "x"}, "InvalidParameter.FromOnlyNumeric"),
    ({"To": "x"}, "InvalidParameter.ToOnlyNumeric"),
    ({"To": "0639170000001"}, "InvalidParameter.To"),
    ({"CustSpaceId": "x"}, "Unknown.ResourceOwnerId"),
    ({"MessageType": None}, "InvalidParameter.MessageTypeNotEmpty"),
    ({"From": "9"}, "InvalidParameter.From"),
    ({"FallBackRule": "x"}, "InvalidParameter.FallBackRule"),
    ({"FallBackDuration": "x"}, "InvalidParameter.FallBackDuration"),
    ({"FallBackContent": "\0"}, "InvalidParameter.FallBackContent"),
    ({"FallBackId": "x", "FallBackContent": "x"}, "InvalidParameter.FallBackId"),
    ({"Label": None}, "MissingLabel"),
    ({"Content": None}, "InvalidParameter.ContentNotEmpty"),
    ({"Ttl": "x"}, "InvalidParameter.Ttl"),
    ({"Tag": "\0"}, "InvalidParameter.Tag"),
    ({"TrackingData": "\0"}, "InvalidParameter.TrackingData"),
    ({"TaskId": "\0"}, "InvalidParameter.TaskId"),
]
TEMPLATE_ORDER: list[tuple[Changes, str]] = [
    ({"Label": None}, "MissingLabel"),
    ({"TemplateCode": None}, "InvalidParameter.TemplateCodeNotEmpty"),
    ({"Language": "x"}, "InvalidParameter.LanguageNotSupport"),
    ({"TemplateCode": "x"}, "InvalidParameter.TemplateCode"),
    ({"TemplateParams": "x"}, "InvalidParameter.TemplateParams"),
    ({"Ttl": "x"}, "InvalidParameter.Ttl"),
]
PAIRS = [
    (base, {**later, **first}, code)
    for base, order in ((MESSAGE, ORDER), (TEMPLATE, TEMPLATE_ORDER))
    for position, (first, code) in enumerate(order)
    for later, _ in order[position + 1 :]
    if not first.keys() & later.keys()
]


@pytest.mark.parametrize(("base", "changes", "code"), PAIRS)
def test_the_first_fault_is_answered(base: Mapping[str, str], changes: Changes, code: str) -> None:
    assert refusal_of(base, changes).code == code


def test_every_code_is_in_the_table_of_errors() -> None:
    known = {row.code for row in errors.CODES}
    generic = {"MissingChannelType", "MissingType", "MissingFrom", "MissingTo", "MissingLabel"}
    names = {row.name for row in operation.PARAMETERS}
    for *_, code, _http in STRICT_FAULTS + LENIENT_FAULTS:
        assert code in known or code in generic or code.removeprefix("InvalidParameter.") in names


# --- FallBackRule=sentFailed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("base", "changes", "code", "http"), STRICT_FAULTS)
def test_sent_failed_keeps_strict(base: Mapping[str, str], changes: Changes, code: str, http: int) -> None:
    more = SENT_FAILED if not any(name.startswith("FallBack") for name in changes) else {"FallBackRule": "sentFailed"}
    refusal = refusal_of(base, {**more, **changes})
    assert (refusal.code, refusal.http) == (code, http)


@pytest.mark.parametrize(("base", "changes", "code", "http"), LENIENT_FAULTS)
def test_sent_failed_accepts(base: Mapping[str, str], changes: Changes, code: str, http: int) -> None:
    draft = draft_of(base, {**SENT_FAILED, **changes})
    refusal = refusal_of(base, changes)
    assert draft.failure == Failure(code=code, reason=refusal.message)
    order = FallbackOrder(
        policy_id="S_000001", sms_sender="ACME", content="plain text", duration=None, rule="sentFailed"
    )
    assert draft.fallback == order
    assert 30 <= draft.ttl <= 1_209_600


@pytest.mark.parametrize("missing", ["FallBackId", "FallBackContent"])
def test_sent_failed_needs_a_fallback(missing: str) -> None:
    assert refusal_of(MESSAGE, {**SENT_FAILED, missing: None}).param in SENT_FAILED
    assert refusal_of(MESSAGE, {"FallBackRule": "sentFailed", "Ttl": "1"}).code == "InvalidParameter.Ttl"


def test_sent_failed_keeps_what_is_right() -> None:
    wrong = {"Label": "x", "Content": "[", "Ttl": "1", "Tag": "\0", "TrackingData": "t", "TaskId": "9"}
    assert draft_of(MESSAGE, {**SENT_FAILED, **wrong}) == msgspec.structs.replace(
        draft_of(MESSAGE, SENT_FAILED),
        label=Label.TRANSACTION,
        content=Content(),
        tracking_data="t",
        task_id="9",
        failure=Failure(
            code="InvalidParameter.Label", reason="Label must be one of promotion, transaction, pormotion."
        ),
    )


def test_sent_failed_keeps_the_template() -> None:
    draft = draft_of(TEMPLATE, {**SENT_FAILED, "TemplateParams": None})
    assert (draft.template_code, draft.language, draft.content) == (CODE, "en", Content())
    draft = draft_of(TEMPLATE, {**SENT_FAILED, "TemplateCode": "unknown"})
    assert (draft.template_code, draft.language, draft.content) == ("unknown", "en", Content())
    assert draft.partner_template is None


# --- paused and prohibited --------------------------------------------------------------------------------------------

STANDINGS: list[tuple[Mapping[str, str], Changes, str]] = [
    (MESSAGE, {"From": "1"}, "SenderPaused"),
    (MESSAGE, {"From": "2"}, "SenderProhibited"),
    (TEMPLATE, {"From": "2"}, "SenderProhibited"),
    (TEMPLATE, {"TemplateCode": "paused"}, "TemplatePaused"),
    (TEMPLATE, {"TemplateCode": "prohibited"}, "TemplateProhibited"),
    (TEMPLATE, {"TemplateCode": "prohibited", "From": "1"}, "SenderPaused"),
]


@pytest.mark.parametrize("fallback", [{}, FALLBACK, SENT_FAILED], ids=["bare", "undelivered", "sentFailed"])
@pytest.mark.parametrize(("base", "changes", "code"), STANDINGS)
def test_standing(base: Mapping[str, str], changes: Changes, code: str, fallback: Changes) -> None:
    draft = draft_of(base, {**fallback, **changes})
    assert draft.failure is not None
    assert draft.failure.code == code
    assert draft.failure.reason.endswith(("paused.", "prohibited."))
    assert draft.content.text == draft_of(base).content.text


def test_a_fault_counts_before_a_standing() -> None:
    assert refusal_of(MESSAGE, {"From": "1", "Ttl": "1"}).code == "InvalidParameter.Ttl"
    draft = draft_of(MESSAGE, {**SENT_FAILED, "From": "1", "Ttl": "1"})
    assert draft.failure is not None
    assert draft.failure.code == "InvalidParameter.Ttl"
