import msgspec
import pytest

from chatgate.errors import ApiError
from chatgate.protocol import signature_v3
from chatgate.protocol.request import MAX_NAME, Format, RpcRequest, format_of, read
from chatgate.wire import HttpRequest
from tests.protocol.recorded import http, recorded, vector

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json; charset=utf-8"}
NAMED = "Action=A&Version=V"


def post(query: str = "", body: bytes | str = b"", headers: dict[str, str] | None = None) -> HttpRequest:
    return http("POST", f"/?{query}", headers or {}, body)


def refusal(request: HttpRequest) -> str:
    with pytest.raises(ApiError) as caught:
        read(request)
    return caught.value.code


def signed_query(request: HttpRequest) -> str:
    """Return what V3 signs of the query."""
    hashed = msgspec.structs.replace(request, headers={**request.headers, signature_v3.BODY_HASH: "0"})
    [text] = signature_v3.canonical_requests(hashed, signature_v3.BODY_HASH, plain=read(request).plain)
    return text.split("\n")[2]


def test_query_and_form_are_one_set() -> None:
    rpc = read(recorded(vector("v1-core-02-post-body")))
    assert rpc.action == "SendChatappMessage"
    assert rpc.version == "2020-06-06"
    assert rpc.format is Format.JSON
    assert rpc.params == {
        "Content": '{"text":"hi there"}',
        "ChannelType": "viber",
        "Type": "message",
        "From": "27549",
        "To": "639170000001",
        "Tag": "x y*z~",
    }


def test_json_body_members_are_parameters() -> None:
    rpc = read(recorded(vector("v3-py-13-json-body")))
    assert rpc.params == {"ChannelType": "viber", "Content": '{"text":"héllo"}'}
    assert signed_query(recorded(vector("v3-py-13-json-body"))) == "ChannelType=viber"


def test_flattened_parameters_are_folded() -> None:
    rpc = read(recorded(vector("v1-popcore-02-get-array")))
    assert rpc.params == {"CustSpaceId": "cams-8e4test", "Ids": '["a b","c*"]', "Objs": '[{"K":"v"}]'}
    assert rpc.given["Ids.1"] == "a b"


def test_action_and_version_come_from_headers_or_parameters() -> None:
    named = {"x-acs-action": "A", "x-acs-version": "V"}
    for request in (post(headers=named), post(NAMED), post(NAMED, headers=named), post(body=NAMED, headers=FORM)):
        rpc = read(request)
        assert (rpc.action, rpc.version, rpc.params) == ("A", "V", {})


def test_system_and_hidden_parameters_never_reach_the_operation() -> None:
    names = (
        "AccessKeyId Signature SignatureMethod SignatureVersion SignatureNonce SignatureType Timestamp SecurityToken"
    )
    names += " BearerToken RegionId OwnerId OwnerAccount ResourceOwnerId ResourceOwnerAccount Format"
    rpc = read(post(NAMED + "&To=1&" + "&".join(f"{name}=" for name in names.split())))
    assert rpc.params == {"To": "1"}
    assert rpc.given.keys() == {"Action", "Version", "To", *names.split()}


def test_blank_values_and_repetition_are_kept_for_the_signature() -> None:
    rpc = read(post(f"{NAMED}&Tag&To=&To="))
    assert rpc.params == {"Tag": "", "To": ""}
    assert signed_query(post(f"{NAMED}&Tag&To=&To=")) == "Action=A&Tag=&To=&To=&Version=V"


@pytest.mark.parametrize("word", ["XML", "xml", "Xml"])
def test_xml(word: str) -> None:
    assert read(post(f"{NAMED}&Format={word}")).format is Format.XML
    assert read(post(NAMED, f"Format={word}", FORM)).format is Format.XML


