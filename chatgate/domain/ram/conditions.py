"""The conditions of a statement: operators, keys, and what a call is measured by.

Rules:

1. Values of one key: any of them; keys of one operator: all; operators: all.
2. A negated operator (``Not`` in its name) is the opposite of the plain one: none of its values may fit.
3. A call that has no value for a key meets no plain operator (so ``acs:MFAPresent`` of a permanent key is neither true
   nor false) and every negated one.
4. Text is compared exactly, but for ``IgnoreCase``; ``Like`` knows ``*`` and ``?``. Times are compared by the second.

Keys are RAM's global ones and, ours, ``cams:NAME``: the parameter NAME of the call as it was sent.

Follows Alibaba Cloud "RAM: Conditional operators" and "Policy structure and syntax".
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from chatgate.clock import SECOND, Instant
from chatgate.domain.ram import wildcard

PARAMETER = "cams:"
"""Begins the keys that are parameters of the call."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a call is measured by."""

    now: Instant
    source_ip: str = ""
    """Empty: not known."""
    secure: bool = False
    """Whether it came over TLS."""
    mfa: bool | None = None
    """Whether temporary credentials were issued to somebody who proved a second factor; None: a permanent key."""
    params: Mapping[str, str] | None = None
    """Parameters of the call by name; None where there is no call, but somebody asks what would be."""


class Kind(Enum):
    """What a value is compared as."""

    TEXT = "text"
    NUMBER = "a number"
    TIME = "a time such as 2025-03-01T12:00:00Z"
    FLAG = "true or false"
    ADDRESS = "an IP address or a block such as 203.0.113.0/24"


KEYS: dict[str, tuple[Kind, Callable[[Context], Any]]] = {
    "acs:CurrentTime": (Kind.TIME, lambda context: context.now),
    "acs:SecureTransport": (Kind.FLAG, lambda context: context.secure),
    "acs:SourceIp": (Kind.ADDRESS, lambda context: context.source_ip or None),
    "acs:MFAPresent": (Kind.FLAG, lambda context: context.mfa),
}

_EQUALS: Callable[[Any, Any], bool] = operator.eq

# Name ▶ what its values are, how the call's is compared with one of them (call's first), whether it is negated.
OPERATORS: dict[str, tuple[Kind, Callable[[Any, Any], bool], bool]] = {
    "StringEquals": (Kind.TEXT, _EQUALS, False),
    "StringNotEquals": (Kind.TEXT, _EQUALS, True),
    "StringEqualsIgnoreCase": (Kind.TEXT, lambda text, value: text.casefold() == value.casefold(), False),
    "StringNotEqualsIgnoreCase": (Kind.TEXT, lambda text, value: text.casefold() == value.casefold(), True),
    "StringLike": (Kind.TEXT, lambda text, value: value.fullmatch(text) is not None, False),
    "StringNotLike": (Kind.TEXT, lambda text, value: value.fullmatch(text) is not None, True),
    "NumericEquals": (Kind.NUMBER, _EQUALS, False),
    "NumericNotEquals": (Kind.NUMBER, _EQUALS, True),
    "NumericLessThan": (Kind.NUMBER, operator.lt, False),
    "NumericLessThanEquals": (Kind.NUMBER, operator.le, False),
    "NumericGreaterThan": (Kind.NUMBER, operator.gt, False),
    "NumericGreaterThanEquals": (Kind.NUMBER, operator.ge, False),
    "DateEquals": (Kind.TIME, _EQUALS, False),
    "DateNotEquals": (Kind.TIME, _EQUALS, True),
    "DateLessThan": (Kind.TIME, operator.lt, False),
    "DateLessThanEquals": (Kind.TIME, operator.le, False),
    "DateGreaterThan": (Kind.TIME, operator.gt, False),
    "DateGreaterThanEquals": (Kind.TIME, operator.ge, False),
    "Bool": (Kind.FLAG, _EQUALS, False),
    "IpAddress": (Kind.ADDRESS, lambda address, block: address in block, False),
    "NotIpAddress": (Kind.ADDRESS, lambda address, block: address in block, True),
}

_MAPPED = 96
"""Bits of an IPv6 address before the IPv4 address that is mapped into it (RFC 4291, section 2.5.5.2)."""

