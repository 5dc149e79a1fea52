"""Whether an answer is what the operation's table says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType

from chatgate.protocol.fields import ENVELOPE, Field, Kind

_TYPES = {Kind.STRING: str, Kind.INTEGER: int, Kind.BOOLEAN: bool, Kind.OBJECT: Mapping, Kind.ARRAY: list}


def misfits(operation: ModuleType, answer: Mapping[str, object]) -> list[str]:
    """Return what an answer has that the table does not know, or knows as something else."""
    return list(_misfits("", (*ENVELOPE, *getattr(operation, "RESPONSE", ())), answer))


def _misfits(path: str, fields: tuple[Field, ...], answer: Mapping[str, object]) -> Iterator[str]:
    known = {field.name: field for field in fields}
    for name, value in answer.items():
        field = known.get(name)
        if field is None:
            yield f"{path}{name} is not declared"
        elif not isinstance(value, _TYPES[field.kind]) or (isinstance(value, bool) != (field.kind is Kind.BOOLEAN)):
            yield f"{path}{name} is no {field.kind}"
        elif isinstance(value, list) and field.of_texts:
            yield from (f"{path}{name}[] is no text" for one in value if not isinstance(one, str))
        elif isinstance(value, Mapping) and not field.fields:
            continue  # it may hold whatever there is
        elif isinstance(value, Mapping):
            yield from _misfits(f"{path}{name}.", field.fields, value)
        elif isinstance(value, list):
            for one in value:
                yield from _misfits(f"{path}{name}[].", field.fields, one)
