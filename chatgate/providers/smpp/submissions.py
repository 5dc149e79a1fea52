"""A message as the bodies of its submit_sm, one a part (SMPP 3.4, 4.4).

What is left of the time to live goes along as a relative validity period: the centre must not try for longer.
"""

from __future__ import annotations

from zlib import crc32

import smpp34

from chatgate.channels.sms import is_number
from chatgate.clock import DAY, HOUR, MINUTE, SECOND, Instant
from chatgate.domain import sms_text
from chatgate.domain.message import Message
from chatgate.domain.sms_text import Encoding
from chatgate.providers.smpp.options import Options

# SMPP 3.4, 5.2.5, 5.2.6 (type of number, numbering plan), 5.2.12 (esm_class), 5.2.17 (receipt), 5.2.19 (data coding).
NAME_TON, NAME_NPI = 5, 0
NUMBER_TON, NUMBER_NPI = 1, 1
HAS_HEADER = 0x40
WANTS_RECEIPT = 0x01
UCS2 = 0x08
LONGEST_SENDER = 20

_FRAME_HEADER = 16


def submissions(message: Message, now: Instant, options: Options) -> list[bytes]:
    """Return the bodies in the order in which they must be sent.

    ValueError when the text is too long or the sender is no address; channel rules keep both away.
    """
    draft = message.draft
    text = draft.content.text or ""
    gsm = sms_text.encoding_of(text) is Encoding.GSM
    parts = sms_text.split(text)
    if not 0 < len(draft.sender) <= LONGEST_SENDER or not draft.sender.isascii() or not draft.sender.isprintable():
        raise ValueError("the sender is no SMPP address")
    number = is_number(draft.sender)
    bodies = []
    for place, part in enumerate(parts, 1):
        header = _header(message.id, len(parts), place) if len(parts) > 1 else b""
        submit = smpp34.SubmitSm(
            draft.sender,
            draft.recipient,
            header + part.data,
            source_addr_ton=_given(options.source_ton, NUMBER_TON if number else NAME_TON),
            source_addr_npi=_given(options.source_npi, NUMBER_NPI if number else NAME_NPI),
            dest_addr_ton=options.destination_ton,
            dest_addr_npi=options.destination_npi,
            esm_class=HAS_HEADER if header else 0,
            validity_period=validity_period(message.expires_at - now),
            registered_delivery=WANTS_RECEIPT if place == len(parts) else 0,
            data_coding=options.data_coding if gsm else UCS2,
        )
        bodies.append(submit.encode()[_FRAME_HEADER:])
    return bodies


def validity_period(milliseconds: int) -> str:
    """Return a time span in relative format (SMPP 3.4, 7.1.1): whole seconds, at least one, at most 99 days."""
    left = min(max(milliseconds, SECOND), 100 * DAY - SECOND)
    days, left = divmod(left, DAY)
    hours, left = divmod(left, HOUR)
    minutes, left = divmod(left, MINUTE)
    return f"0000{days:02}{hours:02}{minutes:02}{left // SECOND:02}000R"


def _header(message_id: int, total: int, place: int) -> bytes:
    """Return the concatenation header (3GPP TS 23.040, 9.2.3.24.1).

    The reference follows from the message, so that a part sent twice joins its own message.
    """
    reference = crc32(message_id.to_bytes(8, "big")) & 0xFF
    return bytes([5, 0, 3, reference, total, place])


def _given(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value
