"""Templates for transactional messages (types 1701 and 1702): text, placeholders, and the rules for their values."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

VALUE_LIMIT = 125
"""Characters of one value (n8n-nodes-viber-bm, ``TEMPLATE_PARAM_MAX``)."""
PIN_LENGTH = range(4, 11)
"""Characters of an OTP (Routee)."""

_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A template as the business portal knows it, for one service."""

    id: str
    language: str
    """The language as a send must name it, for example ``en``."""
    body: str
    """Text with placeholders ``{{name}}``."""
    approved: bool = True
    otp: bool = False
    """Needs a value for ``pin``."""

    def lacks_pin(self, values: object) -> bool:
        """Return whether this is an OTP template that is given no ``pin``."""
        return self.otp and not (isinstance(values, Mapping) and "pin" in values)

    def accepts(self, values: object) -> bool:
        """Return whether every placeholder has a value that may stand there. A value without a placeholder is let pass.

        A missing ``pin`` of an OTP template is not judged here: it has a status of its own.
        """
        if not isinstance(values, Mapping):
            return False
        names = set(_PLACEHOLDER.findall(self.body))
        if self.lacks_pin(values):
            names.discard("pin")
        elif self.otp and len(str(values["pin"])) not in PIN_LENGTH:
            return False
        return all(_is_value(values.get(name)) for name in names)

    def render(self, values: Mapping[str, object]) -> str:
        """Return the text that the phone shows."""
        return _PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), self.body)


def _is_value(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= VALUE_LIMIT and not _ADDRESS.search(value)
