"""Whatever comes over the wire, the answer is an ``ApiError``: never another exception, never belief."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.errors import ApiError
from chatgate.protocol.request import Format, format_of
from chatgate.protocol.signature import DUMMY_KEY
from chatgate.wire import HttpRequest
from tests.protocol.recorded import http, pass_through, secret_key
from tests.signing import FORM, Signed, sign_v1, sign_v3

NOW = 1_740_830_400_000
KEY = secret_key("s3cret")
V3 = sign_v3("POST", {"To": "1"}, "id", "s3cret", host="h", now=NOW, nonce="n", form={"From": "2"})
V1 = sign_v1("POST", {"To": "1"}, "id", "s3cret", host="h", now=NOW, nonce="n", form={"From": "2"})

parts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["Action", "Version", "Signature", "SignatureMethod=HMAC-SHA1", "%", "%zz", "&", "=", "a.b.c", "+"]
    ),
)
names = st.sampled_from(
    """authorization content-type content-encoding host x-acs-date x-acs-action x-acs-version x-acs-signature-nonce
    x-acs-content-sha256 x-acs-security-token x-acs-bearer-token x-acs-accesskey-id x-acs-x""".split()  # noqa: SIM905
)
values = st.one_of(
    st.text(max_size=40),
    st.sampled_from([FORM, "application/json", "identity", "gzip", "2025-03-01T12:00:00Z", "n", "A"]),
    st.builds("ACS3-HMAC-{} Credential={},SignedHeaders={},Signature={}".format, *[st.text(max_size=9)] * 4),
)


@given(
    method=st.text(max_size=6),
    path=st.text(max_size=6),
    query=st.lists(parts).map("&".join),
    headers=st.dictionaries(names, values),
    body=st.one_of(st.binary(max_size=60), st.lists(parts).map(lambda many: "&".join(many).encode())),
)
def test_nothing_but_an_api_error_comes_of_noise(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    request = HttpRequest(method=method, path=path, query=query, headers=headers, body=body)
    assert format_of(request) in Format
    with pytest.raises(ApiError):
        pass_through(request, DUMMY_KEY)


@given(data=st.data(), signed=st.sampled_from([V3, V1]))
def test_nothing_but_an_api_error_comes_of_a_broken_call(data: st.DataObject, signed: Signed) -> None:
    request = http("POST", *signed)
    extra = data.draw(st.dictionaries(names, values, max_size=2))
    tail = data.draw(st.lists(parts, min_size=1).map(lambda many: "&x=1&" + "&".join(many)))
    altered = msgspec.structs.replace(request, headers={**request.headers, **extra}, query=request.query + tail)
    with pytest.raises(ApiError):
        pass_through(altered, KEY)
