"""The forgery matrix: one change to a call that was signed well, and the code that refuses it.

What needs a store or a clock (unknown and disabled keys, the time window, used nonces) is in the gateway's tests.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.errors import ApiError
from chatgate.wire import HttpRequest, join_headers
from tests.protocol.recorded import http, pass_through, secret_key
from tests.signing import sign_v1, sign_v3

NOW = 1_740_830_400_000
KEY = secret_key("s3cret")
QUERY = {"Content": '{"text":"a b/é"}', "To": "639170000001", "Tag": "", "Note": "%2f"}
BODY = {"From": "27549", "TaskId": "x y"}

DIFFERENT = "SignatureDoesNotMatch"
INCOMPLETE = "IncompleteSignature"
METHOD = "InvalidSignatureMethod"
BODY_HASH = "ContentSha256NotMatched"
TIME = "InvalidTimeStamp.Format"
BAD = "InvalidRequest"

Change = Callable[[HttpRequest], HttpRequest]


def v3(method: str = "POST") -> HttpRequest:
    return http(method, *sign_v3(method, QUERY, "id", "s3cret", host="h:1", now=NOW, nonce="n-1", form=BODY))


def v1(method: str = "POST") -> HttpRequest:
    return http(method, *sign_v1(method, QUERY, "id", "s3cret", host="h:1", now=NOW, nonce="n-1", form=BODY))


def with_(**fields: object) -> Change:
    return lambda request: msgspec.structs.replace(request, **fields)


def headers(**fields: str | None) -> Change:
    """Set headers (``x_acs_date="…"``); None removes one."""

    def change(request: HttpRequest) -> HttpRequest:
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        merged = {**request.headers, **named}
        return msgspec.structs.replace(request, headers={n: v for n, v in merged.items() if v is not None})

    return change


def query(old: str, new: str) -> Change:
    def change(request: HttpRequest) -> HttpRequest:
        assert old in request.query, "this change changes nothing"
        return msgspec.structs.replace(request, query=request.query.replace(old, new, 1))

    return change


def body(old: bytes, new: bytes) -> Change:
    def change(request: HttpRequest) -> HttpRequest:
        assert old in request.body, "this change changes nothing"
        return msgspec.structs.replace(request, body=request.body.replace(old, new, 1))

    return change


def authorization(old: str, new: str) -> Change:
    def change(request: HttpRequest) -> HttpRequest:
        value = request.headers["authorization"]
        assert old in value, "this change changes nothing"
        return headers(authorization=value.replace(old, new, 1))(request)

    return change


def signature(change: Callable[[str], str]) -> Change:
    def apply(request: HttpRequest) -> HttpRequest:
        start, equals, given = request.headers["authorization"].rpartition("=")
        return headers(authorization=start + equals + change(given))(request)

    return apply


def both(*changes: Change) -> Change:
    def apply(request: HttpRequest) -> HttpRequest:
        for change in changes:
            request = change(request)
        return request

    return apply


def twice(name: str, value: str) -> Change:
    """Send a header a second time, as the edge joins it."""

    def change(request: HttpRequest) -> HttpRequest:
        pairs = [(n.encode(), v.encode()) for n, v in [*request.headers.items(), (name, value)]]
        return msgspec.structs.replace(request, headers=join_headers(pairs))

    return change


EITHER: list[tuple[str, Change, str]] = [
    ("method-get", with_(method="GET"), DIFFERENT),
    ("method-head", with_(method="HEAD"), DIFFERENT),
    ("method-case", with_(method="post"), DIFFERENT),
    ("path-other", with_(path="/x"), DIFFERENT),
    ("path-double", with_(path="//"), DIFFERENT),
    ("path-dot", with_(path="/./"), DIFFERENT),
    ("path-empty", with_(path=""), DIFFERENT),
    ("query-value", query("639170000001", "639170000002"), DIFFERENT),
    ("query-name", query("To=", "to="), DIFFERENT),
    ("query-added", query("Tag=", "Tag=&Label=promotion"), DIFFERENT),
    ("query-removed", query("&Tag=", ""), DIFFERENT),
    ("query-blank-filled", query("Tag=", "Tag=x"), DIFFERENT),
    ("query-two-values", query("Tag=", "Tag=&To=1"), "InvalidParameter.To"),
    ("query-decoded-once-more", query("Note=%252f", "Note=%2f"), DIFFERENT),
    ("query-encoded-once-more", query("Note=%252f", "Note=%25252f"), DIFFERENT),
    ("query-nfd", query("%C3%A9", "e%CC%81"), DIFFERENT),
    ("query-invalid-utf8", query("Tag=", "Tag=%FF"), BAD),
    ("query-overlong-utf8", query("Tag=", "Tag=%C0%AF"), BAD),
    ("query-nul", query("Tag=", "Tag=%00"), BAD),
    ("query-plus-escaped", query("a%20b", "a%2Bb"), DIFFERENT),
    ("query-separator-escaped", query("%7D&", "%7D%26"), DIFFERENT),
    ("query-emptied", with_(query=""), "MissingAction"),
    ("body-type-changed", headers(content_type="application/json"), BAD),
    ("body-type-unknown", headers(content_type="text/plain"), BAD),
    ("body-type-removed", headers(content_type=None), BAD),
    ("body-compressed", headers(content_encoding="gzip"), BAD),
    ("bearer-added", headers(x_acs_bearer_token="t"), INCOMPLETE),
    ("bearer-parameter-added", query("Tag=", "Tag=&BearerToken=t"), INCOMPLETE),
    ("bearer-type-added", query("Tag=", "Tag=&SignatureType=BEARERTOKEN"), INCOMPLETE),
]

ONLY_V3: list[tuple[str, Change, str]] = [
    *[row for row in EITHER if row[0] != "query-emptied"],
    ("query-emptied", with_(query=""), DIFFERENT),
    ("query-repeated-same", query("Tag=", "Tag=&Tag="), DIFFERENT),
    ("moved-to-body", both(query("&To=639170000001", ""), body(b"From", b"To=639170000001&From")), BODY_HASH),
    ("moved-to-query", both(body(b"From=27549&", b""), query("Tag=", "Tag=&From=27549")), BODY_HASH),
    ("action-parameter-differs", query("Tag=", "Tag=&Action=Other"), "InvalidParameter.Action"),
    ("action-parameter-added", query("Tag=", "Tag=&Action=SendChatappMessage"), DIFFERENT),
    ("body-value", body(b"27549", b"27550"), BODY_HASH),
    ("body-emptied", with_(body=b""), BODY_HASH),
    ("body-other-spelling", body(b"x+y", b"x%20y"), BODY_HASH),
    ("body-hash-of-nothing", headers(x_acs_content_sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), BODY_HASH),  # noqa: E501
    ("body-hash-unsigned-payload", headers(x_acs_content_sha256="UNSIGNED-PAYLOAD"), BODY_HASH),
    ("body-hash-empty", headers(x_acs_content_sha256=""), BODY_HASH),
    ("body-hash-not-ascii", headers(x_acs_content_sha256="\xc3\xa9" * 32), BODY_HASH),
    ("header-host", headers(host="h:2"), DIFFERENT),
    ("header-action", headers(x_acs_action="ListChatappMessage"), DIFFERENT),
    ("header-version", headers(x_acs_version="2020-06-07"), DIFFERENT),
    ("header-nonce", headers(x_acs_signature_nonce="n-2"), DIFFERENT),
    ("header-nonce-empty", headers(x_acs_signature_nonce=""), INCOMPLETE),
    ("header-nonce-10kB", headers(x_acs_signature_nonce="n" * 10_000), INCOMPLETE),
    ("header-date", headers(x_acs_date="2025-03-01T12:00:01Z"), DIFFERENT),
    ("header-date-form", headers(x_acs_date="2025-03-01T12:00:00.000Z"), TIME),
    ("header-date-twice", twice("x-acs-date", "2025-03-01T12:00:01Z"), TIME),
    ("header-value-case", headers(host="H:1"), DIFFERENT),
    ("header-removed", headers(x_acs_date=None), INCOMPLETE),
    ("header-unsigned-acs", headers(x_acs_trace="t"), INCOMPLETE),
    ("header-unsigned-token", headers(x_acs_security_token="t"), INCOMPLETE),
    ("header-accesskey-id-differs", both(authorization(";x-acs-action", ";x-acs-accesskey-id;x-acs-action"), headers(x_acs_accesskey_id="other")), INCOMPLETE),  # noqa: E501
    ("host-twice", twice("host", "h:2"), DIFFERENT),
    *[
        (f"signed-headers-without-{name}", authorization(cut, ""), INCOMPLETE)
        for name, cut in [
            ("content-type", "content-type;"),
            ("host", "host;"),
            ("action", "x-acs-action;"),
            ("hash", "x-acs-content-sha256;"),
            ("date", "x-acs-date;"),
            ("nonce", "x-acs-signature-nonce;"),
            ("version", ";x-acs-version"),
        ]
    ],
    ("signed-headers-absent", authorization("host;", "host;range;"), INCOMPLETE),
    ("signed-headers-twice", authorization("host;", "host;host;"), INCOMPLETE),
    ("signed-headers-case", authorization("host;", "Host;"), INCOMPLETE),
    ("signed-headers-order", authorization("content-type;host;", "host;content-type;"), DIFFERENT),
    ("signed-headers-blank-name", authorization("host;", "host;;"), INCOMPLETE),
    ("authorization-twice", twice("authorization", "ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host,Signature=00"), INCOMPLETE),  # noqa: E501
    ("authorization-empty", headers(authorization=""), METHOD),
    ("authorization-removed", headers(authorization=None), "MissingAccessKeyId"),
    ("authorization-and-parameter", query("Tag=", "Tag=&Signature=x"), INCOMPLETE),
    ("authorization-and-blank-parameter", query("Tag=", "Tag=&Signature="), INCOMPLETE),
    ("authorization-and-form-parameter", body(b"From", b"Signature=x&From"), INCOMPLETE),
    ("credential-other", authorization("Credential=id", "Credential="), INCOMPLETE),
    ("credential-not-printable", authorization("Credential=id", "Credential=i\x7fd"), INCOMPLETE),
    ("algorithm-none", authorization("ACS3-HMAC-SHA256", "none"), METHOD),
    ("algorithm-sha1", authorization("ACS3-HMAC-SHA256", "ACS3-HMAC-SHA1"), METHOD),
    ("algorithm-v1", authorization("ACS3-HMAC-SHA256", "HMAC-SHA1"), METHOD),
    ("algorithm-case", authorization("ACS3-HMAC-SHA256", "acs3-hmac-sha256"), METHOD),
    ("algorithm-rsa", authorization("ACS3-HMAC-SHA256", "ACS3-RSA-SHA256"), METHOD),
    ("algorithm-sm3", authorization("ACS3-HMAC-SHA256", "ACS3-HMAC-SM3"), BODY_HASH),
    ("algorithm-bearer", authorization("ACS3-HMAC-SHA256", "Bearer"), METHOD),
    ("signature-empty", signature(lambda given: ""), INCOMPLETE),
    ("signature-cut", signature(lambda given: given[:-1]), DIFFERENT),
    ("signature-long", signature(lambda given: given + "0"), DIFFERENT),
    ("signature-upper-case", signature(str.upper), DIFFERENT),
    ("signature-one-bit", signature(lambda given: given[:-1] + ("0" if given[-1] != "0" else "1")), DIFFERENT),
    ("signature-not-ascii", signature(lambda given: "\xe9" * 64), DIFFERENT),
    ("signature-zeros", signature(lambda given: "0" * 64), DIFFERENT),
]  # fmt: skip

ONLY_V1: list[tuple[str, Change, str]] = [
    *[row for row in EITHER if row[0] != "bearer-type-added"],
    ("body-value", body(b"27549", b"27550"), DIFFERENT),
    ("body-emptied", with_(body=b""), DIFFERENT),
    ("body-added-json", both(with_(body=b'{"Label":"x"}'), headers(content_type="application/json")), INCOMPLETE),
    ("date", query("12%3A00%3A00Z", "12%3A00%3A01Z"), DIFFERENT),
    ("date-form", query("12%3A00%3A00Z", "12%3A00%3A00.000Z"), TIME),
    ("date-missing", query("Timestamp=", "Time="), "MissingTimestamp"),
    ("date-two", query("Timestamp=", "Timestamp=2025-03-01T12%3A00%3A01Z&Timestamp="), "InvalidParameter.Timestamp"),
    ("nonce", query("SignatureNonce=n-1", "SignatureNonce=n-2"), DIFFERENT),
    ("nonce-empty", query("SignatureNonce=n-1", "SignatureNonce="), "MissingSignatureNonce"),
    ("nonce-10kB", query("SignatureNonce=n-1", "SignatureNonce=" + "n" * 10_000), INCOMPLETE),
    ("action", query("Action=SendChatappMessage", "Action=Other"), DIFFERENT),
    ("action-header-differs", headers(x_acs_action="Other"), "InvalidParameter.Action"),
    ("version-header-differs", headers(x_acs_version="1"), "InvalidParameter.Version"),
    ("version", query("&Version=2020-06-06", "&Version=2020-06-07"), DIFFERENT),
    ("access-key-other", query("AccessKeyId=id", "AccessKeyId=ie"), DIFFERENT),
    ("access-key-long", query("AccessKeyId=id", "AccessKeyId=" + "i" * 257), INCOMPLETE),
    ("algorithm-sha256", query("HMAC-SHA1", "HMAC-SHA256"), METHOD),
    ("algorithm-none", query("HMAC-SHA1", "none"), METHOD),
    ("algorithm-empty", query("HMAC-SHA1", ""), "MissingSignatureMethod"),
    ("algorithm-version", query("SignatureVersion=1.0", "SignatureVersion=2.0"), METHOD),
    ("algorithm-key-pair", query("Tag=", "Tag=&SignatureType=PRIVATEKEY"), METHOD),
    ("signature-type-added", query("Tag=", "Tag=&SignatureType="), DIFFERENT),
    ("bearer-type-added", query("Tag=", "Tag=&SignatureType=BEARERTOKEN"), INCOMPLETE),
    ("signature-empty", query("&Signature=", "&Signature=&X="), "MissingSignature"),
    ("signature-two", query("&Signature=", "&Signature=x&Signature="), "InvalidParameter.Signature"),
    ("signature-cut", query("%3D", ""), DIFFERENT),
    ("signature-space", query("%3D", "%3D+"), DIFFERENT),
    ("signature-not-ascii", query("&Signature=", "&Signature=%C3%A9"), DIFFERENT),
    ("signature-in-header-too", headers(authorization="ACS3-HMAC-SHA256 x"), INCOMPLETE),
    ("token-added", query("Tag=", "Tag=&SecurityToken=t"), DIFFERENT),
]

MATRIX = [
    pytest.param(sign, change, code, id=f"{scheme}-{name}")
    for scheme, sign, rows in (("v3", v3, ONLY_V3), ("v1", v1, ONLY_V1))
    for name, change, code in rows
]


@pytest.mark.parametrize("sign", [v3, v1])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_signed_well_passes(sign: Callable[[str], HttpRequest], method: str) -> None:
    assert pass_through(sign(method), KEY).access_key_id == "id"


@pytest.mark.parametrize(("sign", "change", "code"), MATRIX)
def test_one_change_is_refused(sign: Callable[[], HttpRequest], change: Change, code: str) -> None:
    with pytest.raises(ApiError) as refusal:
        pass_through(change(sign()), KEY)
    assert refusal.value.code == code


SAME_CALL: list[tuple[str, Change]] = [
    ("query-order", lambda request: with_(query="&".join(reversed(request.query.split("&"))))(request)),
    ("query-plus-for-space", query("a%20b", "a+b")),
    ("query-lower-case-escape", query("%C3%A9", "%c3%a9")),
    ("query-needless-escape", query("To=6", "%54o=%36")),
    ("query-empty-part", query("&Tag=", "&&Tag=")),
    ("query-name-without-equals", query("Tag=", "Tag")),
    ("header-of-a-proxy", headers(x_forwarded_host="evil", x_http_method_override="DELETE", via="p")),
]


@pytest.mark.parametrize("sign", [v3, v1])
@pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in SAME_CALL])
def test_another_spelling_is_the_same_call(sign: Callable[[], HttpRequest], change: Change) -> None:
    assert pass_through(change(sign()), KEY).rpc.params == pass_through(sign(), KEY).rpc.params


def test_v1_signs_parameters_wherever_they_are() -> None:
    moved = both(body(b"From=27549&", b""), query("Tag=", "Tag=&From=27549&From=27549"))(v1())
    assert pass_through(moved, KEY).rpc.params == pass_through(v1(), KEY).rpc.params


@pytest.mark.parametrize("name", ["A=1&B", "A%3D", "A\nB"])
def test_a_name_that_can_be_read_two_ways_must_be_encoded(name: str) -> None:
    """The SDKs' spelling of names is believed only where it is unambiguous."""
    signed = sign_v3("POST", {name: "2"}, "id", "s3cret", host="h", now=NOW, nonce="n")
    assert pass_through(http("POST", *signed), KEY).rpc.params == {name: "2"}


