"""A RAM policy: its text read once into statements that can be asked at every call.

::

    {"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["cams:Send*"], "Resource": "*",
      "Condition": {"IpAddress": {"acs:SourceIp": ["203.0.113.0/24"]}}}]}

Rules:

1. A mistake is refused when the policy is made, with one sentence that names its place; nothing is skipped: an element,
   operator or key that is not understood could have been the one that denies.
2. ``Action`` names what a statement is about, ``NotAction`` what it is not about. ``*`` and ``?`` are wildcards, upper
   and lower case are the same.
3. A resource is ``acs:SERVICE:REGION:ACCOUNT:RELATIVE-ID``; a wildcard stays within its part, case counts.

Follows Alibaba Cloud "RAM: Policy structure and syntax"; conditions are in ``conditions``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chatgate.domain.ram import conditions, wildcard
from chatgate.domain.ram.conditions import Condition, Context
from chatgate.errors import ChatgateError

LONGEST = 6144
"""Characters of a policy. Ours: RAM's own limit has grown over the years (2,048 in 2021)."""

MOST_STATEMENTS = 100
"""Ours; the shortest statements would fill a policy with about as many."""

ELEMENTS = ("Effect", "Action", "NotAction", "Resource", "Condition")

_action = re.compile(r"\*|[A-Za-z0-9*?_-]+:[A-Za-z0-9*?_-]+")

Parts = tuple[str, ...]
"""The five parts of a resource name."""


class MalformedPolicy(ChatgateError):
    """A policy is wrong; the sentence says where and how."""


class Effect(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to do, and how the call came."""

    action: str
    """``cams:SendChatappMessage``"""
    resource: Parts
    context: Context


@dataclass(frozen=True, slots=True)
class Statement:
    number: int
    """Its place in the policy, from 1 on."""
    effect: Effect
    actions: tuple[re.Pattern[str], ...]
    is_not_action: bool
    resources: tuple[tuple[re.Pattern[str], ...], ...]
    """Of each its five parts; none at all for ``*``."""
    conditions: tuple[Condition, ...]

    def is_about(self, request: Request) -> bool:
        """Whether it is about this action on this resource, its conditions aside."""
        named = any(pattern.fullmatch(request.action) for pattern in self.actions)
        return named != self.is_not_action and any(
            all(pattern.fullmatch(part) for pattern, part in zip(own, request.resource, strict=False))
            for own in self.resources
        )

    def unmet(self, context: Context) -> Condition | None:
        """Return the first condition that does not hold."""
        return next((condition for condition in self.conditions if not condition.holds(context)), None)


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of a name, ready to be asked."""

    name: str
    statements: tuple[Statement, ...]


def resource_of(account_id: int) -> Parts:
    """Return what CAMS operations are about: everything of an account (``acs:cams::ACCOUNT:*``)."""
    return ("acs", "cams", "", str(account_id), "*")


def compiled(name: str, text: str) -> Policy:
    """Read a policy. Raises MalformedPolicy."""
    if len(text) > LONGEST:
        raise MalformedPolicy(f"A policy has at most {LONGEST} characters; this one has {len(text)}.")
    document = _object(_json(text), "The policy")
    _only(document, ("Version", "Statement"), "The policy")
    if document.get("Version") != "1":
        raise MalformedPolicy('Version must be "1".')
    listed = document.get("Statement")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_STATEMENTS:
        raise MalformedPolicy(f"Statement must be a list of 1 to {MOST_STATEMENTS} statements.")
    return Policy(name, tuple(_statement(number, one) for number, one in enumerate(listed, start=1)))


def unreadable(name: str) -> Policy:
    """Return what stands for a stored policy that cannot be read: it denies everything, as it may have."""
    text = '{"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
    return compiled(f"{name} (which cannot be read)", text)


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
    except RecursionError:
        raise MalformedPolicy("The policy is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise MalformedPolicy(
            f"The policy is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        ) from None
    except ValueError:  # a number of thousands of digits
        raise MalformedPolicy("The policy is not JSON that can be read: a number is too long.") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = next(name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place]))
        raise MalformedPolicy(f"{twice} is given twice in one object.")
    return members


