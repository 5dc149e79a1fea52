"""No address that a customer supplies leads anywhere but to the public Internet (promise P21)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping, Sequence

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from chatgate.callbacks import guard
from chatgate.callbacks.delivery import Delivery
from chatgate.callbacks.guard import ForbiddenAddress
from chatgate.callbacks.names import Names
from tests.callbacks.endpoint import answering, listening

FORBIDDEN = {
    "this network": ["0.0.0.0", "0.1.2.3", "0.255.255.255"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fdff::1"],
    "shared": ["100.64.0.1", "100.127.255.255"],
    "loopback": ["127.0.0.1", "127.1.2.3", "127.255.255.255", "::1"],
    "link-local": ["169.254.0.1", "169.254.255.255", "fe80::1", "fe80::1%lo", "febf::1", "fec0::1", "feff::1"],
    "metadata": [
        "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254",
        "fd20:ce::254",
    ],
    "protocols": ["192.0.0.1", "192.0.0.8", "192.0.0.170", "2001::1", "2001:1ff::1", "2001:20::1", "100::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarking": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "anycast": ["192.88.99.1", "192.31.196.1", "192.52.193.1", "192.175.48.1", "2620:4f:8000::1"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "::", "4000::1", "5f00::1", "8000::1"],
    "IPv4 within IPv6": [
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2002:808:808::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::ffff:7f00:1",
    ],
    "scoped": ["2606:4700::1111%eth0"],
    "no literal": [
        "", "localhost", "127.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "127.0.0.1:80", "[::1]", " 8.8.8.8",
    ],
}  # fmt: skip
"""The IANA special-purpose registries, what is hidden in IPv6, and what is no literal address."""

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
    "198.17.255.255", "198.20.0.0", "223.255.255.255", "168.63.129.15", "2001:200::1", "2003::1", "2606:4700::1111",
    "2a00:1450::1", "3ffe::1", "::ffff:8.8.8.8",
]  # fmt: skip
"""Just beside what is forbidden, and what is not."""

EVERY_FORBIDDEN = [address for addresses in FORBIDDEN.values() for address in addresses]


@pytest.mark.parametrize("address", EVERY_FORBIDDEN)
def test_forbidden(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert guard.is_public(address)


@given(st.ip_addresses())
def test_never_wider_than_the_standard_library(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if guard.is_public(str(address)):
        mapped = getattr(address, "ipv4_mapped", None)
        assert (mapped or address).is_global


@pytest.mark.parametrize(
    ("address", "ours"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("8.8.8.8", False), ("10.0.0.1", False),
        ("0.0.0.0", False), ("::", False), ("localhost", False), ("", False),
    ],
)  # fmt: skip
def test_loopback(address: str, ours: bool) -> None:
    assert guard.is_loopback(address) is ours


# --- where the socket is made ----------------------------------------------------------------------------------------


def address_info(address: str) -> guard.AddressInfo:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80))


@pytest.mark.parametrize("address", EVERY_FORBIDDEN)
def test_no_socket_is_made(address: str) -> None:
    with pytest.raises(ForbiddenAddress):
        guard.socket_factory(guard.is_public)(address_info(address))


def test_no_socket_of_another_family_is_made() -> None:
    with pytest.raises(ForbiddenAddress):
        guard.socket_factory(lambda _: True)((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/x.sock",)))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_socket_is_made(address: str) -> None:
    with guard.socket_factory(guard.is_public)(address_info(address)) as made:
        assert not made.getblocking()


# --- nothing is reached ----------------------------------------------------------------------------------------------


class Book(AbstractResolver):
    """A name server of the test: each time a name is asked, its next answer."""

    def __init__(self, entries: Mapping[str, Sequence[list[str]]], otherwise: list[str] | None = None) -> None:
        self.answers = {name: list(answers) for name, answers in entries.items()}
        self.otherwise = otherwise or ["127.0.0.1"]

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answers = self.answers.get(host, [self.otherwise])
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host, host=address, port=port, proto=0, flags=0,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
            )
            for address in addresses
        ]  # fmt: skip

    async def close(self) -> None: ...


async def post(allows: Callable[[str], bool], names: AbstractResolver, url: str) -> bool:
    delivery = Delivery(allows, within=5, names=names)
    try:
        return (await delivery.post(url, b"[]", {})).heard
    finally:
        await delivery.close()


HOSTS = [
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001",
    "0", "0.0.0.0", "127.127.127.127", "localhost", "LOCALHOST", "localhost.", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fec0::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "⑯⑨.254.169.254", "%31%32%37.0.0.1", "127.0.0.1%00.example.com",
    "inside.example.com", "169.254.169.254", "100.100.100.200", "[fd00:ec2::254]", "user:password@127.0.0.1",
    "example.com@127.0.0.1", "example.com%40127.0.0.1", "example.com\\@127.0.0.1", "example.com\r\nHost: 127.0.0.1",
    "127.0.0.1\t", "\t127.0.0.1",
]  # fmt: skip
URLS = [f"{scheme}://{host}:PORT/" for scheme in ("http", "https", "HTTP") for host in HOSTS] + [
    f"http://127.0.0.1:PORT{separator}@example.com/" for separator in ("\\", "/", "?", "#", "%2f", "%5c", "\t", "\r\n")
]


@pytest.mark.parametrize("url", URLS)
async def test_nothing_here_is_reached(url: str) -> None:
    """However loopback is written, and though every name leads there."""
    async with listening(answering(200)) as four, listening(answering(200), "::1", four.port) as six:
        here = Book({}, ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
        assert not await post(guard.is_public, here, url.replace("PORT", str(four.port)))
        assert (four.connections, six.connections) == (0, 0)


@pytest.mark.parametrize("spelling", ["localhost", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "ip6-localhost"])
async def test_the_systems_resolver_reads_them_too(spelling: str) -> None:
    """Some libraries read these as addresses, some as names. Either way nothing is reached."""
    async with listening(answering(200)) as endpoint:
        assert not await post(guard.is_public, Names(), f"http://{spelling}:{endpoint.port}/")
        assert endpoint.connections == 0


@pytest.mark.parametrize("address", [one for one in EVERY_FORBIDDEN if one not in FORBIDDEN["no literal"]])
async def test_a_name_that_leads_to_what_is_forbidden(address: str) -> None:
    delivery = Delivery(guard.is_public, within=5, names=Book({"inside.example.com": [[address]]}))
    hearing = await delivery.post("http://inside.example.com/", b"[]", {})
    assert (hearing.heard, hearing.reached, hearing.reason) == (False, False, "The address is not allowed.")
    await delivery.close()


async def test_a_name_that_changes_its_mind() -> None:
    """Rebinding: allowed when it is looked up first, forbidden when it is connected to again."""
    async with listening(answering(200)) as outside, listening(answering(200), "127.0.0.2", outside.port) as inside:
        book = Book({"shop.example": [["127.0.0.1"], ["127.0.0.2"]]})
        for heard in (True, False, False):
            url = f"http://shop.example:{outside.port}/"
            assert await post(lambda address: address == "127.0.0.1", book, url) is heard
        assert (outside.connections, inside.connections) == (1, 0)


@pytest.mark.parametrize("addresses", [["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"]])
async def test_a_name_with_two_addresses(addresses: list[str]) -> None:
    """The allowed one is called, the other never, whichever comes first."""
    async with listening(answering(200)) as outside, listening(answering(200), "127.0.0.2", outside.port) as inside:
        book = Book({"shop.example": [addresses]})
        url = f"http://shop.example:{outside.port}/"
        assert await post(lambda address: address == "127.0.0.1", book, url)
        assert (outside.connections, inside.connections) == (1, 0)


# --- URLs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/viber/status",
        "http://shop.example.com",
        "HTTPS://shop.example.com/",
        "https://shop.example.com:8443/a?b=c&d=%20#e",
        "https://münchen.example/ü",
        "https://8.8.8.8/",
        "http://127.0.0.1:8080/",  # where it leads is checked when connecting: the sandbox allows it
        "https://[2606:4700::1111]:443/",
        "https://a.example/" + "x" * (2000 - 18),
    ],
)
def test_a_usable_url(url: str) -> None:
    assert guard.check_url(url) == ""


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begin with https"),
        ("shop.example.com/hook", "begin with https"),
        ("//shop.example.com/hook", "begin with https"),
        ("ftp://shop.example.com/", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("gopher://shop.example.com:25/_HELO", "begin with https"),
        ("javascript:alert(1)", "begin with https"),
        ("https:///hook", "begin with https"),
        ("https://:443/", "begin with https"),
        ("https://user@shop.example.com/", "user name"),
        ("https://user:secret@shop.example.com/", "user name"),
        ("https://@shop.example.com/", "user name"),
        ("https://shop.example.com@127.0.0.1/", "user name"),
        ("http://127.0.0.1\\@shop.example.com/", "user name"),
        ("https://shop.example.com\\.inside/", "backslash"),
        ("https://shop.example.com/a b", "blank"),
        (" https://shop.example.com/", "blank"),
        ("https://shop.example.com/\t", "control"),
        ("https://shop.example.com/\r\nX-Injected: 1", "control"),
        ("https://shop.example.com/\n", "control"),
        ("https://shop.example.com/\x00", "control"),
        ("https://shop.example.com/\x7f", "control"),
        ("https://shop.example.com/\u2028", "control"),
        ("https://shop.example.com/\u00a0", "control"),
        ("https://a.example/" + "x" * (2001 - 18), "longer than 2000"),
        ("https://[::1", "not a URL"),
        ("https://shop.example.com:99999/", "not a URL"),
        ("https://shop.example.com:-1/", "not a URL"),
        ("https://shop.example.com:x/", "not a URL"),
        ("https://shop.example.com:0/", "port 0"),
    ],
)
def test_an_unusable_url(url: str, why: str) -> None:
    assert why in guard.check_url(url)
