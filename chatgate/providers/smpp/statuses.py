"""What a ``command_status`` means: its name, and what becomes of the message.

A reply with an error says that the centre did not take the message. So no status is ``unknown``; only a reply that does
not come is.
"""

from __future__ import annotations

from chatgate.domain.message import Outcome

OK = 0x00
SYSTEM_ERROR = 0x08
QUEUE_FULL = 0x14
PERMANENT_ERROR = 0x65
"""ESME_RX_P_APPN: a receiver's word that sending this again changes nothing."""

# SMPP 3.4, 5.1.3. What only other operations answer is not here.
STATUSES: dict[int, tuple[str, Outcome]] = {
    OK: ("ESME_ROK", Outcome.SENT),
    0x01: ("ESME_RINVMSGLEN", Outcome.REFUSED),
    0x02: ("ESME_RINVCMDLEN", Outcome.REFUSED),
    0x03: ("ESME_RINVCMDID", Outcome.REFUSED),
    0x04: ("ESME_RINVBNDSTS", Outcome.DEFERRED),
    0x05: ("ESME_RALYBND", Outcome.DEFERRED),
    0x06: ("ESME_RINVPRTFLG", Outcome.REFUSED),
    0x07: ("ESME_RINVREGDLVFLG", Outcome.REFUSED),
    SYSTEM_ERROR: ("ESME_RSYSERR", Outcome.DEFERRED),
    0x0A: ("ESME_RINVSRCADR", Outcome.REFUSED),
    0x0B: ("ESME_RINVDSTADR", Outcome.REFUSED),
    0x0C: ("ESME_RINVMSGID", Outcome.REFUSED),
    0x0D: ("ESME_RBINDFAIL", Outcome.DEFERRED),
    0x0E: ("ESME_RINVPASWD", Outcome.DEFERRED),
    0x0F: ("ESME_RINVSYSID", Outcome.DEFERRED),
    QUEUE_FULL: ("ESME_RMSGQFUL", Outcome.THROTTLED),
    0x15: ("ESME_RINVSERTYP", Outcome.REFUSED),
    0x33: ("ESME_RINVNUMDESTS", Outcome.REFUSED),
    0x40: ("ESME_RINVDESTFLAG", Outcome.REFUSED),
    0x42: ("ESME_RINVSUBREP", Outcome.REFUSED),
    0x43: ("ESME_RINVESMCLASS", Outcome.REFUSED),
    0x44: ("ESME_RCNTSUBDL", Outcome.REFUSED),
    0x45: ("ESME_RSUBMITFAIL", Outcome.REFUSED),
    0x48: ("ESME_RINVSRCTON", Outcome.REFUSED),
    0x49: ("ESME_RINVSRCNPI", Outcome.REFUSED),
    0x50: ("ESME_RINVDSTTON", Outcome.REFUSED),
    0x51: ("ESME_RINVDSTNPI", Outcome.REFUSED),
    0x53: ("ESME_RINVSYSTYP", Outcome.REFUSED),
    0x54: ("ESME_RINVREPFLAG", Outcome.REFUSED),
    0x55: ("ESME_RINVNUMMSGS", Outcome.REFUSED),
    0x58: ("ESME_RTHROTTLED", Outcome.THROTTLED),
    0x61: ("ESME_RINVSCHED", Outcome.REFUSED),
    0x62: ("ESME_RINVEXPIRY", Outcome.REFUSED),
    0x63: ("ESME_RINVDFTMSGID", Outcome.REFUSED),
    0x64: ("ESME_RX_T_APPN", Outcome.DEFERRED),
    PERMANENT_ERROR: ("ESME_RX_P_APPN", Outcome.REFUSED),
    0x66: ("ESME_RX_R_APPN", Outcome.REFUSED),
    0xC0: ("ESME_RINVOPTPARSTREAM", Outcome.REFUSED),
    0xC1: ("ESME_ROPTPARNOTALLWD", Outcome.REFUSED),
    0xC2: ("ESME_RINVPARLEN", Outcome.REFUSED),
    0xC3: ("ESME_RMISSINGOPTPARAM", Outcome.REFUSED),
    0xC4: ("ESME_RINVOPTPARAMVAL", Outcome.REFUSED),
    0xFE: ("ESME_RDELIVERYFAILURE", Outcome.REFUSED),
    0xFF: ("ESME_RUNKNOWNERR", Outcome.DEFERRED),
}


def meaning(status: int) -> tuple[str, Outcome]:
    """Return name and outcome. What the list does not know (0x400 to 0x4FF are each centre's own) is refused."""
    return STATUSES.get(status, (f"ESME_0x{status:08X}", Outcome.REFUSED))
