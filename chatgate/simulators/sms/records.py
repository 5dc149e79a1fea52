"""What the journal holds, one record a line. Whatever the centre must know after a restart is one of these."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from chatgate.clock import Instant


class State(StrEnum):
    """Where a part stands, in the words of a receipt (SMPP 3.4, appendix B)."""

    ENROUTE = "ENROUTE"
    DELIVRD = "DELIVRD"
    UNDELIV = "UNDELIV"


class Part(msgspec.Struct, kw_only=True):
    """One accepted submit_sm. It changes in place as it proceeds."""

    token: str
    system_id: str
    """Who sent it."""
    sender: str
    sender_ton: int
    sender_npi: int
    number: str
    text: str
    reference: int | None
    total: int
    place: int
    at: Instant
    """When it was accepted. Instants of a part are in the time of its sender."""
    due: Instant | None
    """When its fate is known; None: never."""
    fate: State
    """What it will be then."""
    wants_receipt: bool
    state: State = State.ENROUTE
    done_at: Instant | None = None
    told: bool = False
    """Whether its receipt was acknowledged, or given up."""

    @property
    def settled(self) -> bool:
        """Whether nothing more will come of it."""
        if self.done_at is None:
            return self.due is None
        return self.told or not self.wants_receipt


class _Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="record"):
    pass


class PartAccepted(_Record, frozen=True, tag="accepted"):
    """In a compacted journal the part stands as far as it has come."""

    part: Part


class PartDone(_Record, frozen=True, tag="done"):
    token: str
    at: Instant


class ReceiptSettled(_Record, frozen=True, tag="told"):
    """The receipt was acknowledged or given up; it is not sent again."""

    token: str


class TimeAdvanced(_Record, frozen=True, tag="time"):
    """The time of one sender (``None``: of all) was moved forward."""

    sender: str | None
    milliseconds: int


Record = PartAccepted | PartDone | ReceiptSettled | TimeAdvanced

DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
"""Reads a line of the journal."""
