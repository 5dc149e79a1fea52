import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.protocol import strict_json
from chatgate.protocol.strict_json import MAX_DEPTH

text = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | text
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=6)
documents = st.dictionaries(text, values, max_size=4)


def nested(depth: int) -> str:
    return '{"a":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


@given(documents)
def test_reads_what_json_writes(document: dict[str, object]) -> None:
    for spelling in (json.dumps(document), json.dumps(document, ensure_ascii=False, indent=1)):
        assert strict_json.read_object(spelling) == document


def test_depth_is_counted_exactly() -> None:
    strict_json.read_object(nested(MAX_DEPTH))
    with pytest.raises(ValueError, match="32 deep"):
        strict_json.read_object(nested(MAX_DEPTH + 1))


def test_width_is_not_depth_and_strings_do_not_count() -> None:
    wide = {"a": [[{}, []] for _ in range(100)], "b": '"[[[[\\"{{{' * 50, "c\\": "]" * 100}
    assert strict_json.read_object(json.dumps(wide)) == wide


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 500_000,
        '{"a":' * 100_000,
        nested(100_000),
        "[{" * 50 + "}]" * 50,
        '"' + '\\"' * 300_000 + "[" * 40,  # must stay linear
        '{"a":"\\',
        "{" * 40 + '"',
    ],
)
def test_hostile_text_is_refused(hostile: str) -> None:
    for read in (strict_json.read_object, strict_json.read_array):
        with pytest.raises(ValueError, match="JSON"):
            read(hostile)
    with pytest.raises(ValueError, match="JSON"):
        strict_json.read_members(hostile.encode())


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "null",
        "[]",
        '"a"',
        "{} x",
        "{'a':1}",
        '{"a":NaN}',
        '{"a":1e999}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":"\\ud800"}',
        '{"a":"\\udc00\\ud800"}',
        '{"\\ud800":1}',
        '{"a":"\\u0000"}',
        '{"a":"\\\\\\u0000"}',
        '{"a":1,}',
        "\ufeff{}",
    ],
)
def test_not_an_object(wrong: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        strict_json.read_object(wrong)


def test_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert strict_json.read_object('{"a":"\\\\u0000"}') == {"a": "\\u0000"}


def test_the_last_of_two_members_wins() -> None:
    assert strict_json.read_object('{"a":1,"a":2}') == {"a": 2}


def test_array() -> None:
    assert strict_json.read_array('["a",{"b":1}]') == ["a", {"b": 1}]
    with pytest.raises(ValueError, match="JSON array"):
        strict_json.read_array("{}")


def test_members_are_text() -> None:
    body = '{"a":"x\\n","b":1.50,"c":true,"d":null,"e":{"text": "é"},"f":[1, 2],"g":""}'.encode()
    expected = {"a": "x\n", "b": "1.50", "c": "true", "e": '{"text": "é"}', "f": "[1, 2]", "g": ""}
    assert strict_json.read_members(body) == expected


@pytest.mark.parametrize("body", [b'{"a":"\xff"}', b'{"a":["\xff"]}', b'{"\xff":1}', b"\xff", b'{"a":"\\u0000"}'])
def test_members_must_be_utf8(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        strict_json.read_members(body)