_number = re.compile(r"-?\d{1,18}(\.\d{1,18})?", re.ASCII)
_time = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)
_parameter = re.compile(r"cams:[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one key."""

    operator: str
    key: str
    texts: tuple[str, ...]
    """Its values as they are written."""
    _values: tuple[Any, ...]

    def holds(self, context: Context) -> bool:
        kind, compare, negated = OPERATORS[self.operator]
        actual = _actual(self.key, kind, context)
        return any(compare(actual, value) for value in self._values) != negated if actual is not None else negated

    def __str__(self) -> str:
        return f"{self.operator} {self.key} {' or '.join(self.texts)}"


def compiled(name: str, key: str, values: Sequence[object]) -> Condition:
    """Return a condition ready to be asked. Raises ValueError: a sentence that says what is wrong."""
    if name not in OPERATORS:
        raise ValueError(f"there is no operator {name!r}; known are {', '.join(OPERATORS)}.")
    kind = OPERATORS[name][0]
    if key not in KEYS and _parameter.fullmatch(key) is None:
        raise ValueError(
            f"there is no key {key!r}; known are {', '.join(KEYS)}, and {PARAMETER}NAME for a parameter of the call."
        )
    own = KEYS[key][0] if key in KEYS else kind if kind is Kind.NUMBER else Kind.TEXT
    if kind not in (own, Kind.TEXT):
        raise ValueError(f"{name} does not fit {key}, which is {own.value}.")
    if not values:
        raise ValueError(f"{name} {key} has no value.")
    texts = tuple(_spelled(value) for value in values)
    like = name in ("StringLike", "StringNotLike")
    read = wildcard.compiled if like else _READERS[kind]
    try:
        return Condition(name, key, texts, tuple(read(text) for text in texts))
    except ValueError:
        raise ValueError(f"a value of {name} {key} is not {kind.value}.") from None


def is_parameter(key: str) -> bool:
    """Whether a key is a parameter of the call."""
    return key.startswith(PARAMETER)


def is_negated(name: str) -> bool:
    """Whether an operator is a negated one; False for one that there is not."""
    return name in OPERATORS and OPERATORS[name][2]


def _actual(key: str, kind: Kind, context: Context) -> Any:
    """Return the call's value of a key as what an operator compares; None when it has none."""
    if key not in KEYS:
        value = (context.params or {}).get(key.removeprefix(PARAMETER))
        if kind is not Kind.NUMBER or value is None:
            return value
        return Decimal(value) if _number.fullmatch(value) else None
    own, read = KEYS[key]
    value = read(context)
    if value is None:
        return None
    if kind is Kind.TEXT:
        return _as_text(own, value)
    if kind is Kind.TIME:
        return value // SECOND
    return _address(value) if kind is Kind.ADDRESS else value


def _as_text(kind: Kind, value: Any) -> str:
    if kind is Kind.TIME:
        return datetime.fromtimestamp(value // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value).lower() if kind is Kind.FLAG else str(value)


def _address(text: str) -> Any:
    """Return the address of a caller; None where it has none that can be read, such as a socket's."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _spelled(value: object) -> str:
    """Return a value of a policy as text; numbers and booleans may stand without quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("the values of a condition are texts, numbers, or true and false.")


def _read_number(text: str) -> Decimal:
    if _number.fullmatch(text) is None:
        raise ValueError
    return Decimal(text)


def _read_time(text: str) -> int:
    if _time.fullmatch(text) is None:
        raise ValueError
    return int(datetime.fromisoformat(text).timestamp())


def _read_block(text: str) -> IPv4Network | IPv6Network:
    """Return a block of addresses. One of IPv4 addresses that is written as IPv6 (``::ffff:10.0.0.0/104``) is that of
    IPv4: so are the callers' addresses."""
    block = ip_network(text, strict=False)
    if isinstance(block, IPv6Network) and block.prefixlen >= _MAPPED and block.network_address.ipv4_mapped is not None:
        return IPv4Network((block.network_address.ipv4_mapped, block.prefixlen - _MAPPED))
    return block


def _read_flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


_READERS: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: str,
    Kind.NUMBER: _read_number,
    Kind.TIME: _read_time,
    Kind.FLAG: _read_flag,
    Kind.ADDRESS: _read_block,
}
