"""The guard for every address that a customer supplies: no connection to anything but the public Internet.

The check sits where the socket is made, on the very address that is connected to. So it holds whatever way the address
was written (decimal, octal, mapped into IPv6), whatever the name resolved to the second time, and wherever a redirect
would have led (none is followed).

Allowed are global IPv4 addresses outside ``DENIED`` and IPv6 addresses of 2000::/3 outside it: an allow-list, because
the standard library's own notion of global lets NAT64, 6to4, site-local and others through.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from chatgate.errors import ChatgateError

# IANA special-purpose address registries (RFC 6890 and updates), and where Azure answers its virtual machines
# (168.63.129.16); the other clouds' metadata addresses are special-purpose ones.
DENIED = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # IETF protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
PUBLIC_IPV6 = ip_network("2000::/3")

LONGEST_URL = 2000

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


class ForbiddenAddress(ChatgateError, OSError):
    """A customer's address leads somewhere that chatgate does not connect to."""


def is_public(text: str) -> bool:
    """Whether a literal address belongs to the public Internet. A scoped or malformed one does not."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, IPv6Address) and (address not in PUBLIC_IPV6 or address.scope_id):
        return False
    return not any(address in network for network in DENIED if network.version == address.version)


def is_loopback(text: str) -> bool:
    """Whether a literal address is this machine's own. The sandbox allows it too, for customers under development."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    return address.is_loopback


def socket_factory(allows: Callable[[str], bool]) -> Callable[[AddressInfo], socket.socket]:
    """Return what makes the sockets of an HTTP client: it refuses an address before anything is sent to it."""

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if family not in (socket.AF_INET, socket.AF_INET6) or not allows(str(address[0])):
            raise ForbiddenAddress("the address is not allowed")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return make


def check_url(url: str) -> str:
    """Return why a callback URL cannot be used, "" when it can. Where it leads is checked when connecting.

    Plain http is allowed, as Alibaba allows it ("HTTP + JSON").
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "it must begin with https:// (or http://) and name a host"
    if parts.username is not None or parts.password is not None:
        return "it must not hold a user name or password"
    if not url.isprintable() or " " in url or "\\" in url or len(url) > LONGEST_URL:
        return f"it holds a blank, a control character or a backslash, or is longer than {LONGEST_URL} characters"
    if port == 0:
        return "port 0 does not exist"
    return ""