@pytest.mark.parametrize("query", [NAMED, f"{NAMED}&Format=", f"{NAMED}&Format=json", f"{NAMED}&Format=JSON"])
def test_json_is_the_default(query: str) -> None:
    assert read(post(query)).format is Format.JSON


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (post("Version=V"), "MissingAction"),
        (post("Action=&Version=V"), "MissingAction"),
        (post("Action=A"), "MissingVersion"),
        (post(), "MissingAction"),
        (post(f"{NAMED}&Format=YAML"), "InvalidParameter.Format"),
        (post("Format=YAML"), "InvalidParameter.Format"),
        (post(f"{NAMED}&To=1&To=2"), "InvalidParameter.To"),
        (post(f"{NAMED}&To=1", "To=2", FORM), "InvalidParameter.To"),
        (post(f"{NAMED}&To=1", '{"To":2}', JSON), "InvalidParameter.To"),
        (post(f"{NAMED}&To=1&%54o=2"), "InvalidParameter.To"),
        (post(f"{NAMED}&Action=B"), "InvalidParameter.Action"),
        (post(NAMED, headers={"x-acs-action": "B"}), "InvalidParameter.Action"),
        (post(NAMED, headers={"x-acs-action": ""}), "InvalidParameter.Action"),
        (post(NAMED, headers={"x-acs-version": "W"}), "InvalidParameter.Version"),
        (post(NAMED, headers={"content-encoding": "gzip"}), "InvalidRequest"),
        (post(NAMED, b"a=1", {**FORM, "content-encoding": "br, identity"}), "InvalidRequest"),
        (post(f"{NAMED}&a=%FF"), "InvalidRequest"),
        (post(NAMED, b"a=\xff", FORM), "InvalidRequest"),
        (post(NAMED, b"a=1"), "InvalidRequest"),
        (post(NAMED, b"a=1", {"content-type": "text/plain"}), "InvalidRequest"),
        (post(NAMED, b'{"a":"1"}', {"content-type": "text/json"}), "InvalidRequest"),
        (post(NAMED, b"a=1", {"content-type": "application/x-www-form-urlencoded,application/json"}), "InvalidRequest"),
        (post(NAMED, b"[1]", JSON), "InvalidRequest"),
        (post(NAMED, b'{"a":', JSON), "InvalidRequest"),
        (post(NAMED, '{"a":' + "[" * 40 + "]" * 40 + "}", JSON), "InvalidRequest"),
        (post(f"{NAMED}&{'n' * (MAX_NAME + 1)}=1"), "InvalidRequest"),
        (post(f"{NAMED}&" + "&".join(f"p{i}=1" for i in range(999))), "InvalidRequest"),
        (post(f"{NAMED}&" + "&".join(f"p{i}=1" for i in range(500)), "&".join(["q=1"] * 500), FORM), "InvalidRequest"),
        (post(f"{NAMED}&" + ".".join("a" * 33) + "=1"), "InvalidRequest"),
    ],
)
def test_refusals(request_: HttpRequest, code: str) -> None:
    assert refusal(request_) == code


def test_identity_encoding_and_an_empty_body_of_any_type_are_fine() -> None:
    headers = {"content-encoding": "identity", "content-type": "text/plain"}
    assert read(post(NAMED, b"", headers)).action == "A"


def test_limits_are_inclusive() -> None:
    rpc: RpcRequest = read(post(f"{NAMED}&{'n' * MAX_NAME}=1&" + "&".join(f"p{i}=1" for i in range(997))))
    assert len(rpc.params) == 998


@pytest.mark.parametrize(
    ("request_", "format"),
    [
        (post("Format=XML&a=%FF"), Format.XML),
        (post("a=%FF&Format=xml&Format=json"), Format.XML),
        (post("a=%FF", b"\xff=1&Format=xml", FORM), Format.XML),
        (post("a=%FF", b"Format=xml"), Format.JSON),
        (post("Format=YAML"), Format.JSON),
        (post("Format&NoFormat=XML"), Format.JSON),
        (post(), Format.JSON),
    ],
)
def test_format_of_what_cannot_be_read(request_: HttpRequest, format: Format) -> None:
    assert format_of(request_) is format
