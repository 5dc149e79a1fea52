from typing import Any

import pytest

from chatgate import errors
from chatgate.protocol import params
from chatgate.protocol.params import Boolean, Choice, Integer, JsonArray, JsonObject, Parameter, String

TABLE = (
    Choice("ChannelType", ("viber",), required=True, wrong=errors.CHANNEL_NOT_SUPPORTED),
    Choice("Type", ("template", "message"), required=True),
    String("From", required=True, pattern=r"\d+", maximum_length=20, wrong=errors.FROM_ONLY_NUMERIC),
    JsonObject("Content", missing=errors.CONTENT_EMPTY, wrong=errors.CONTENT_ERROR, required=True),
    Integer("Ttl", minimum=30, maximum=1_209_600, title="Time to live", description="Seconds.", example="60"),
)
GOOD = {"ChannelType": "viber", "Type": "message", "From": "27549", "Content": '{"text":"a"}', "Ttl": "60"}


def test_parse() -> None:
    expected = {"ChannelType": "viber", "Type": "message", "From": "27549", "Content": {"text": "a"}, "Ttl": 60}
    assert params.parse(TABLE, {**GOOD, "Unknown": "x"}) == expected
    assert params.check(TABLE, GOOD) == []


@pytest.mark.parametrize("blank", [{}, {"Ttl": ""}])
def test_blank_is_not_given(blank: dict[str, str]) -> None:
    given = {name: value for name, value in GOOD.items() if name != "Ttl"} | blank
    assert params.parse(TABLE, given)["Ttl"] is None


def test_first_wrong_row_is_answered_and_check_finds_all() -> None:
    given = {"ChannelType": "fax", "From": "abc", "Content": "", "Ttl": "5"}
    with pytest.raises(errors.ApiError) as refusal:
        params.parse(TABLE, given)
    assert refusal.value.code == "InvalidParameter.ChannelTypeNotSupport"
    assert [error.code for error in params.check(TABLE, given)] == [
        "InvalidParameter.ChannelTypeNotSupport",
        "MissingType",
        "InvalidParameter.FromOnlyNumeric",
        "InvalidParameter.ContentNotEmpty",
        "InvalidParameter.Ttl",
    ]


NESTED = '{"a":' * 31 + "{}" + "}" * 31

READ: list[tuple[Parameter, str, object]] = [
    (Integer("N"), "0", 0),
    (Integer("N"), "-5", -5),
    (Integer("N"), "007", 7),
    (Integer("N"), "9" * 18, 10**18 - 1),
    (Integer("N", minimum=3, maximum=3), "3", 3),
    (Boolean("B"), "True", True),
    (Boolean("B"), "false", False),
    (Choice("C", ("a", "b")), "b", "b"),
    (String("S"), " a ", " a "),
    (String("S"), "0", "0"),
    (String("S", minimum_length=2, maximum_length=2), "é🎉", "é🎉"),
    (JsonObject("J"), '{"a":1,"a":2}', {"a": 2}),
    (JsonArray("J"), '["a"]', ["a"]),
    (JsonArray("J"), "[]", []),
]


@pytest.mark.parametrize(("row", "text", "value"), READ)
def test_reads(row: Parameter, text: str, value: object) -> None:
    assert params.parse([row], {row.name: text}) == {row.name: value}


WRONG: list[tuple[Parameter, str]] = [
    *[
        (Integer("P"), text)
        for text in (" 1", "1 ", "1\n", "+1", "1_0", "1.0", "1e3", "0x1", "--1", "-", "٣", "²", "9" * 19, "NaN")
    ],
    (Integer("P", minimum=30), "29"),
    (Integer("P", maximum=30), "31"),
    *[(Boolean("P"), text) for text in ("1", "yes", " true", "truе")],
    (Choice("P", ("a",)), "A"),
    (Choice("P", tuple("abcdefghijklmnopqrst")), "z"),
    (String("P"), "a\0b"),
    (String("P", minimum_length=2), "a"),
    (String("P", maximum_length=2), "abc"),
    (String("P", pattern="[a-z]+"), "abc\n"),
    (String("P", pattern=r"\d+"), "٣"),
    *[(JsonObject("P"), text) for text in ("[]", "1", "{", '{"a":"\\u0000"}', '{"a":' + NESTED + "}", "{" * 10**6)],
    *[(JsonArray("P"), text) for text in ("{}", '"a"', "[1,]", "[" * 33 + "]" * 33, "[" * 10**6)],
]


