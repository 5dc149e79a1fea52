from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.domain import template
from chatgate.domain.language import LANGUAGES
from chatgate.errors import ApiError

GREETING = "Hello $(param1), your order $(param2) is on its way."


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (GREETING, ("param1", "param2")),
        ("plain", ()),
        ("$(a)$(b)$(a)", ("a", "b")),
        ("$(имя) $(no-1.x)", ("имя", "no-1.x")),
        ("$5 $(open $() $( a ) $(a b) {{1}} (a)", ()),
        ("$($(a))", ("a",)),
    ],
)
def test_variables(body: str, names: tuple[str, ...]) -> None:
    assert template.variables(body) == names


@pytest.mark.parametrize(
    ("body", "params", "text"),
    [
        (GREETING, {"param1": "Ann", "param2": "7"}, "Hello Ann, your order 7 is on its way."),
        (GREETING, {"param1": "Ann", "param2": "7", "more": "x"}, "Hello Ann, your order 7 is on its way."),
        ("plain", {}, "plain"),
        ("$(a)-$(a)", {"a": "x"}, "x-x"),
        ("<$(a)>", {"a": ""}, "<>"),
        ("$(a)", {"a": r"\1 \g<0> $1"}, r"\1 \g<0> $1"),
        ("$(a) $(b)", {"a": "$(b)", "b": "$(a)"}, "$(b) $(a)"),
        ("$($(a))", {"a": "b", "b": "no"}, "$(b)"),
    ],
)
def test_render(body: str, params: dict[str, str], text: str) -> None:
    assert template.render(body, params, 1000) == text


@pytest.mark.parametrize(
    ("body", "params", "sentence"),
    [
        (GREETING, {}, "TemplateParams has no value for the template's variable param1."),
        (GREETING, {"param1": "Ann"}, "TemplateParams has no value for the template's variable param2."),
        ("$(a)", {"A": "x"}, "TemplateParams has no value for the template's variable a."),
        ("$(a)", {"a": ""}, "With these TemplateParams the text of the template is empty."),
        ("$(a) ", {"a": "\n"}, "With these TemplateParams the text of the template is empty."),
        (
            "$(a)!",
            {"a": "x" * 1000},
            "With these TemplateParams the text of the template has 1001 characters; 1000 is the most.",
        ),
    ],
)
def test_refused(body: str, params: dict[str, str], sentence: str) -> None:
    with pytest.raises(ApiError) as refusal:
        template.render(body, params, 1000)
    assert (refusal.value.code, refusal.value.message) == ("InvalidParameter.TemplateParams", sentence)


def test_the_longest_text() -> None:
    assert template.render("$(a)!", {"a": "x" * 999}, 1000) == "x" * 999 + "!"


@given(st.text(min_size=1).filter(lambda text: not text.isspace()))
def test_any_value_goes_in_as_it_is(value: str) -> None:
    assert template.render("[$(a)]", {"a": value}, 100_000) == f"[{value}]"


def test_languages() -> None:
    assert len(LANGUAGES) == 68
    assert {"en", "en_GB", "zh_CN", "pt_BR", "uk", "zu"} <= LANGUAGES
    assert not {"EN", "en-GB", "xx", ""} & LANGUAGES