def test_two_parameters_cannot_be_replayed_as_one() -> None:
    target, signed, raw = sign_v3("POST", {"A": "1", "B": "2"}, "id", "s3cret", host="h", now=NOW, nonce="n")
    assert target == "/?A=1&B=2"
    with pytest.raises(ApiError) as refusal:
        pass_through(http("POST", "/?A%3D1%26B=2", signed, raw), KEY)
    assert refusal.value.code == DIFFERENT


@given(st.data())
def test_every_byte_of_a_v3_call_is_covered(data: st.DataObject) -> None:
    """Replace one character anywhere; either nothing changed in meaning, or the call is refused."""
    request = v3()
    place = data.draw(st.sampled_from(["query", "body", *sorted(request.headers)]))
    whole = {"query": request.query, "body": request.body.decode()}.get(place) or request.headers[place]
    at = data.draw(st.integers(0, len(whole) - 1))
    char = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda char: char != whole[at]))
    changed = whole[:at] + char + whole[at + 1 :]
    if place == "query":
        altered = with_(query=changed)(request)
    elif place == "body":
        altered = with_(body=changed.encode())(request)
    else:
        altered = headers(**{place.replace("-", "_"): changed})(request)
    try:
        claim = pass_through(altered, KEY)
    except ApiError:
        return
    assert claim.rpc == pass_through(request, KEY).rpc
