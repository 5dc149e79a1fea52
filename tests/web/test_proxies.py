from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.errors import SettingError
from chatgate.web.proxies import TrustedProxies

PROXIES = "127.0.0.1, 10.0.0.0/8, 2001:db8:1::/48"
PEER = "10.1.2.3"


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        (PEER, "203.0.113.7", "203.0.113.7"),
        (PEER, "  203.0.113.7  ", "203.0.113.7"),
        (PEER, "203.0.113.7:4711", "203.0.113.7"),
        (PEER, "2001:DB8:2::7", "2001:db8:2::7"),
        (PEER, "[2001:db8:2::7]:4711", "2001:db8:2::7"),
        (PEER, "[2001:db8:2::7]", "2001:db8:2::7"),
        (PEER, "::ffff:203.0.113.7", "203.0.113.7"),
        # The right-most that is no proxy wins; the caller can write what it likes to the left.
        (PEER, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (PEER, "198.51.100.1, 203.0.113.7, 10.9.9.9, 127.0.0.1", "203.0.113.7"),
        (PEER, "rubbish, 203.0.113.7, 10.9.9.9", "203.0.113.7"),
        # A call from one proxy to another.
        (PEER, "10.0.0.1, 10.0.0.2", "10.0.0.1"),
        # Malformed: ignored as a whole.
        (PEER, "", PEER),
        (PEER, "unknown", PEER),
        (PEER, "203.0.113.7, unknown", PEER),
        (PEER, "203.0.113.7,", PEER),
        (PEER, "203.0.113.7:http", PEER),
        (PEER, "[2001:db8:2::7", PEER),
        (PEER, "[2001:db8:2::7]x", PEER),
        (PEER, "203.0.113.007", PEER),
        (PEER, "1.1.1.1, " * 500 + "10.0.0.1", PEER),
        # Written by somebody who is no proxy.
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("11.0.0.1", "198.51.100.1", "11.0.0.1"),
        ("2001:db8:2::1", "198.51.100.1", "2001:db8:2::1"),
        ("", "198.51.100.1", ""),
        ("2001:db8:1::1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
    ],
)
def test_finds_the_caller(peer: str, forwarded: str, caller: str) -> None:
    headers = {"x-forwarded-for": forwarded}
    assert TrustedProxies.parse(PROXIES).resolve(peer, headers, False) == (caller, False)


@pytest.mark.parametrize(
    ("peer", "proto", "secure", "result"),
    [
        (PEER, "https", False, True),
        (PEER, " HTTPS ", False, True),
        (PEER, "http", True, False),
        (PEER, "", True, True),
        (PEER, "ftp", True, True),
        (PEER, "https, http", False, False),
        ("203.0.113.9", "https", False, False),
        ("203.0.113.9", "http", True, True),
    ],
)
def test_finds_whether_the_caller_speaks_tls(peer: str, proto: str, secure: bool, result: bool) -> None:
    headers = {"x-forwarded-proto": proto}
    assert TrustedProxies.parse(PROXIES).resolve(peer, headers, secure) == (peer, result)


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_trusts_nobody_by_default(text: str) -> None:
    headers = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    assert TrustedProxies.parse(text) == TrustedProxies()
    assert TrustedProxies.parse(text).resolve("127.0.0.1", headers, False) == ("127.0.0.1", False)


@pytest.mark.parametrize("text", ["localhost", "10.0.0.1/8", "10.0.0.0/33", "127.0.0.1 10.0.0.1", "*", "1.2.3"])
def test_a_proxy_that_is_no_address_is_a_wrong_setting(text: str) -> None:
    with pytest.raises(SettingError, match=r"^Trusted proxies: .*Give addresses or networks"):
        TrustedProxies.parse(f"127.0.0.1, {text}")


@given(st.text(alphabet="0123456789abcdef.:[],% /xu-", max_size=80), st.text(max_size=20))
def test_never_fails_on_what_others_write(forwarded: str, proto: str) -> None:
    headers = {"x-forwarded-for": forwarded, "x-forwarded-proto": proto}
    caller, _ = TrustedProxies.parse(PROXIES).resolve(PEER, headers, False)
    assert caller
