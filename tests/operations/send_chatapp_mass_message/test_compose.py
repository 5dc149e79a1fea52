"""What a mass sending becomes, and what refuses it: the faults of one message are the faults of all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from alibabacloud_cams20200606 import models  # type: ignore[import-untyped]

from chatgate.domain.message import Content, Draft
from chatgate.errors import ApiError
from chatgate.operations import send_chatapp_mass_message as operation
from chatgate.operations import send_chatapp_message as one
from chatgate.operations.base import all_operations, own_limits
from tests.operations.desk import GROUP_ID, Desk
from tests.operations.send_chatapp_message.example import (
    FALLBACK,
    NO_CHANGES,
    SENT_FAILED,
    TEMPLATE,
    TTL,
    Changes,
    call,
    draft_of,
)
from tests.operations.send_chatapp_message.faults import LENIENT_FAULTS, STRICT_FAULTS

ENTRY = {"To": "639170000001", "TemplateParams": {"param1": "Ann", "param2": "7"}}
OTHER = {"To": "639170000002", "TemplateParams": {"param1": "Ben", "param2": 8}}

BASE = {name: value for name, value in TEMPLATE.items() if name not in ("Type", "To", "TemplateParams")}


def listed(*entries: Any) -> dict[str, str]:
    return {**BASE, "SenderList": json.dumps(entries)}


MASS = listed(ENTRY, OTHER)


def drafts_of(base: Mapping[str, str], changes: Changes = NO_CHANGES) -> list[Draft]:
    return operation.compose(call(base, changes), TTL)[0]


def refusal_of(base: Mapping[str, str], changes: Changes = NO_CHANGES) -> ApiError:
    with pytest.raises(ApiError) as refusal:
        operation.compose(call(base, changes), TTL)
    return refusal.value


async def test_the_answer() -> None:
    desk, made = Desk(), call(MASS)
    assert await operation.execute(made, desk) == {"Code": "OK", "Message": "OK", "GroupMessageId": GROUP_ID}
    [(accepted, drafts, retry)] = desk.groups
    assert (accepted, len(drafts), retry) == (made, 2, None)


@pytest.mark.parametrize(
    "more", [{}, FALLBACK, SENT_FAILED, {"Ttl": "60", "Tag": "t", "TaskId": "9"}, {"TemplateCode": "partner"}]
)
def test_each_entry_is_the_message_that_one_call_would_be(more: Changes) -> None:
    single = {"To": "639170000002", "TemplateParams": '{"param1":"Ben","param2":"8"}'}
    assert drafts_of(MASS, more) == [draft_of(TEMPLATE, more), draft_of(TEMPLATE, {**more, **single})]


def test_a_thousand_and_one_too_many() -> None:
    assert len(drafts_of(listed(*[ENTRY] * 1000))) == 1000
    assert refusal_of(listed(*[ENTRY] * 1001)).message == "SenderList must have 1 to 1000 entries."


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        (None, "MissingSenderList"),
        ("", "MissingSenderList"),
        ("[]", "InvalidParameter.SenderList"),
        ("{}", "InvalidParameter.SenderList"),
        ('{"To":"639170000001"}', "InvalidParameter.SenderList"),
        ("639170000001", "InvalidParameter.SenderList"),
        ('["639170000001"]', "InvalidParameter.SenderList"),
        ("[null]", "InvalidParameter.SenderList"),
        ('[{"To":', "InvalidParameter.SenderList"),
    ],
)
def test_a_list_that_is_none(entries: str | None, code: str) -> None:
    assert refusal_of(MASS, {"SenderList": entries}).code == code


BAD_TO: list[tuple[object, str]] = [
    (None, "MissingTo"), ("", "MissingTo"), ([], "MissingTo"), ({}, "InvalidParameter.ToOnlyNumeric"),
    (True, "InvalidParameter.ToOnlyNumeric"), (6.5, "InvalidParameter.ToOnlyNumeric"),
    ("+639170000001", "InvalidParameter.ToOnlyNumeric"), ("0639170000001", "InvalidParameter.To"),
    (639170, "InvalidParameter.To"),
]  # fmt: skip
BAD_PARAMS: list[object] = [
    None, {}, [], "Ann", ["Ann"], {"param1": "Ann"}, {"param1": "Ann", "param2": 1.5},
    {"param1": "Ann", "param2": "x" * 1000},
]  # fmt: skip


@pytest.mark.parametrize("more", [{}, SENT_FAILED], ids=["strict", "sentFailed"])
@pytest.mark.parametrize(("to", "code"), BAD_TO)
def test_a_wrong_receiver_refuses_all(to: object, code: str, more: Changes) -> None:
    refusal = refusal_of(listed(ENTRY, OTHER | {"To": to}), more)
    assert refusal.code == code
    assert refusal.message.startswith("Entry 2 of SenderList: ")


def test_a_number_without_quotes() -> None:
    assert [draft.recipient for draft in drafts_of(listed(ENTRY | {"To": 639170000001}))] == ["639170000001"]


@pytest.mark.parametrize("params", BAD_PARAMS)
def test_wrong_variables_refuse_all_or_fail_their_own_entry(params: object) -> None:
    mass = listed(ENTRY, OTHER | {"TemplateParams": params}, OTHER)
    refusal = refusal_of(mass)
    assert refusal.code == "InvalidParameter.TemplateParams"
    assert refusal.message.startswith("Entry 2 of SenderList: ")
    good, bad, last = drafts_of(mass, SENT_FAILED)
    assert (good.failure, last.failure) == (None, None)
    assert bad.failure is not None
    assert (bad.failure.code, bad.failure.reason) == (refusal.code, refusal.message)
    assert (bad.content, bad.partner_template, bad.recipient) == (Content(), None, OTHER["To"])
    assert bad.fallback is not None


def test_the_first_fault_counts() -> None:
    wrong = listed(ENTRY, OTHER | {"TemplateParams": None}, OTHER | {"To": "x"})
    assert refusal_of(wrong).code == "InvalidParameter.ToOnlyNumeric"
    assert refusal_of(wrong, {"From": "x"}).code == "InvalidParameter.FromOnlyNumeric"
    wrong = listed(ENTRY, OTHER | {"TemplateParams": None})
    assert refusal_of(wrong, {"TaskId": "\0"}).code == "InvalidParameter.TaskId"
    assert refusal_of(wrong, {"Label": None, "CustSpaceId": "x"}).code == "Unknown.ResourceOwnerId"


OF_THE_CALL = [
    (changes, code, http)
    for base, changes, code, http in STRICT_FAULTS + LENIENT_FAULTS
    if not changes.keys() & {"Type", "To", "MessageType", "Content", "TemplateParams", "TrackingData"}
]


@pytest.mark.parametrize(("changes", "code", "http"), OF_THE_CALL)
def test_faults_of_the_call(changes: dict[str, str | None], code: str, http: int) -> None:
    refusal = refusal_of(MASS, changes)
    assert (refusal.code, refusal.http) == (code, http)


@pytest.mark.parametrize(
    "changes", [{"Label": None}, {"TemplateCode": "unknown"}, {"TemplateCode": None}, {"Language": "xx"}, {"Ttl": "1"}]
)
def test_sent_failed_fails_all_with_a_fault_of_the_call(changes: Changes) -> None:
    code = refusal_of(MASS, changes).code
    drafts = drafts_of(listed(ENTRY, OTHER | {"TemplateParams": None}), {**SENT_FAILED, **changes})
    assert [draft.failure.code if draft.failure else None for draft in drafts] == [code, code]


@pytest.mark.parametrize(
    ("changes", "code"), [({"From": "1"}, "SenderPaused"), ({"TemplateCode": "prohibited"}, "TemplateProhibited")]
)
def test_standing(changes: Changes, code: str) -> None:
    drafts = drafts_of(MASS, changes)
    assert [draft.failure.code if draft.failure else None for draft in drafts] == [code, code]
    assert [draft.content.text for draft in drafts] == [draft.content.text for draft in drafts_of(MASS)]


# --- safe retries ----------------------------------------------------------------------------------------------------


def key_of(base: Mapping[str, str], changes: Changes = NO_CHANGES, idempotency_key: str | None = None) -> Any:
    return operation.compose(call(base, changes, idempotency_key), TTL)[1]


def test_what_makes_a_call_the_same() -> None:
    tasks = {"CustSpaceId": "tasks", "TaskId": "9"}
    assert key_of(MASS) is key_of(MASS, {"TaskId": "9"}) is key_of(MASS, {"CustSpaceId": "tasks"}) is None
    same = key_of(MASS, tasks)
    assert same == key_of(MASS, tasks)
    assert same.key == key_of(MASS, {**tasks, "Tag": "t"}).key
    assert same.fingerprint != key_of(MASS, {**tasks, "Tag": "t"}).fingerprint
    single = {**TEMPLATE, **tasks}
    assert key_of(listed(ENTRY), tasks).key != one.compose(call(single), TTL)[1].key  # type: ignore[union-attr]
    others = [key_of(MASS, {**tasks, "TaskId": "8"}), key_of(listed(ENTRY), tasks), key_of(MASS, {}, "a")]
    assert len({same.key, *(other.key for other in others)}) == 4


# --- the contract ----------------------------------------------------------------------------------------------------


def test_it_is_found_by_its_action_and_has_its_own_limit() -> None:
    assert all_operations()["SendChatappMassMessage"] is operation
    assert own_limits(all_operations())["SendChatappMassMessage"] == 10


def test_every_parameter_of_the_sdk_is_declared() -> None:
    request = models.SendChatappMassMessageShrinkRequest
    names = set(request(**dict.fromkeys(vars(request()), "x")).to_map())
    hidden = {"OwnerId", "ResourceOwnerAccount", "ResourceOwnerId"}
    assert {row.name for row in operation.PARAMETERS} == names - hidden


def test_drafts_can_be_stored() -> None:
    for draft in drafts_of(MASS, SENT_FAILED):
        assert msgspec.json.decode(msgspec.json.encode(draft), type=Draft) == draft
