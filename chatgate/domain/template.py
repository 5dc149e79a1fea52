"""Variables of a template, and the text that it becomes.

Rules:

1. A variable is ``$(name)``; a name holds no white space and no parenthesis.
2. Every variable of the body needs a value. Values that the body does not use are ignored.
3. A value goes in as it is. ``$(other)`` inside a value stays those characters.

Source: Alibaba Cloud, "Viber template design". The characters of a name and the blank text are our choice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from chatgate import errors

_VARIABLE = re.compile(r"\$\(([^()\s]+)\)")


def variables(body: str) -> tuple[str, ...]:
    """Return the names of the variables of ``body``, each once, in order of first use."""
    return tuple(dict.fromkeys(_divided(body)[1::2]))


def render(body: str, params: Mapping[str, str], longest: int) -> str:
    """Return ``body`` with every variable replaced by its value.

    Raises ApiError ``InvalidParameter.TemplateParams`` when a variable has no value (the first one is named), or when
    the text is blank or longer than ``longest`` characters.
    """
    pieces = list(_divided(body))
    for place in range(1, len(pieces), 2):
        name = pieces[place]
        if name not in params:
            raise errors.invalid("TemplateParams", f"TemplateParams has no value for the template's variable {name}.")
        pieces[place] = params[name]
    text = "".join(pieces)
    if not text or text.isspace():
        raise errors.invalid("TemplateParams", "With these TemplateParams the text of the template is empty.")
    if len(text) > longest:
        raise errors.invalid(
            "TemplateParams",
            f"With these TemplateParams the text of the template has {len(text)} characters; {longest} is the most.",
        )
    return text


def replaced(text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with its variables replaced; every one must have a value."""
    pieces = list(_divided(text))
    pieces[1::2] = [values[name] for name in pieces[1::2]]
    return "".join(pieces)


@lru_cache(maxsize=1024)  # an account sends a few templates over and over
def _divided(body: str) -> tuple[str, ...]:
    """Return text, name of a variable, text, …, text."""
    return tuple(_VARIABLE.split(body))