@pytest.mark.parametrize(("row", "text"), WRONG)
def test_wrong(row: Parameter, text: str) -> None:
    with pytest.raises(errors.ApiError) as refusal:
        params.parse([row], {"P": text})
    assert refusal.value.code == "InvalidParameter.P"
    assert refusal.value.http == 200
    assert refusal.value.message.startswith("P ")
    assert refusal.value.message.endswith(".")
    assert len(refusal.value.message) < 200


def test_nesting_up_to_the_limit_is_read() -> None:
    value: Any = params.parse([JsonObject("J")], {"J": NESTED})["J"]
    for _ in range(31):
        value = value["a"]
    assert value == {}


def test_own_codes() -> None:
    text = String("To", wrong=errors.TO_ONLY_NUMERIC, pattern="[0-9]+", maximum_length=5)
    found = params.check([text], {"To": "x"}) + params.check([text], {"To": "1" * 6})
    assert [(error.code, error.message) for error in found] == [
        ("InvalidParameter.ToOnlyNumeric", "To must be digits only."),
        ("InvalidParameter.To", "To must have at most 5 characters."),
    ]


# --- inside a JSON object --------------------------------------------------------------------------------------------

TO = String("To", required=True, pattern=r"\d+", wrong=errors.TO_ONLY_NUMERIC)
NAME = String("Name", maximum_length=5)
VALUES = JsonObject("Values")
NAMES = JsonArray("Names")


@pytest.mark.parametrize(
    ("row", "given", "value"),
    [
        (TO, "12", "12"), (TO, 12, "12"), (NAME, "abc", "abc"), (NAME, None, None), (NAME, "", None), (NAME, [], None),
        (VALUES, {"a": 1}, {"a": 1}), (VALUES, {}, {}), (VALUES, None, None), (NAMES, ["a"], ["a"]), (NAMES, [], None),
    ],
)  # fmt: skip
def test_member(row: Parameter, given: object, value: object) -> None:
    assert params.member(row, {row.name: given}) == value


@pytest.mark.parametrize(
    ("row", "given", "code"),
    [
        (TO, None, "MissingTo"), (TO, "", "MissingTo"), (TO, True, "InvalidParameter.ToOnlyNumeric"),
        (TO, 1.5, "InvalidParameter.ToOnlyNumeric"), (TO, {}, "InvalidParameter.ToOnlyNumeric"),
        (NAME, True, "InvalidParameter.Name"), (NAME, {"a": 1}, "InvalidParameter.Name"),
        (NAME, "abcdef", "InvalidParameter.Name"), (VALUES, "{}", "InvalidParameter.Values"),
        (VALUES, ["a"], "InvalidParameter.Values"), (NAMES, {"a": 1}, "InvalidParameter.Names"),
    ],
)  # fmt: skip
def test_member_refused(row: Parameter, given: object, code: str) -> None:
    with pytest.raises(errors.ApiError) as refusal:
        params.member(row, {row.name: given})
    assert refusal.value.code == code


def test_a_list_of_objects() -> None:
    rows = JsonArray("List", minimum_items=1, maximum_items=2, items=(TO,))
    assert rows.read('[{"To":"1"},{}]') == [{"To": "1"}, {}]
    for text in ("[]", "[{},{},{}]", "[1]", "[[]]", "{}"):
        with pytest.raises(errors.ApiError) as refusal:
            rows.read(text)
        assert refusal.value.code == "InvalidParameter.List"
