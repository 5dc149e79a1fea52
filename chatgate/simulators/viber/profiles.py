"""Recipients whose behaviour is written in the last two digits of their number. A script of its own goes first.

The digits 01 to 12 and 30 to 45 follow a public emulator of the partner API; 46 to 60 and 71 to 74 are our own.
"""

from __future__ import annotations

from chatgate.simulators.viber.scripts import Do, Fault, Script, Step, Wait
from chatgate.simulators.viber.statuses import Status

DELIVERED = Step(Do.DELIVERED)
SEEN = Step(Do.SEEN, Wait.SEEN)
EXPIRED = Step(Do.EXPIRED, Wait.TTL)
AGAIN = "300ms"
"""What a second device of the same user is late by."""

ORDINARY = Script(steps=(DELIVERED,))


def _refused(status: Status) -> Script:
    return Script(answers=(status.value,))


PROFILES: dict[str, Script] = {
    "01": Script(steps=(DELIVERED, SEEN)),
    "02": Script(steps=(SEEN,)),
    "03": Script(steps=(EXPIRED,)),
    "04": Script(steps=(EXPIRED, DELIVERED)),
    "05": Script(steps=(EXPIRED, SEEN)),
    "07": Script(steps=(DELIVERED, EXPIRED)),
    "08": Script(steps=(DELIVERED, Step(Do.SUBSCRIBED, Wait.SEEN))),
    "09": Script(steps=(DELIVERED, Step(Do.UNSUBSCRIBED, Wait.SEEN))),
    "10": Script(steps=(DELIVERED, Step(Do.DELIVERED, AGAIN), SEEN, Step(Do.SEEN, AGAIN))),
    "11": ORDINARY,  # read receipts are off
    "12": Script(),
    "30": _refused(Status.INTERNAL_FAILURE),
    "32": _refused(Status.BAD_SERVICE_ID),
    "33": _refused(Status.BLOCKED_MESSAGE_TYPE),
    "34": _refused(Status.BAD_MESSAGE_TYPE),
    "35": _refused(Status.BAD_PARAMETERS),
    "36": _refused(Status.TIMEOUT),
    "37": _refused(Status.USER_BLOCKED),
    "38": _refused(Status.NOT_VIBER_USER),
    "39": _refused(Status.NO_SUITABLE_DEVICE),
    "40": _refused(Status.UNAUTHORIZED_IP),
    "41": _refused(Status.NOT_PERMITTED),
    "42": _refused(Status.BILLING_FAILURE),
    "43": _refused(Status.BAD_LABEL),
    "44": _refused(Status.INVALID_TTL),
    "45": _refused(Status.WAIT_FOR_USER_RESPONSE),
    "46": _refused(Status.INVALID_PHONE_NUMBER),
    "47": _refused(Status.SERVICE_BLOCKED),
    "48": _refused(Status.UNAUTHORIZED_IP_V11),
    "50": Script(answers=(Status.INTERNAL_FAILURE.value, 0), steps=(DELIVERED,)),
    "51": Script(answers=(Fault.UNAVAILABLE,)),
    "52": Script(answers=(Fault.RESET,), steps=(DELIVERED,)),
    "53": Script(answers=(Fault.HANG,), steps=(DELIVERED,)),
    "60": Script(steps=(DELIVERED, SEEN, Step(Do.REPLY, Wait.REPLY, "Hello"))),
    # What these four do is acted out by the simulated SMS centre.
    "71": _refused(Status.NOT_VIBER_USER),
    "72": _refused(Status.NOT_VIBER_USER),
    "73": _refused(Status.NOT_VIBER_USER),
    "74": _refused(Status.NOT_VIBER_USER),
}


def profile_of(number: str) -> Script:
    """Return what the number's last two digits say; every other number gets the message and says so."""
    return PROFILES.get(number[-2:], ORDINARY)