def _no_constant(name: str) -> None:
    raise MalformedPolicy(f"The policy is not JSON: {name} is no value.")


def _statement(number: int, value: Any) -> Statement:
    where = f"Statement {number}"
    own = _object(value, where)
    _only(own, ELEMENTS, where)
    if own.get("Effect") not in list(Effect):
        raise MalformedPolicy(f"{where}: Effect must be Allow or Deny.")
    if ("Action" in own) == ("NotAction" in own):
        raise MalformedPolicy(f"{where} needs either Action or NotAction.")
    element = "Action" if "Action" in own else "NotAction"
    _check_narrowing(own, where)
    return Statement(
        number=number,
        effect=Effect(own["Effect"]),
        actions=tuple(_action_pattern(text, f"{where}, {element}") for text in _texts(own, element, where)),
        is_not_action=element == "NotAction",
        resources=tuple(_resource_patterns(text, f"{where}, Resource") for text in _texts(own, "Resource", where)),
        conditions=tuple(_conditions(own.get("Condition", {}), f"{where}, Condition")),
    )


def _check_narrowing(own: dict[str, Any], where: str) -> None:
    """Refuse a statement that its caller could switch off, or that could never deny.

    A parameter may be left out, or mean the same in another spelling. So a condition on one may only narrow what is
    allowed (a plain operator in an Allow) or widen what is denied (a negated one in a Deny).
    """
    denies = own["Effect"] == Effect.DENY
    for name, keys in _object(own.get("Condition", {}), f"{where}, Condition").items():
        for key in _object(keys, f"{where}, Condition, {name}"):
            if conditions.is_parameter(key) and conditions.is_negated(name) != denies:
                raise MalformedPolicy(
                    f"{where}, Condition: {name} {key} could be evaded by leaving the parameter out; an Allow needs an"
                    " operator without Not, a Deny one with it."
                )
    for text in _texts(own, "Resource", where) if denies else ():
        parts = _resource_patterns(text, f"{where}, Resource")
        if parts and parts[1].fullmatch("cams") and not (parts[2].fullmatch("") and parts[4].fullmatch("*")):
            raise MalformedPolicy(
                f"{where}, Resource: {text!r} would deny nothing; CAMS has no regions and nothing narrower than"
                " acs:cams:*:ACCOUNT:*."
            )


def _action_pattern(text: str, where: str) -> re.Pattern[str]:
    if _action.fullmatch(text) is None:
        raise MalformedPolicy(f"{where}: {text!r} is not SERVICE:ACTION, such as cams:SendChatappMessage or cams:*.")
    return wildcard.compiled(text, ignore_case=True)


def _resource_patterns(text: str, where: str) -> tuple[re.Pattern[str], ...]:
    if text == "*":
        return ()
    parts = text.split(":", 4)
    if len(parts) != 5 or parts[0] != "acs" or not (parts[1] and parts[4]):
        raise MalformedPolicy(f"{where}: {text!r} is not * or acs:SERVICE:REGION:ACCOUNT:RELATIVE-ID.")
    return tuple(wildcard.compiled(part) for part in parts)


def _conditions(value: Any, where: str) -> Iterator[Condition]:
    for name, keys in _object(value, where).items():
        for key, values in _object(keys, f"{where}, {name}").items():
            try:
                yield conditions.compiled(name, key, values if isinstance(values, list) else [values])
            except ValueError as error:
                raise MalformedPolicy(f"{where}: {error}") from None


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedPolicy(f"{where} must be a JSON object.")
    return value


def _only(own: dict[str, Any], known: Sequence[str], where: str) -> None:
    for name in own:
        if name not in known:
            raise MalformedPolicy(f"{where} has no element {name!r}; known are {', '.join(known)}.")


def _texts(own: dict[str, Any], element: str, where: str) -> list[str]:
    value = own.get(element)
    listed: list[Any] = value if isinstance(value, list) else [value]
    if not listed or not all(isinstance(text, str) and text for text in listed):
        raise MalformedPolicy(f"{where}: {element} must be a text or a list of texts.")
    return listed
