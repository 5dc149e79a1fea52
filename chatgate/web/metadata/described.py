"""An operation as metadata shows it: read off its module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType

from chatgate.protocol.fields import ENVELOPE, Field
from chatgate.protocol.params import Parameter


@dataclass(frozen=True, slots=True)
class Described:
    name: str
    summary: str
    """The first paragraph of the module's docstring, as Markdown."""
    parameters: tuple[Parameter, ...]
    response: tuple[Field, ...]
    """The envelope, then its own."""
    calls_per_second: int | None
    """Its own limit."""

    @property
    def description(self) -> str:
        limit = self.calls_per_second
        return self.summary if limit is None else f"{self.summary} At most {limit} calls a second."


def described(operations: Mapping[str, ModuleType]) -> list[Described]:
    """Return what there is to tell of operations, by name."""
    return [_described(name, module) for name, module in sorted(operations.items())]


def _described(name: str, module: ModuleType) -> Described:
    first = " ".join((module.__doc__ or name).split("\n\n")[0].split()).removeprefix(f"{name}: ").replace("``", "`")
    return Described(
        name=name,
        summary=first[:1].upper() + first[1:],
        parameters=tuple(module.PARAMETERS),
        response=ENVELOPE + tuple(getattr(module, "RESPONSE", ())),
        calls_per_second=getattr(module, "CALLS_PER_SECOND", None),
    )
