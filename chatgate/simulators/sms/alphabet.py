"""How a phone reads a short message: data coding, the GSM alphabet, and the header that joins parts.

A phone decodes each part by itself: an escape at the end of a part has lost its character, and so has half of a
surrogate pair. What cannot be read shows as U+FFFD.
"""

from __future__ import annotations

from dataclasses import dataclass

UCS2 = 8
BYTES = (3, 4)
"""Latin-1, and octets of no alphabet."""
HAS_HEADER = 0x40
OCTETS = 140
"""Of a short message (3GPP TS 23.040, 9.2.3.24)."""
LOST = "\N{REPLACEMENT CHARACTER}"

# 3GPP TS 23.038, table 6.2.1, sixteen septets a line; the escape (0x1B) has no character of its own.
_ROWS = (
    ("@", "£", "$", "¥", "è", "é", "ù", "ì", "ò", "Ç", "\n", "Ø", "ø", "\r", "Å", "å"),
    ("Δ", "_", "Φ", "Γ", "Λ", "Ω", "Π", "Ψ", "Σ", "Θ", "Ξ", LOST, "Æ", "æ", "ß", "É"),
    (" ", "!", '"', "#", "¤", "%", "&", "'", "(", ")", "*", "+", ",", "-", ".", "/"),
    ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", ":", ";", "<", "=", ">", "?"),
    ("¡", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O"),
    ("P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "Ä", "Ö", "Ñ", "Ü", "§"),
    ("¿", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"),
    ("p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "ä", "ö", "ñ", "ü", "à"),
)
_ESCAPE = 0x1B
# Table 6.2.1.1. A phone that does not know an escaped septet shows the plain one.
_ESCAPED = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """What one part says, and where it belongs."""

    text: str
    reference: int | None = None
    """What the parts of one message have in common; None: it is whole."""
    total: int = 1
    place: int = 1


def read(data: bytes, data_coding: int, esm_class: int) -> Reading:
    """Return what a phone makes of one short message."""
    if not esm_class & HAS_HEADER or not data:
        return Reading(_text(data, data_coding))
    end = 1 + data[0]
    text = _text(data[end:], data_coding)
    for kind, value in _elements(data[1:end]):
        # 3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8: a reference of one octet, or of two.
        if (kind, len(value)) in ((0x00, 3), (0x08, 4)) and 0 < value[-1] <= value[-2]:
            return Reading(text, int.from_bytes(value[:-2], "big"), total=value[-2], place=value[-1])
    return Reading(text)


def fits(data: bytes, data_coding: int, esm_class: int) -> bool:
    """Return whether it fits into the 140 octets that a short message has on the air."""
    if data_coding == UCS2 or data_coding in BYTES:
        return len(data) <= OCTETS
    header = 1 + data[0] if esm_class & HAS_HEADER and data else 0
    return -(-header * 8 // 7) + len(data) - header <= OCTETS * 8 // 7


def _elements(header: bytes) -> list[tuple[int, bytes]]:
    found = []
    while len(header) >= 2:
        end = 2 + header[1]
        found.append((header[0], header[2:end]))
        header = header[end:]
    return found


def _text(data: bytes, data_coding: int) -> str:
    if data_coding == UCS2:
        return data.decode("utf-16-be", "replace")
    return data.decode("latin-1") if data_coding in BYTES else _gsm(data)


def _gsm(septets: bytes) -> str:
    text = []
    escaped = False
    for septet in septets:
        if septet > 0x7F:
            text.append(LOST)
        elif escaped:
            text.append(_ESCAPED.get(septet, _plain(septet)))
        elif septet != _ESCAPE:
            text.append(_plain(septet))
        escaped = septet == _ESCAPE and not escaped
    return "".join([*text, LOST] if escaped else text)


def _plain(septet: int) -> str:
    return _ROWS[septet >> 4][septet & 0x0F]
