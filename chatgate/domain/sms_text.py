"""How a text becomes short messages: its encoding, its length on the air, and where it is cut.

Rules:

1. A text that the GSM alphabet can write goes in it, one septet a character, two for those of the extension table. Any
   other text goes in UCS2 as a whole: all parts of a text have one encoding.
2. One part holds 160 septets or 70 code units. In a longer text every part gives up six octets to a header: 153 or 67.
3. A cut never separates an escape from its character, the two halves of a surrogate pair, CR from LF (our choice), or a
   character from the variation selector that follows it (our choice: an emoji would change its looks).

Sources: 3GPP TS 23.038 (alphabet, 6.2.1 and 6.2.1.1), 3GPP TS 23.040 (concatenation, 9.2.3.24.1). GSM text is written
one septet an octet, as SMPP carries it; packing seven bits into eight is the centre's work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

MOST_PARTS = 255
"""The header counts parts in one octet."""

# 3GPP TS 23.038, table 6.2.1: the place in the string is the septet. 0x1B, the escape, stands for no character.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038, table 6.2.1.1.
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}  # fmt: skip
_ESCAPE = 0x1B
_SEPTETS = {ord(character): chr(septet) for septet, character in enumerate(_BASIC) if septet != _ESCAPE} | {
    ord(character): chr(_ESCAPE) + chr(septet) for character, septet in _EXTENSION.items()
}
_GSM_TEXT = re.compile(f"[{re.escape(''.join(map(chr, _SEPTETS)))}]*")
_ATOM = re.compile("\r\n|.[\ufe00-\ufe0f\U000e0100-\U000e01ef]?", re.DOTALL)
"""What a cut does not separate. Never more than four code units."""


class Encoding(StrEnum):
    """How the characters of a short message are written."""

    GSM = "gsm"
    """The GSM 7 bit default alphabet with its extension table; the unit of length is the septet."""
    UCS2 = "ucs2"
    """UTF-16, big-endian; the unit of length is the code unit, two octets."""

    @property
    def alone(self) -> int:
        """Units that a text in one part can have."""
        return 160 if self is Encoding.GSM else 70

    @property
    def together(self) -> int:
        """Units of each part of a longer text."""
        return 153 if self is Encoding.GSM else 67


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a text."""

    text: str
    data: bytes
    """The part as it is sent: one septet an octet, or UTF-16 big-endian."""


def encoding_of(text: str) -> Encoding:
    """Return the encoding that a text needs."""
    return Encoding.GSM if _GSM_TEXT.fullmatch(text) else Encoding.UCS2


def septets(text: str) -> bytes:
    """Return a GSM text as septets, one an octet; ValueError if a character is not in the alphabet."""
    if encoding_of(text) is not Encoding.GSM:
        raise ValueError("the text is not GSM")
    return text.translate(_SEPTETS).encode("latin-1")


def segments(text: str) -> int:
    """Return how many short messages a text is; what it costs. An empty text is one. Knows no limit."""
    return len(_cut(text, encoding_of(text)))


def split(text: str) -> list[Segment]:
    """Cut a text into its parts, in order.

    ValueError when it is more than 255 parts, or holds half of a surrogate pair (which no encoding can write).
    """
    encoding = encoding_of(text)
    parts = _cut(text, encoding)
    if len(parts) > MOST_PARTS:
        raise ValueError(f"the text is {len(parts)} parts long; {MOST_PARTS} is the most")
    return [Segment(part, _encode(part, encoding)) for part in parts]


def _encode(text: str, encoding: Encoding) -> bytes:
    return septets(text) if encoding is Encoding.GSM else text.encode("utf-16-be")


def _cut(text: str, encoding: Encoding) -> list[str]:
    """Fill one part after the other."""
    if _length(text, encoding) <= encoding.alone:
        return [text]
    parts: list[str] = []
    start = end = used = 0
    for atom in _ATOM.finditer(text):
        units = _length(atom[0], encoding)
        if used + units > encoding.together:
            parts.append(text[start:end])
            start, used = end, 0
        end = atom.end()
        used += units
    return [*parts, text[start:]]


def _length(text: str, encoding: Encoding) -> int:
    """Return the septets or code units of a text."""
    if encoding is Encoding.GSM:
        return len(text) + sum(map(text.count, _EXTENSION))
    return len(text) + sum(character > "\uffff" for character in text)
