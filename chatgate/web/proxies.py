"""Whose word counts for where a call comes from.

``X-Forwarded-For`` and ``X-Forwarded-Proto`` can be written by anybody. They count only when the connection comes from
a proxy that the operator named. Of the addresses in ``X-Forwarded-For`` the right-most that is not itself such a proxy
is the caller: what stands left of it was written by the caller. A header that cannot be read is ignored as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from chatgate.errors import SettingError

_LONGEST = 1024
"""Characters of ``X-Forwarded-For`` that are read; no chain of proxies is longer."""


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The networks whose ``X-Forwarded-*`` headers count; none by default."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> TrustedProxies:
        """Read addresses and networks divided by commas, such as ``127.0.0.1, 10.0.0.0/8``.

        Raises ``SettingError`` for anything else.
        """
        networks = []
        for word in filter(None, (part.strip() for part in text.split(","))):
            try:
                networks.append(ip_network(word))
            except ValueError as error:
                raise SettingError(
                    f"Trusted proxies: {error}. "
                    "Give addresses or networks divided by commas, such as 127.0.0.1, 10.0.0.0/8."
                ) from None
        return cls(tuple(networks))

    def resolve(self, peer: str, headers: Mapping[str, str], secure: bool) -> tuple[str, bool]:
        """Return the address of the caller, and whether it speaks TLS.

        ``peer`` and ``secure`` are of the connection; ``headers`` have lower-case names, and the values of a repeated
        ``X-Forwarded-For`` are joined by commas **in the order in which they came**.
        """
        if not self.networks:
            return peer, secure
        address = _address(peer)
        if address is None or not self._trusts(address):
            return peer, secure
        proto = headers.get("x-forwarded-proto", "").strip().lower()
        if proto in ("http", "https"):
            secure = proto == "https"
        return self._caller(headers.get("x-forwarded-for", "")) or peer, secure

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self.networks)

    def _caller(self, forwarded: str) -> str | None:
        """Return the right-most address that is no proxy, or the left-most of all; None when one cannot be read."""
        if len(forwarded) > _LONGEST:
            return None
        address = None
        for word in reversed(forwarded.split(",")):
            address = _address(word.strip())
            if address is None:
                return None
            if not self._trusts(address):
                break
        return str(address) if address else None


@lru_cache(maxsize=1024)  # behind a proxy the same few addresses come again and again
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read ``1.2.3.4``, ``1.2.3.4:80``, ``2001:db8::1`` or ``[2001:db8::1]:80``; IPv4 in IPv6 becomes IPv4."""
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket or (port and not (port[0] == ":" and port[1:].isdecimal())):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not port.isdecimal():
            return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
