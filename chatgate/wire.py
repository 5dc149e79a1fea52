"""HTTP as plain values: what came in, what goes out. No framework, no I/O.

Shared by the edge (``web``), the API wire (``protocol``), the providers and the receipts, so that each of them can be
tested with literals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, incoming or outgoing."""

    method: str
    path: str
    """Decoded path of an incoming request; full URL of an outgoing one."""
    query: str = ""
    """Raw query string, without ``?``, still percent-encoded."""
    headers: Mapping[str, str] = {}
    """Lower-case name to value. A header sent more than once is joined as ``join_headers`` says."""
    body: bytes = b""
    peer: str = ""
    """Address of the caller (after ``trusted_proxies``); empty for an outgoing request."""
    secure: bool = False
    """True when the call came over TLS (after ``trusted_proxies``)."""


class HttpResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP response, given or received."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


def join_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Turn raw header pairs (names already lower-case) into a mapping.

    Values of a repeated name are trimmed, sorted and joined by ``,``, which is how the ACS3 canonical form wants them.
    A repeated single-valued header (two ``Authorization``) thus becomes a value that no parser accepts. The order of
    ``X-Forwarded-For`` is what it says, so that one is not sorted.
    """
    headers: dict[str, str] = {}
    repeated: dict[str, list[str]] | None = None
    for raw_name, raw_value in pairs:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1").strip()
        if name in headers:
            repeated = repeated if repeated is not None else {}
            repeated.setdefault(name, [headers[name]]).append(value)
        else:
            headers[name] = value
    for name, values in (repeated or {}).items():
        headers[name] = ",".join(values if name == "x-forwarded-for" else sorted(values))
    return headers
