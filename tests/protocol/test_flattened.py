import json

import pytest

from chatgate.errors import ApiError
from chatgate.protocol.flattened import unflatten


@pytest.mark.parametrize(
    ("params", "folded"),
    [
        ({"Ids.1": "a", "Ids.2": "b"}, {"Ids": ["a", "b"]}),
        ({"Ids.10": "c", "Ids.2": "b", "Ids.1": "a"}, {"Ids": ["a", "b", "c"]}),
        ({"Ids.1": "a", "Ids.x": "b"}, {"Ids": {"1": "a", "x": "b"}}),
        ({"Ids.01": "a"}, {"Ids": {"01": "a"}}),
        ({"Ids.999999999999": "a"}, {"Ids": {"999999999999": "a"}}),
        ({"Ids.²": "a"}, {"Ids": {"²": "a"}}),
        ({"Map.k1": "v1", "Map.k2.1": "x", "Map.k2.2": "y"}, {"Map": {"k1": "v1", "k2": ["x", "y"]}}),
        ({"Objs.1.Id": "1", "Objs.1.Name": "é"}, {"Objs": [{"Id": "1", "Name": "é"}]}),
    ],
)
def test_folds(params: dict[str, str], folded: dict[str, object]) -> None:
    result = unflatten({"To": "1", **params})
    assert result.pop("To") == "1"
    assert {name: json.loads(value) for name, value in result.items()} == folded
    assert "\\u" not in "".join(result.values())


@pytest.mark.parametrize("params", [{"a": "1", "a.1": "x"}, {"a..1": "x"}, {".a": "x"}, {"a.": "x"}, {".": "x"}])
def test_leaves_alone(params: dict[str, str]) -> None:
    assert unflatten(params) == params


@pytest.mark.parametrize("params", [{"a.1": "x", "a.1.k": "y"}, {"a.1.k": "y", "a.1": "x"}])
def test_value_and_group_at_once_are_refused(params: dict[str, str]) -> None:
    with pytest.raises(ApiError) as refusal:
        unflatten(params)
    assert refusal.value.code.startswith("InvalidParameter.a.1")


def test_depth() -> None:
    assert list(unflatten({".".join("a" * 32): "x"})) == ["a"]
    with pytest.raises(ApiError) as refusal:
        unflatten({".".join("a" * 33): "x"})
    assert refusal.value.code == "InvalidRequest"
