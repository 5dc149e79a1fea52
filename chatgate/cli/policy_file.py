"""A RAM policy as a file that a command is given."""

from __future__ import annotations

from typing import IO

from chatgate.domain.ram.policy import LONGEST, MalformedPolicy


def text_of(file: IO[bytes]) -> str:
    """Return the text of a policy's file. Raises MalformedPolicy where it is none."""
    try:
        return file.read(4 * LONGEST + 1).decode()  # a character has at most four bytes
    except UnicodeDecodeError:
        raise MalformedPolicy("The policy is not UTF-8.") from None
