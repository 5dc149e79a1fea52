"""Parameter tables: what an operation takes, declared once. They check input, and metadata is printed from them.

Rule 1: a blank value is "not given"; a parameter that no table names is ignored, as the real service does.
Rule 2: parameters are checked in the order of their table, and the first that is wrong is answered.
Rule 3: a value is text until its row has read it; nothing is guessed, trimmed or rounded.

::

    TABLE = (
        Choice("ChannelType", ("viber",), required=True, wrong=errors.CHANNEL_NOT_SUPPORTED),
        Integer("Ttl", minimum=30, maximum=1_209_600),
    )
    values = params.parse(TABLE, call.params)      # {"ChannelType": "viber", "Ttl": None}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cache
from typing import Any

from chatgate import errors
from chatgate.errors import MISSING, ApiError, ErrorCode
from chatgate.protocol import strict_json

_integer = re.compile(r"-?[0-9]{1,18}")
_MOST_LISTED = 12  # a refusal lists the legal values when they are few


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of a table."""

    name: str
    """As on the wire."""
    _: KW_ONLY
    required: bool = False
    missing: ErrorCode = MISSING
    """Code when it is required and not given."""
    wrong: ErrorCode | None = None
    """Code, with its own message, when the value is not what the row allows. None: ``InvalidParameter.<name>`` and a
    sentence. A text of a wrong length always gets the latter."""
    title: str = ""
    description: str = ""
    example: str = ""

    def read(self, text: str) -> object:
        """Return the value that a text stands for.

        :raises ApiError: the text is not a legal value.
        """
        raise NotImplementedError

    def refuse(self, why: str) -> ApiError:
        """Return the refusal of a wrong value."""
        return errors.invalid(self.name, why) if self.wrong is None else ApiError(self.wrong, param=self.name)


@dataclass(frozen=True, slots=True)
class String(Parameter):
    """A text; read as ``str``. Lengths are in characters; ``pattern`` must match the whole text, ``\\d`` is 0-9."""

    minimum_length: int = 0
    maximum_length: int = 65_536
    pattern: str = ""

    def read(self, text: str) -> str:
        if not self.minimum_length <= len(text) <= self.maximum_length:
            raise self._length(text)
        if "\0" in text:
            raise self.refuse(f"{self.name} must not hold a NUL character.")
        if self.pattern and _compiled(self.pattern).fullmatch(text) is None:
            raise self.refuse(f"{self.name} does not have the form that is expected.")
        return text

    def _length(self, text: str) -> ApiError:
        if len(text) < self.minimum_length:
            return errors.invalid(self.name, f"{self.name} must have at least {self.minimum_length} characters.")
        return errors.invalid(self.name, f"{self.name} must have at most {self.maximum_length} characters.")


@dataclass(frozen=True, slots=True)
class Integer(Parameter):
    """A whole number in ASCII digits, at most 18 of them; read as ``int``."""

    minimum: int = -(10**18)
    maximum: int = 10**18

    def read(self, text: str) -> int:
        if _integer.fullmatch(text) is None:
            raise self.refuse(f"{self.name} must be a whole number.")
        number = int(text)
        if not self.minimum <= number <= self.maximum:
            raise self.refuse(f"{self.name} must be from {self.minimum} to {self.maximum}.")
        return number


@dataclass(frozen=True, slots=True)
class Boolean(Parameter):
    """``true`` or ``false`` in any case (Python's SDK writes ``True``); read as ``bool``."""

    def read(self, text: str) -> bool:
        word = text.lower()
        if word not in ("true", "false"):
            raise self.refuse(f"{self.name} must be true or false.")
        return word == "true"


@dataclass(frozen=True, slots=True)
class Choice(Parameter):
    """One of a set of words, in that spelling; read as ``str``."""

    values: tuple[str, ...] = ()

    def read(self, text: str) -> str:
        if text not in self.values:
            allowed = ", ".join(self.values) if len(self.values) <= _MOST_LISTED else "the documented values"
            raise self.refuse(f"{self.name} must be one of {allowed}.")
        return text


@dataclass(frozen=True, slots=True)
class JsonObject(Parameter):
    """A JSON object as text; read as ``dict``."""

    properties: tuple[Parameter, ...] = ()
    """Rows of its keys, where they are known; ``member`` reads them."""

    def read(self, text: str) -> dict[str, Any]:
        try:
            return strict_json.read_object(text)
        except ValueError as error:
            raise self.refuse(f"{self.name} is not usable. {error}") from None


@dataclass(frozen=True, slots=True)
class JsonArray(Parameter):
    """A JSON array as text; read as ``list``."""

    minimum_items: int = 0
    maximum_items: int = 10_000
    items: tuple[Parameter, ...] = ()
    """Rows of the keys of its objects, where it is one of objects; ``member`` reads them."""

    def read(self, text: str) -> list[Any]:
        try:
            found = strict_json.read_array(text)
        except ValueError as error:
            raise self.refuse(f"{self.name} is not usable. {error}") from None
        if not self.minimum_items <= len(found) <= self.maximum_items:
            raise self.refuse(f"{self.name} must have {self.minimum_items} to {self.maximum_items} entries.")
        if self.items and not all(isinstance(item, dict) for item in found):
            raise self.refuse(f"{self.name} must be an array of objects.")
        return found


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def parse(table: Sequence[Parameter], params: Mapping[str, str]) -> dict[str, Any]:
    """Return a value for every row of the table, None where it is not given.

    :raises ApiError: for the first row whose parameter is missing or wrong.
    """
    return {row.name: value(row, params) for row in table}


def check(table: Sequence[Parameter], params: Mapping[str, str]) -> list[ApiError]:
    """Return everything that is wrong, in the order of the table."""
    found = []
    for row in table:
        try:
            value(row, params)
        except ApiError as error:
            found.append(error)
    return found


def value(row: Parameter, params: Mapping[str, str]) -> Any:
    """Return the value of one row, None where it is not given.

    :raises ApiError: its parameter is missing or wrong.
    """
    text = params.get(row.name)
    return row.read(text) if text else absent(row)


def absent(row: Parameter) -> None:
    """Return if a parameter need not be given.

    :raises ApiError: it must be.
    """
    if row.required:
        raise ApiError(row.missing, param=row.name)


def member(row: Parameter, given: Mapping[str, Any]) -> Any:
    """Return the value of a key inside a JSON object, None where it is not given: absent, null, or empty.

    What is text in a parameter may be a string or a whole number here; an object and an array are themselves.

    :raises ApiError: it is missing or wrong.
    """
    found = given.get(row.name)
    if found is None or found == "" or found == []:
        return absent(row)
    kind = dict if isinstance(row, JsonObject) else list if isinstance(row, JsonArray) else (str, int)
    if not isinstance(found, kind) or isinstance(found, bool):
        raise row.refuse(f"{row.name} is not of the type that is expected.")
    return found if isinstance(found, dict | list) else row.read(str(found))
