"""Whatever a call holds, it is accepted or refused."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chatgate.domain.message import Content, Draft, MessageType
from chatgate.errors import ApiError
from chatgate.operations import send_chatapp_message as operation
from chatgate.operations.base import Call
from tests.operations.send_chatapp_message.example import ACCOUNT, MESSAGE, TEMPLATE, TEMPLATES, TTL, URL, call

junk = st.text(max_size=20) | st.sampled_from(["0", "-1", "1e9", "{}", "[]", "null", '{"text":1}', "\0", "9" * 40])
contents = st.dictionaries(
    st.sampled_from(["text", "link", "caption", "action", "thumbnail", "fileSize", "duration", "fileName", "fileType"]),
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(URL) | st.lists(st.none(), max_size=1),
).map(json.dumps)
values: dict[str, st.SearchStrategy[str]] = {
    "ChannelType": st.sampled_from(["viber", "VIBER"]),
    "Type": st.sampled_from(["message", "template"]),
    "MessageType": st.sampled_from(list(MessageType)),
    "From": st.sampled_from(list(ACCOUNT.senders)),
    "To": st.just("639170000001"),
    "Label": st.sampled_from(["promotion", "transaction"]),
    "Content": contents,
    "CustSpaceId": st.sampled_from(list(ACCOUNT.spaces)),
    "TemplateCode": st.sampled_from([each.template_code for each in TEMPLATES]),
    "Language": st.just("en"),
    "TemplateParams": st.dictionaries(
        st.sampled_from(["param1", "param2"]), st.text() | st.integers() | st.floats()
    ).map(json.dumps),
    "FallBackId": st.sampled_from(list(ACCOUNT.policies)),
    "FallBackContent": st.just("x"),
    "FallBackRule": st.sampled_from(["undelivered", "sentFailed"]),
    "FallBackDuration": st.just("60"),
    "Ttl": st.integers(0, 2_000_000).map(str),
    "TaskId": st.text(max_size=5),
}
calls = st.builds(
    lambda given, wrong, key: call(given, wrong, key),
    st.fixed_dictionaries({}, optional=values),
    st.dictionaries(st.sampled_from([*values, "Tag", "TrackingData", "Payload"]), junk, max_size=2),
    st.none() | st.text(min_size=1, max_size=5),
)
good_or_wrong = st.builds(
    lambda base, given, wrong, key: call({**base, **given}, wrong, key),
    st.sampled_from([MESSAGE, TEMPLATE]),
    st.fixed_dictionaries({}, optional=values),
    st.dictionaries(st.sampled_from([*values, "Tag", "TrackingData", "Payload"]), junk, max_size=1),
    st.none() | st.text(min_size=1, max_size=5),
)


@given(calls | good_or_wrong)
def test_compose_returns_or_refuses(made: Call) -> None:
    try:
        draft, retry = operation.compose(made, TTL)
    except ApiError:
        return
    assert 30 <= draft.ttl <= 1_209_600
    assert draft.space_id in ACCOUNT.spaces
    if draft.failure is None:
        assert draft.content != Content()
    elif draft.failure.code.startswith(("InvalidParameter.", "Missing")):
        assert draft.fallback is not None
        assert draft.fallback.rule == "sentFailed"
    if made.idempotency_key is not None:
        assert retry is not None
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(draft), type=Draft) == draft
