import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate import errors
from chatgate.errors import ApiError
from chatgate.protocol import response
from chatgate.protocol.request import Format
from chatgate.wire import HttpResponse

ID = "90E63D28-E31D-1EB2-8939-A9486641ABCD"
OK = {"Code": "OK", "Message": "OK", "MessageId": "61851ccb2f1365b16aee0001"}


def refuse(error: ApiError, format: Format = Format.JSON, **more: object) -> HttpResponse:
    return response.failure(format, ID, "cams.example", error, secure=True, **more)  # type: ignore[arg-type]


def root(answer: HttpResponse) -> ElementTree.Element:
    return ElementTree.fromstring(answer.body)


def test_success_in_json() -> None:
    answer = response.success(Format.JSON, "SendChatappMessage", ID, OK)
    assert answer.status == 200
    assert answer.headers == {"content-type": "application/json;charset=utf-8", "x-acs-request-id": ID}
    assert list(json.loads(answer.body).items()) == [("RequestId", ID), *OK.items()]


def test_success_in_xml() -> None:
    answer = response.success(Format.XML, "SendChatappMessage", ID, OK)
    assert answer.headers["content-type"] == "text/xml;charset=utf-8"
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><SendChatappMessageResponse>'
        f"<RequestId>{ID}</RequestId><Code>OK</Code><Message>OK</Message>"
        "<MessageId>61851ccb2f1365b16aee0001</MessageId></SendChatappMessageResponse>"
    )


def test_values_in_xml() -> None:
    fields = {
        "Success": True,
        "Total": 2,
        "Nothing": None,
        "Empty": [],
        "ListTemplate": [{"Name": "a", "Tags": ["x", "y"]}, {"Name": "é<&>\"'"}],
        "Example": {"1st": "v", 'a"<b': "w"},
    }
    tree = root(response.success(Format.XML, "A", ID, fields))
    assert [child.tag for child in tree] == ["RequestId", "Success", "Total", "ListTemplate", "ListTemplate", "Example"]
    assert [tree.findtext(name) for name in ("Success", "Total")] == ["true", "2"]
    assert [item.findtext("Name") for item in tree.findall("ListTemplate")] == ["a", "é<&>\"'"]
    assert [tag.text for tag in tree.findall("ListTemplate/Tags")] == ["x", "y"]
    assert [(entry.get("Key"), entry.text) for entry in tree.findall("Example/Entry")] == [("1st", "v"), ('a"<b', "w")]


def test_refusal_in_json() -> None:
    answer = refuse(errors.missing("To"))
    assert answer.status == 400
    assert json.loads(answer.body) == {
        "RequestId": ID,
        "HostId": "cams.example",
        "Code": "MissingTo",
        "Message": "To is mandatory for this action.",
        "Recommend": f"https://cams.example/console/errors?code=MissingTo&request_id={ID}",
    }


def test_refusal_in_xml() -> None:
    tree = root(refuse(errors.missing("To"), Format.XML))
    assert tree.tag == "Error"
    assert [child.tag for child in tree] == ["RequestId", "HostId", "Code", "Message", "Recommend"]
    assert tree.findtext("Code") == "MissingTo"


@pytest.mark.parametrize("code", errors.CODES, ids=lambda code: code.code)
@pytest.mark.parametrize("format", list(Format))
def test_every_code_can_be_answered(code: errors.ErrorCode, format: Format) -> None:
    answer = refuse(ApiError(code, param="To"), format, action="SendChatappMessage")
    assert answer.status == code.http
    got = root(answer).findtext("Code") if format is Format.XML else json.loads(answer.body)["Code"]
    assert got == code.code.format(param="To")


def test_validation_code_with_http_200() -> None:
    error = ApiError(errors.FROM_ONLY_NUMERIC)
    expected = {"RequestId": ID, "Code": "InvalidParameter.FromOnlyNumeric", "Message": "From must be digits only."}
    assert json.loads(refuse(error).body) == expected
    assert json.loads(refuse(error, fields={"Success": False}).body) == {**expected, "Success": False}
    tree = root(refuse(error, Format.XML, action="SendChatappMessage"))
    assert tree.tag == "SendChatappMessageResponse"
    assert {child.tag: child.text for child in tree} == expected


def test_headers_of_the_error_are_sent() -> None:
    error = ApiError(errors.LIMIT_CONTROL, headers={"x-acs-retry-after": "400"})
    assert refuse(error).headers["x-acs-retry-after"] == "400"
    assert "x-acs-retry-after" not in refuse(errors.missing("To")).headers


def test_message_is_bounded() -> None:
    whole = ApiError(errors.SIGNATURE_MISMATCH, "a" * response.MAX_MESSAGE)
    assert json.loads(refuse(whole).body)["Message"] == whole.message
    cut = ApiError(errors.SIGNATURE_MISMATCH, "a" * 1_000_000)
    assert json.loads(refuse(cut).body)["Message"] == "a" * response.MAX_MESSAGE + "…"


@given(st.text(st.characters(), max_size=20))
def test_hostile_text_is_always_well_formed(text: str) -> None:
    error = ApiError(errors.AMBIGUOUS, text, param=text)
    assert json.loads(refuse(error).body)["RequestId"] == ID
    assert root(refuse(error, Format.XML)).findtext("RequestId") == ID
    fields = {"Message": text, "Data": {text: [text, {text: text}]}}
    assert root(response.success(Format.XML, "A", ID, fields)).findtext("RequestId") == ID


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs", "Cf")), max_size=40))
def test_text_survives_xml(text: str) -> None:
    tree = root(response.success(Format.XML, "A", ID, {"Message": f"<{text}\r\n\t&]]>"}))
    assert tree.findtext("Message") == f"<{text}\r\n\t&]]>"


@pytest.mark.parametrize("bad", ["\0", "\x01", "\x1b", "\x7f\x0b", "\ufffe", "\uffff", "\ud800"])
def test_characters_that_xml_forbids_are_replaced(bad: str) -> None:
    tree = root(response.success(Format.XML, "A", ID, {"Message": f"a{bad}b"}))
    assert (tree.findtext("Message") or "").startswith("a")
    assert "\ufffd" in (tree.findtext("Message") or "")


def test_what_utf8_cannot_carry_is_replaced() -> None:
    assert json.loads(refuse(ApiError(errors.BAD_REQUEST, "a\ud800")).body)["Message"] == "a?"


def test_recommend_is_a_whole_url() -> None:
    error = ApiError(errors.AMBIGUOUS, param="a&b=ж #")
    recommend = json.loads(refuse(error).body)["Recommend"]
    assert recommend.endswith(f"?code=InvalidParameter.a%26b%3D%D0%B6%20%23&request_id={ID}")


DENIED = {"NoPermissionType": "ImplicitDeny", "AuthPrincipalDisplayName": "alice"}


def test_a_denial_tells_why_in_json() -> None:
    body = json.loads(refuse(ApiError(errors.PERMISSION_DENIED, denied=DENIED)).body)
    assert (body["Code"], body["AccessDeniedDetail"]) == ("Ram.PermissionDeny", DENIED)


def test_a_denial_tells_why_in_xml() -> None:
    tree = root(refuse(ApiError(errors.PERMISSION_DENIED, denied=DENIED), Format.XML))
    detail = tree.find("AccessDeniedDetail")
    assert detail is not None
    assert {child.tag: child.text for child in detail} == DENIED


@pytest.mark.parametrize("format", list(Format))
def test_other_refusals_have_no_such_detail(format: Format) -> None:
    assert b"AccessDeniedDetail" not in refuse(ApiError(errors.UNSUBSCRIBED), format).body
