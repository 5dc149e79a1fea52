"""Every recording of the official SDKs is believed, byte for byte, and nothing else is."""

from typing import Any

import pytest

from chatgate.errors import ApiError
from chatgate.protocol import signature, signature_v1, signature_v3
from chatgate.protocol.request import read
from chatgate.protocol.signature import Scheme, read_claim
from tests.protocol.recorded import BEARER, VALID, VECTORS, WRONG, key_of, pass_through, recorded, secret_key

DATES = {"v1-docs-describeregions": 1_456_231_584_000, "v3-docs-runinstances": 1_698_315_752_000}
RECORDED_AT = 1_740_830_400_000  # 2025-03-01T12:00:00Z


def name(vector: dict[str, Any]) -> str:
    return str(vector["id"])


def test_all_are_here() -> None:
    assert len(VECTORS) == len(VALID) + len(WRONG) + len(BEARER) == 35
    assert len(BEARER) == 2
    assert len(WRONG) == 4


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_believed(vector: dict[str, Any]) -> None:
    claim = pass_through(recorded(vector), key_of(vector))
    assert claim.scheme == vector["scheme"]
    assert claim.algorithm == vector["algorithm"]
    assert claim.access_key_id == vector["access_key_id"]
    assert claim.signed_at == DATES.get(vector["id"], RECORDED_AT)
    assert len(claim.nonce) in (32, 36)
    assert claim.bearer_token is None
    assert (claim.security_token is not None) == vector["access_key_id"].startswith("STS.")


@pytest.mark.parametrize("vector", [v for v in VALID if v["scheme"] == "V3"], ids=name)
def test_canonical_request_byte_for_byte(vector: dict[str, Any]) -> None:
    request = recorded(vector)
    claim = read_claim(request, read(request))
    canonical_request = signature_v3.canonical_requests(request, claim.signed_headers, plain=claim.rpc.plain)[0]
    assert canonical_request == vector["canonical_request"]
    assert signature_v3.string_to_sign(claim.algorithm, canonical_request) == vector["string_to_sign"]


@pytest.mark.parametrize("vector", [v for v in VALID if v["scheme"] == "V1"], ids=name)
def test_string_to_sign_byte_for_byte(vector: dict[str, Any]) -> None:
    request = recorded(vector)
    assert signature_v1.string_to_sign(request, read(request)) == vector["string_to_sign"]


@pytest.mark.parametrize("vector", VALID, ids=name)
def test_another_key_is_refused(vector: dict[str, Any]) -> None:
    for key in (secret_key("testsecre"), secret_key("testsecret "), signature.DUMMY_KEY):
        with pytest.raises(ApiError) as refusal:
            pass_through(recorded(vector), key)
        expected = "InvalidSignatureMethod" if vector["key"] == "rsa" else "SignatureDoesNotMatch"
        assert refusal.value.code == expected


@pytest.mark.parametrize("vector", WRONG, ids=name)
def test_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refusal:
        pass_through(recorded(vector), key_of(vector))
    assert refusal.value.code == vector["error"]


@pytest.mark.parametrize("vector", BEARER, ids=name)
def test_bearer(vector: dict[str, Any]) -> None:
    request = recorded(vector)
    claim = read_claim(request, read(request))
    assert claim.scheme is Scheme.BEARER
    assert claim.bearer_token == vector["bearer_token"]
    assert (claim.access_key_id, claim.signed_at, claim.security_token) == ("", 1_740_830_400_000, None)
    assert claim.nonce in vector["target"] + vector["headers"].get("x-acs-signature-nonce", "")
    assert len(claim.nonce) == 32
    assert vector["bearer_token"] not in repr(claim)
    with pytest.raises(ApiError) as refusal:
        signature.verify(claim, signature.DUMMY_KEY)
    assert refusal.value.code == "InvalidBearerToken.Malformed"
