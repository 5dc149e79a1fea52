"""What a legal short message is: its text, and who it says it is from.

SMS is where a message falls back to. Whether a call may ask for it by ``ChannelType`` is the operation's to say, and it
says no; so this module has no ``Content`` of its own, only the two rules that a fallback needs. Both answer a sentence
about what is wrong, without the value, and leave it to the caller which error that becomes.
"""

from __future__ import annotations

import re

from chatgate.domain import sms_text

NAME = "sms"

LONGEST = 10
"""Parts that a text may have: 1530 septets, or 670 code units (our choice; a phone may join up to 255)."""

# An alphanumeric address has room for eleven septets (3GPP TS 23.040, 9.1.2.5). It is ASCII here although the GSM
# alphabet has more letters: SMPP gives the address no encoding. Numbers: short codes from 3 digits, E.164 to 15.
_NAME = re.compile(r"(?=.{1,11}\Z)(?=.*[A-Za-z])[0-9A-Za-z]+(?: [0-9A-Za-z]+)*")
_NUMBER = re.compile(r"[0-9]{3,15}")
# Line feed, carriage return and tab are the only control characters that mean anything on a phone.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def text_fault(text: str) -> str | None:
    """Return what is wrong with a text as one sentence; None if it can be sent."""
    if not text or text.isspace():
        return "An SMS needs a text."
    if _UNPRINTABLE.search(text):
        return "The text of an SMS must not hold control characters."
    parts = sms_text.segments(text)
    if parts > LONGEST:
        encoding = sms_text.encoding_of(text)
        most = LONGEST * encoding.together
        unit = "characters of the GSM alphabet" if encoding is sms_text.Encoding.GSM else "UTF-16 code units"
        return f"The text is {parts} short messages long; {LONGEST} is the most (about {most} {unit})."
    return None


def sender_fault(sender: str) -> str | None:
    """Return what is wrong with a sender id as one sentence; None if it can be used."""
    if _NUMBER.fullmatch(sender) or _NAME.fullmatch(sender):
        return None
    return "An SMS sender is 1 to 11 letters, digits and single spaces with at least one letter, or 3 to 15 digits."


def is_number(sender: str) -> bool:
    """Return whether a sender id is a number; otherwise it is a name, and cannot be answered."""
    return sender.isascii() and sender.isdigit()
