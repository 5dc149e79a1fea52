"""What a claim must be, key by key and text by text. Forgeries are in ``test_forgery``."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chatgate.domain.account import KeyKind
from chatgate.errors import ApiError
from chatgate.protocol.signature import DUMMY_KEY, KeyMaterial, rsa_key
from chatgate.wire import HttpRequest
from tests.protocol.recorded import VALID, http, pass_through, recorded, secret_key, vector
from tests.signing import sign_v1, sign_v3

NOW = 1_740_830_400_000
PARAMS = {"To": "639170000001", "Content": '{"text":"50% off + free, мир 🎉"}', "Tag": ""}
V1_ORDER = ["AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp", "Signature"]


def refusal(request: HttpRequest, key: KeyMaterial = DUMMY_KEY) -> ApiError:
    with pytest.raises(ApiError) as caught:
        pass_through(request, key)
    return caught.value


@pytest.mark.parametrize("algorithm", ["ACS3-HMAC-SHA256", "ACS3-HMAC-SM3"])
@pytest.mark.parametrize("form", [None, {"From": "27549", "Label": "a b*~é"}])
def test_signs_v3(algorithm: str, form: dict[str, str] | None) -> None:
    signed = sign_v3("POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n", form=form, algorithm=algorithm)
    claim = pass_through(http("POST", *signed), secret_key("s"))
    assert (claim.access_key_id, claim.nonce, claim.signed_at) == ("id", "n", NOW)
    assert claim.rpc.params == {**PARAMS, **(form or {})}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("form", [None, {"From": "27549", "Label": "a b*~é"}])
def test_signs_v1(method: str, form: dict[str, str] | None) -> None:
    signed = sign_v1(method, PARAMS, "id", "s", host="h", now=NOW, nonce="n", form=form)
    claim = pass_through(http(method, *signed), secret_key("s"))
    assert (claim.access_key_id, claim.nonce, claim.signed_at) == ("id", "n", NOW)
    assert claim.rpc.params == {**PARAMS, **(form or {})}


def test_host_is_taken_as_sent() -> None:
    signed = sign_v3("POST", PARAMS, "id", "s", host="http://127.0.0.1:8080", now=NOW, nonce="n")
    pass_through(http("POST", *signed), secret_key("s"))


def test_header_bytes_beyond_ascii_are_signed_as_utf8() -> None:
    target, headers, body = sign_v3(
        "POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n", headers={"x-acs-trace": "мир"}
    )
    on_the_wire = {**headers, "x-acs-trace": "мир".encode().decode("latin-1")}
    pass_through(http("POST", target, on_the_wire, body), secret_key("s"))
    broken = refusal(http("POST", target, {**headers, "x-acs-trace": "\xff"}, body), secret_key("s"))
    assert broken.code == "InvalidRequest"


def test_body_hash_may_be_in_upper_case() -> None:
    upper = {"x-acs-content-sha256": hashlib.sha256(b"From=27549").hexdigest().upper()}
    signed = sign_v3("POST", {}, "id", "s", host="h", now=NOW, nonce="n", form={"From": "27549"}, headers=upper)
    pass_through(http("POST", *signed), secret_key("s"))


def test_authorization_may_have_spaces() -> None:
    target, headers, body = sign_v3("POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n")
    spaced = {**headers, "authorization": headers["authorization"].replace(",", " , ").replace(" ", "  ", 1)}
    pass_through(http("POST", target, spaced, body), secret_key("s"))


def test_rsa_key_verifies_rsa_only() -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    by_rsa = sign_v3("POST", PARAMS, "id", private, host="h", now=NOW, nonce="n", algorithm="ACS3-RSA-SHA256")
    by_hmac = sign_v3("POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n")
    by_public_key = sign_v3("POST", PARAMS, "id", pem.decode(), host="h", now=NOW, nonce="n")
    pass_through(http("POST", *by_rsa), rsa_key(pem))
    assert refusal(http("POST", *by_hmac), rsa_key(pem)).code == "InvalidSignatureMethod"
    assert refusal(http("POST", *by_public_key), rsa_key(pem)).code == "InvalidSignatureMethod"
    assert refusal(http("POST", *by_rsa), secret_key("s")).code == "InvalidSignatureMethod"
    for wrong in ("AB", "zz", "abc", "00" * 256):
        headers = by_rsa[1] | {"authorization": by_rsa[1]["authorization"].rpartition("=")[0] + "=" + wrong}
        assert refusal(http("POST", by_rsa[0], headers), rsa_key(pem)).code == "SignatureDoesNotMatch"


def test_key_material_is_one_or_the_other() -> None:
    public = rsa.generate_private_key(65537, 2048).public_key()
    for wrong in ((KeyKind.HMAC, b"", None), (KeyKind.RSA, b"", None), (KeyKind.RSA, b"s", None)):
        with pytest.raises(ValueError, match="secret"):
            KeyMaterial(*wrong)
    with pytest.raises(ValueError, match="secret"):
        KeyMaterial(KeyKind.HMAC, b"s", public)
    assert "topsecret" not in repr(secret_key("topsecret"))
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(ValueError, match="RSA"):
        rsa_key(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(ValueError, match=r".+"):
        rsa_key(b"nonsense")


def test_nothing_at_all_asks_for_the_access_key() -> None:
    assert refusal(http("POST", "/?Action=A&Version=V", {})).code == "MissingAccessKeyId"


@pytest.mark.parametrize("blank", [True, False])
def test_v1_asks_for_what_is_missing_in_a_fixed_order(blank: bool) -> None:
    given = {"Action": "A", "Version": "V"}
    for name in V1_ORDER:
        query = "&".join(f"{key}={value}" for key, value in given.items()) + (f"&{name}=" if blank else "")
        assert refusal(http("POST", f"/?{query}", {})).code == f"Missing{name}"
        given[name] = {"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0"}.get(name, "2025-03-01T12:00:00Z")


@pytest.mark.parametrize("name", ["Action", "Version"])
def test_v1_does_not_believe_an_action_that_only_an_unsigned_header_names(name: str) -> None:
    target, headers, body = sign_v1("POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n", common={name: ""})
    without = "/?" + "&".join(part for part in target[2:].split("&") if not part.startswith(f"{name}="))
    headers |= {"x-acs-action": "SendChatappMessage", "x-acs-version": "2020-06-06"}
    assert refusal(http("POST", without, headers, body), secret_key("s")).code == f"Missing{name}"


def test_two_bearer_tokens() -> None:
    request = http("POST", "/?Action=A&Version=V&BearerToken=t", {"x-acs-bearer-token": "t"})
    assert refusal(request).code == "IncompleteSignature"


def test_bearer_without_a_token() -> None:
    assert refusal(http("POST", "/?Action=A&Version=V&SignatureType=BEARERTOKEN", {})).code == "MissingBearerToken"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-03-01T12:00:00",
        "2025-03-01T12:00:00.973Z",
        "2025-03-01 12:00:00Z",
        "2025-03-01T12:00:00+00:00",
        "2025-03-01t12:00:00z",
        "2025-02-30T12:00:00Z",
        "2025-03-01T24:00:00Z",
        "2025-03-01T12:00:60Z",
        "0000-03-01T12:00:00Z",
        "٢٠٢٥-03-01T12:00:00Z",
        " 2025-03-01T12:00:00Z",
        "2025-03-01T12:00:00Z\n",
        "20250301T120000Z",
        "1740830400",
        "Sat, 01 Mar 2025 12:00:00 GMT",
        "2025-03-01T12:00:00Z,2025-03-01T12:00:01Z",
    ],
)
def test_time_has_one_form(text: str) -> None:
    target, headers, body = sign_v3("POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n")
    assert refusal(http("POST", target, headers | {"x-acs-date": text}, body)).code == "InvalidTimeStamp.Format"
    target, headers, body = sign_v1("POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n", common={"Timestamp": text})
    expected = "InvalidTimeStamp.Format" if text else "MissingTimestamp"
    assert refusal(http("POST", target, headers, body)).code == expected


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("1970-01-01T00:00:00Z", 0),
        ("2024-02-29T23:59:59Z", 1_709_251_199_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000),
    ],
)
def test_time_is_milliseconds(text: str, instant: int) -> None:
    signed = sign_v3("POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n", headers={"x-acs-date": text})
    assert pass_through(http("POST", *signed), secret_key("s")).signed_at == instant


@pytest.mark.parametrize("nonce", ["", "n" * 257, "a\tb", "\u200b"])
def test_nonce_has_bounds(nonce: str) -> None:
    wire = nonce.encode().decode("latin-1")
    target, headers, body = sign_v3("POST", PARAMS, "id", "s", host="h", now=NOW, nonce="n")
    request = http("POST", target, headers | {"x-acs-signature-nonce": wire}, body)
    assert refusal(request).code == "IncompleteSignature"
    signed = sign_v1("POST", PARAMS, "id", "s", host="h", now=NOW, nonce=nonce)
    assert refusal(http("POST", *signed)).code == ("IncompleteSignature" if nonce else "MissingSignatureNonce")


def test_mismatch_shows_the_servers_view_v1() -> None:
    given = vector("v1-core-01-get")
    error = refusal(recorded(given), secret_key("other"))
    assert error.http == 400
    assert error.message.split(":")[1] == given["string_to_sign"]  # how the classic SDK reads it


def test_mismatch_shows_the_servers_view_v3() -> None:
    given = vector("v3-py-01-post-query")
    assert refusal(recorded(given), secret_key("other")).message == (
        "Specified signature does not match our calculation. "
        f"server StringToSign is [{given['string_to_sign']}] server CanonicalRequest is [{given['canonical_request']}]"
    )


def test_an_unknown_key_costs_the_same_steps() -> None:
    for given in VALID:
        if given["key"] == "testsecret":
            assert refusal(recorded(given), DUMMY_KEY).message == refusal(recorded(given), secret_key("other")).message
