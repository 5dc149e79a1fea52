"""Whatever a list of receivers holds, the call is accepted or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.domain.message import Draft
from chatgate.errors import ApiError
from chatgate.operations import send_chatapp_mass_message as operation
from tests.operations.send_chatapp_mass_message.test_compose import BASE, ENTRY
from tests.operations.send_chatapp_message.example import SENT_FAILED, TTL, call

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
KEYS = st.text(max_size=9)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
PARAMS = st.fixed_dictionaries({}, optional={"param1": VALUES, "param2": VALUES}) | VALUES
ENTRIES = st.fixed_dictionaries(
    {}, optional={"To": VALUES | st.sampled_from(["639170000001", 639170000001]), "TemplateParams": PARAMS}
)
LISTS = st.lists(st.just(ENTRY) | ENTRIES | VALUES, max_size=4) | VALUES


@pytest.mark.parametrize("more", [{}, SENT_FAILED], ids=["strict", "sentFailed"])
@given(entries=LISTS)
def test_accepted_or_refused(more: dict[str, str], entries: Any) -> None:
    check(more, json.dumps(entries), len(entries) if isinstance(entries, list) else 0)


@pytest.mark.parametrize("digits", [19, 20, 400, 5000])
def test_huge_numbers(digits: int) -> None:
    huge = "9" * digits
    for entry in (f'{{"To":{huge}}}', f'{{"To":"639170000001","TemplateParams":{{"param1":{huge},"param2":"b"}}}}'):
        check(SENT_FAILED, f"[{entry}]", 1)


def check(more: dict[str, str], text: str, count: int) -> None:
    try:
        drafts, _ = operation.compose(call({**BASE, **more, "SenderList": text}), TTL)
    except ApiError:
        return
    assert len(drafts) == count
    for draft in drafts:
        assert isinstance(draft, Draft)
        assert draft.failure is None or more
        assert (draft.failure is None) == (draft.content.text is not None)
