"""Parameters flattened by generic RPC clients (``Foo.1``, ``Foo.Key``, ``Foo.1.Key``), folded to JSON under ``Foo``.

No operation declares such a parameter, but ``CommonRequest`` callers and pop-core write lists so. The JSON text is what
the official models send for the same list, so an operation needs to know one form only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from chatgate.errors import AMBIGUOUS, BAD_REQUEST, ApiError
from chatgate.protocol.strict_json import MAX_DEPTH

_Tree = dict[str, "str | _Tree"]
_index = re.compile(r"0|[1-9][0-9]{0,5}")


def unflatten(params: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters with every flattened group folded to JSON text under its first segment.

    A group whose keys are all numbers becomes a list in the order of the numbers, any other an object. A name that is
    also given whole is left alone, and so is one with an empty segment (``a..b``).

    :raises ApiError: ``BAD_REQUEST`` deeper than 32 segments; ``AMBIGUOUS`` where one name is a value and a group.
    """
    plain: dict[str, str] = {}
    groups: _Tree = {}
    for name, value in params.items():
        segments = name.split(".")
        if len(segments) == 1 or "" in segments or segments[0] in params:
            plain[name] = value
        elif len(segments) > MAX_DEPTH:
            raise ApiError(BAD_REQUEST, f"A parameter name has more than {MAX_DEPTH} segments.")
        else:
            _plant(groups, segments, value, name)
    return plain | {name: msgspec.json.encode(_fold(group)).decode() for name, group in groups.items()}


def _plant(tree: _Tree, segments: list[str], value: str, name: str) -> None:
    for segment in segments[:-1]:
        branch = tree.setdefault(segment, {})
        if isinstance(branch, str):
            raise ApiError(AMBIGUOUS, param=name)
        tree = branch
    if segments[-1] in tree:
        raise ApiError(AMBIGUOUS, param=name)
    tree[segments[-1]] = value


def _fold(node: str | _Tree) -> object:
    if isinstance(node, str):
        return node
    if all(_index.fullmatch(key) for key in node):
        return [_fold(node[key]) for key in sorted(node, key=int)]
    return {key: _fold(child) for key, child in node.items()}
