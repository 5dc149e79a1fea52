"""SMPP 3.4 on the wire, the centre's side: the frames, the bodies that it reads, and the bodies that it writes.

Section numbers in comments are those of the specification, issue 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

# 5.1.2.1
BIND_RECEIVER = 0x01
BIND_TRANSMITTER = 0x02
SUBMIT_SM = 0x04
DELIVER_SM = 0x05
UNBIND = 0x06
BIND_TRANSCEIVER = 0x09
ENQUIRE_LINK = 0x15
RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000

# 5.1.3
OK = 0x00
BAD_MESSAGE_LENGTH = 0x01
BAD_COMMAND_LENGTH = 0x02
BAD_COMMAND = 0x03
NOT_BOUND = 0x04
ALREADY_BOUND = 0x05
SYSTEM_ERROR = 0x08
BAD_SOURCE = 0x0A
BAD_DESTINATION = 0x0B
BAD_PASSWORD = 0x0E
BAD_SYSTEM_ID = 0x0F
QUEUE_FULL = 0x14
THROTTLED = 0x58
PERMANENT_ERRORS = (0x65, 0x66)
"""What a receiver answers that does not want to see a deliver_sm again."""

# 5.3.2
RECEIPTED_MESSAGE_ID = 0x001E
SC_INTERFACE_VERSION = 0x0210
MESSAGE_PAYLOAD = 0x0424
MESSAGE_STATE = 0x0427

RECEIPT = 0x04
"""esm_class of a deliver_sm that is a receipt (5.2.12)."""
VERSION = 0x34

HEADER = Struct(">IIII")
_TLV = Struct(">HH")


class Malformed(Exception):
    """A body does not hold what it must."""


@dataclass(frozen=True, slots=True)
class Bind:
    """Who wants in (4.1)."""

    system_id: str
    password: str


@dataclass(frozen=True, slots=True)
class Submit:
    """A submit_sm, as far as the centre looks at it (4.4.1)."""

    source_ton: int
    source_npi: int
    source: str
    destination_ton: int
    destination_npi: int
    destination: str
    esm_class: int
    validity_period: str
    registered_delivery: int
    data_coding: int
    data: bytes
    """The short message, or the optional parameter that takes its place."""
    is_payload: bool
    """Whether it is that parameter: then the centre cuts it into parts, and it may be long."""


def frame(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


def read_bind(body: bytes) -> Bind:
    reader = _Reader(body)
    return Bind(reader.text(), reader.text())


def read_submit(body: bytes) -> Submit:
    reader = _Reader(body)
    reader.text()  # service_type
    source_ton, source_npi, source = reader.octet(), reader.octet(), reader.text()
    destination_ton, destination_npi, destination = reader.octet(), reader.octet(), reader.text()
    esm_class = reader.octet()
    reader.octets(2)  # protocol_id, priority_flag
    reader.text()  # schedule_delivery_time
    validity_period = reader.text()
    registered_delivery = reader.octet()
    reader.octet()  # replace_if_present_flag
    data_coding = reader.octet()
    reader.octet()  # sm_default_msg_id
    short_message = reader.octets(reader.octet())
    payload = b"" if short_message else reader.parameters().get(MESSAGE_PAYLOAD, b"")
    return Submit(
        source_ton=source_ton,
        source_npi=source_npi,
        source=source,
        destination_ton=destination_ton,
        destination_npi=destination_npi,
        destination=destination,
        esm_class=esm_class,
        validity_period=validity_period,
        registered_delivery=registered_delivery,
        data_coding=data_coding,
        data=short_message or payload,
        is_payload=bool(payload),
    )


def bind_answer(name: str) -> bytes:
    return c_string(name) + parameter(SC_INTERFACE_VERSION, bytes([VERSION]))


def deliver(*, source: str, destination: str, destination_ton: int, destination_npi: int, text: bytes) -> bytes:
    """Return the body of a receipt (4.6.1); its optional parameters are added to it."""
    return (
        c_string("")
        + bytes([1, 1])
        + c_string(source)
        + bytes([destination_ton, destination_npi])
        + c_string(destination)
        + bytes([RECEIPT, 0, 0, 0, 0, 0, 0, 0, 0, len(text)])
        + text
    )


def c_string(text: str) -> bytes:
    return text.encode("latin-1") + b"\0"


def parameter(tag: int, value: bytes) -> bytes:
    return _TLV.pack(tag, len(value)) + value


class _Reader:
    """Takes one field after the other; ``Malformed`` at the end of the body."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def text(self) -> str:
        end = self._body.find(0, self._at)
        if end < 0:
            raise Malformed
        start, self._at = self._at, end + 1
        return self._body[start:end].decode("latin-1")

    def octet(self) -> int:
        return self.octets(1)[0]

    def octets(self, count: int) -> bytes:
        start, self._at = self._at, self._at + count
        if self._at > len(self._body):
            raise Malformed
        return self._body[start : self._at]

    def parameters(self) -> dict[int, bytes]:
        found = {}
        while self._at < len(self._body):
            tag, length = _TLV.unpack(self.octets(_TLV.size))
            found[tag] = self.octets(length)
        return found
