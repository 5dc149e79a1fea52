"""A deliver_sm as a receipt: which message it is about, and what became of it (SMPP 3.4, 5.2.12 and appendix B).

Rules:

1. Only esm_class says whether it is a receipt. A text that looks like one comes from a phone, and anybody owns a phone.
2. The optional parameters receipted_message_id and message_state go before the text: they have one spelling.
3. The text is ``id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…``. Centres leave fields out, change
   the case, put commas for spaces or ``=`` for the colon, and write words out. All of that is read.
4. States on the way (enroute, accepted) and ``unknown`` say nothing: no receipt comes of them.
5. The time is ours, when it arrived: a done date has minutes and no time zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import smpp34

from chatgate.clock import Instant
from chatgate.domain.receipt import Receipt, ReceiptStatus
from chatgate.providers.smpp.options import Dialect

MESSAGE_TYPE = 0x3C
"""The bits of esm_class that say what a deliver_sm is."""
RECEIPT = 0x04
UCS2 = 0x08

RECEIPTED_MESSAGE_ID = 0x001E
MESSAGE_PAYLOAD = 0x0424
MESSAGE_STATE = 0x0427

# SMPP 3.4, 5.2.28; as words in appendix B.
STATES: dict[int, str] = {
    1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD",
}  # fmt: skip
STATUSES: dict[str, ReceiptStatus] = {
    "DELIVRD": ReceiptStatus.DELIVERED,
    "EXPIRED": ReceiptStatus.EXPIRED,
    "DELETED": ReceiptStatus.UNDELIVERED,
    "UNDELIV": ReceiptStatus.UNDELIVERED,
    "REJECTD": ReceiptStatus.UNDELIVERED,
}
# Seen written out; "FAILED" is in no specification.
SPELLINGS: dict[str, str] = {
    "DELIVERED": "DELIVRD",
    "UNDELIVERABLE": "UNDELIV",
    "UNDELIVERED": "UNDELIV",
    "FAILED": "UNDELIV",
    "REJECTED": "REJECTD",
}

_OWN_TEXT = re.compile(r"\btext\s*[:=]", re.IGNORECASE)
_FIELD = re.compile(r"\b(id|stat|err)\s*[:=]\s*([!-+\--:<-~]{1,65})", re.IGNORECASE)
"""The value ends at white space, a comma, a semicolon, or what is not ASCII."""
_TOKEN = re.compile(r"[!-~]{1,65}")


def is_receipt(delivered: smpp34.DeliverSm) -> bool:
    """Return whether it is a receipt; otherwise a phone wrote it."""
    return delivered.esm_class & MESSAGE_TYPE == RECEIPT


def read(delivered: smpp34.DeliverSm, *, provider: str, dialect: Dialect, at: Instant) -> Receipt | None:
    """Return what a receipt says; None when it says nothing, or not about what."""
    parameters = {tlv.tag: tlv.value for tlv in delivered.tlvs}
    fields = _fields(parameters.get(MESSAGE_PAYLOAD) or delivered.short_message, delivered.data_coding)
    token = _token(parameters) or fields.get("id", "")
    state = _state(parameters) or fields.get("stat", "").upper()
    state = SPELLINGS.get(state, state)
    status = STATUSES.get(state)
    if status is None or not token:
        return None
    failed = status is not ReceiptStatus.DELIVERED
    error = fields.get("err", "")
    return Receipt(
        provider=provider,
        token=receipt_token(token, dialect),
        status=status,
        at=at,
        service_id=delivered.destination_addr,
        recipient=delivered.source_addr.removeprefix("+"),
        code=state if failed else "",
        reason=f"The SMS centre reports {state}{f' (error {error})' if error else ''}." if failed else "",
    )


def reply_token(message_id: str, dialect: Dialect) -> str:
    """Return the token that a reply's message id stands for."""
    return _number(message_id, {"as_is": 0, "hex_to_decimal": 10, "decimal_to_hex": 16}[dialect], message_id)


def receipt_token(message_id: str, dialect: Dialect) -> str:
    """Return the token that a receipt's message id stands for: that of the reply, whatever the spelling."""
    return _number(message_id, {"as_is": 0, "hex_to_decimal": 16, "decimal_to_hex": 10}[dialect], message_id)


def _number(digits: str, base: int, otherwise: str) -> str:
    """Return a number in its one decimal spelling: leading zeros and case do not matter any more."""
    if not base:
        return otherwise
    try:
        return str(int(digits, base))
    except ValueError:
        return otherwise


def _fields(text: bytes, data_coding: int) -> dict[str, str]:
    decoded = text.decode("utf-16-be" if data_coding == UCS2 else "latin-1", "replace")
    own = _OWN_TEXT.search(decoded)  # what follows is the beginning of the message itself: anything
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(decoded[: own.start()] if own else decoded):
        fields.setdefault(name.lower(), value)
    return fields


def _token(parameters: Mapping[int, bytes]) -> str:
    token = parameters.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1")
    return token if _TOKEN.fullmatch(token) else ""


def _state(parameters: Mapping[int, bytes]) -> str:
    return STATES.get(int.from_bytes(parameters.get(MESSAGE_STATE, b""), "big"), "")
