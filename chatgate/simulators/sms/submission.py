"""What the centre makes of a submit_sm: the status of its answer, and the part that it accepts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from chatgate.clock import Instant
from chatgate.simulators.sms import alphabet, pdus
from chatgate.simulators.sms.pdus import Submit
from chatgate.simulators.sms.profiles import Profile, profile_of
from chatgate.simulators.sms.records import Part, State

SHORTEST_NUMBER, LONGEST_NUMBER = 3, 20

RECEIPT_BITS = 0x03
ALWAYS, ON_FAILURE = 1, 2
"""registered_delivery (SMPP 3.4, 5.2.17)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things take, in milliseconds."""

    delivery: tuple[int, int] = (300, 1000)
    """From acceptance to what the phone makes of it."""
    retry: int = 5000
    """Until a receipt that was answered with an error, or not at all, is delivered again."""
    reply: int = 10_000
    """How long the other side may take to acknowledge a receipt."""


def status_of(submit: Submit, already_throttled: set[str]) -> int:
    """Return how the answer is to begin; adds the number to ``already_throttled`` when it is throttled now."""
    if not submit.source:
        return pdus.BAD_SOURCE
    number = submit.destination
    if not (number.isdigit() and number.isascii() and SHORTEST_NUMBER <= len(number) <= LONGEST_NUMBER):
        return pdus.BAD_DESTINATION
    if not submit.is_payload and not alphabet.fits(submit.data, submit.data_coding, submit.esm_class):
        return pdus.BAD_MESSAGE_LENGTH
    profile = profile_of(number)
    if profile is Profile.REFUSED:
        return pdus.BAD_DESTINATION
    if profile is Profile.THROTTLED_ONCE and number not in already_throttled:
        already_throttled.add(number)
        return pdus.THROTTLED
    return pdus.OK


def accept(submit: Submit, *, token: str, system_id: str, at: Instant, timing: Timing, random: Random) -> Part:
    """Return the part that a submit_sm with status OK becomes."""
    profile = profile_of(submit.destination)
    fate = State.UNDELIV if profile is Profile.UNDELIVERABLE else State.DELIVRD
    asked = submit.registered_delivery & RECEIPT_BITS
    reading = alphabet.read(submit.data, submit.data_coding, submit.esm_class)
    return Part(
        token=token,
        system_id=system_id,
        sender=submit.source,
        sender_ton=submit.source_ton,
        sender_npi=submit.source_npi,
        number=submit.destination,
        text=reading.text,
        reference=reading.reference,
        total=reading.total,
        place=reading.place,
        at=at,
        due=None if profile is Profile.SILENT else at + random.randint(*timing.delivery),
        fate=fate,
        wants_receipt=asked == ALWAYS or (asked == ON_FAILURE and fate is State.UNDELIV),
    )
