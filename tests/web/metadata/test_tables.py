"""Every parameter of every operation is in both documents, with its type and its limits; so is what it answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from chatgate.operations.base import all_operations
from chatgate.protocol.fields import ENVELOPE, Field, Kind
from chatgate.protocol.params import Boolean, Choice, Integer, JsonArray, JsonObject, Parameter, String
from chatgate.web.metadata import alibaba, openapi, schema
from chatgate.web.metadata.described import described

OPERATIONS = all_operations()
DOCS = alibaba.api_docs(described(OPERATIONS), "cams.example")
OPENAPI = openapi.document(described(OPERATIONS), "https://cams.example")

ROWS = [(name, row) for name, module in OPERATIONS.items() for row in module.PARAMETERS]
by_row = pytest.mark.parametrize(("name", "row"), ROWS, ids=[f"{name}-{row.name}" for name, row in ROWS])
by_operation = pytest.mark.parametrize("name", OPERATIONS)


def in_openapi(name: str) -> dict[str, Any]:
    found: dict[str, Any] = OPENAPI["paths"][f"/?Action={name}&Version=2020-06-06"]["post"]
    return found


@by_row
def test_a_parameter_in_alibabas_shape(name: str, row: Parameter) -> None:
    (found,) = [one for one in DOCS["apis"][name]["parameters"] if one["name"] == row.name]
    assert (found["in"], found.get("style")) == ("query", "json" if isinstance(row, JsonObject | JsonArray) else None)
    has = found["schema"]
    assert has["required"] is has["docRequired"] is row.required
    assert has["description"] == row.description != ""
    check_type(row, has, str)


@by_row
def test_a_parameter_in_openapi(name: str, row: Parameter) -> None:
    content = in_openapi(name)["requestBody"]["content"]["application/x-www-form-urlencoded"]
    has = content["schema"]["properties"][row.name]
    assert (row.name in content["schema"].get("required", ())) is row.required
    assert has["description"] == row.description
    check_type(row, has, int)
    is_json = row.name in content.get("encoding", {})
    assert is_json is isinstance(row, JsonObject | JsonArray)


def check_type(row: Parameter, has: dict[str, Any], number: type[str] | type[int]) -> None:
    match row:
        case String():
            assert (has["type"], has["maxLength"]) == ("string", row.maximum_length)
            assert has.get("minLength", 0) == row.minimum_length
            assert has.get("pattern", "") == (f"^(?:{row.pattern})$" if row.pattern else "")
        case Integer():
            assert has["type"] == "integer"
            assert has.get("minimum", number(-(10**18))) == number(row.minimum)
            assert has.get("maximum", number(10**18)) == number(row.maximum)
            assert has["format"] == ("int32" if row.maximum < 2**31 else "int64")
        case Boolean():
            assert has["type"] == "boolean"
        case Choice():
            assert (has["type"], has["enum"]) == ("string", list(row.values))
        case JsonObject():
            assert has["type"] == "object"
            assert has.get("properties", {}).keys() == {key.name for key in row.properties}
        case JsonArray():
            assert (has["type"], has["minItems"], has["maxItems"]) == ("array", row.minimum_items, row.maximum_items)
            for key in row.items:
                check_type(key, has["items"]["properties"][key.name], number)


@by_row
def test_an_example_is_legal(name: str, row: Parameter) -> None:
    """It is a text of the wire, read as a call's would be."""
    if row.example:
        assert schema.of_parameter(row)["examples"] == [row.read(row.example)]


@by_operation
def test_nothing_more_and_nothing_less(name: str) -> None:
    declared = [row.name for row in OPERATIONS[name].PARAMETERS]
    assert [one["name"] for one in DOCS["apis"][name]["parameters"]] == declared
    body = in_openapi(name).get("requestBody")
    form = body["content"]["application/x-www-form-urlencoded"]["schema"] if body else {"properties": {}}
    assert list(form["properties"]) == declared


@by_operation
def test_what_an_operation_answers(name: str) -> None:
    fields = (*ENVELOPE, *getattr(OPERATIONS[name], "RESPONSE", ()))
    of_docs = DOCS["apis"][name]["responses"]["200"]["schema"]
    of_openapi = in_openapi(name)["responses"]["200"]["content"]["application/json"]["schema"]
    for has in (of_docs, of_openapi):
        check_fields(fields, has)
    demo = msgspec.json.decode(DOCS["apis"][name]["responseDemo"])
    assert [one["type"] for one in demo] == ["json", "xml"]
    assert msgspec.json.decode(demo[0]["example"]).keys() == {field.name for field in fields}
    assert demo[1]["example"].startswith(f'<?xml version="1.0" encoding="UTF-8"?><{name}Response><RequestId>')


def check_fields(fields: tuple[Field, ...], has: dict[str, Any]) -> None:
    assert has["properties"].keys() == {field.name for field in fields}
    for field in fields:
        own = has["properties"][field.name]
        assert own["type"] == field.kind
        assert own["description"] == field.description != ""
        if field.of_texts:
            assert own["items"]["type"] == "string"
        elif field.kind in (Kind.OBJECT, Kind.ARRAY):
            check_fields(field.fields, own if field.kind is Kind.OBJECT else own["items"])


@by_operation
def test_every_operation_says_what_it_is(name: str) -> None:
    found = DOCS["apis"][name]
    assert found["summary"][0].isupper()
    assert found["summary"].endswith(".")
    assert name not in found["summary"]
    assert [one["errorCode"] for one in found["errorCodes"]["400"]] == [
        "Product.Unsubscript", "Ram.PermissionDeny", "System.LimitControl", "Unknown.ResourceOwnerId",
    ]  # fmt: skip


def test_the_rest_of_alibabas_shape() -> None:
    assert DOCS["info"] == {"style": "RPC", "product": "cams", "version": "2020-06-06"}
    assert DOCS["endpoints"] == [{"regionId": "ap-southeast-1", "endpoint": "cams.example"}]
    assert DOCS["directories"][0]["children"] == sorted(OPERATIONS)
    mass = DOCS["apis"]["SendChatappMassMessage"]
    assert mass["description"].endswith("At most 10 calls a second.")
    assert mass["systemTags"]["operationType"] == "create"
    assert DOCS["apis"]["ListChatappMessage"]["systemTags"]["operationType"] == "list"
    assert mass["parameters"][2]["schema"]["items"]["properties"]["To"]["required"] is True


def test_openapi_is_valid() -> None:
    OpenAPIV31SpecValidator(msgspec.json.decode(msgspec.json.encode(OPENAPI))).validate()


def test_a_row_of_a_new_kind_is_not_left_out_in_silence() -> None:
    with pytest.raises(TypeError, match="Parameter has no schema"):
        schema.of_parameter(Parameter("X"))
