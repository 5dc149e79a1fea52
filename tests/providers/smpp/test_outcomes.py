"""What becomes of a message, part by part."""

from __future__ import annotations

import pytest

from chatgate.domain.message import Outcome
from chatgate.providers.smpp import statuses
from tests.providers.short_message import NOW, short_message
from tests.providers.smpp.bound import bound, provider
from tests.providers.smpp.raw_centre import SUBMIT, Do, Line, Pdu, RawCentre, accept, refuse

LONG = "a" * 400
"""Three parts."""


def from_part(number: int, do: Do) -> Do:
    """Accept the parts before one, and do something else with it and what follows."""
    return lambda line, pdu: do(line, pdu) if _place(pdu) >= number else accept(line, pdu)


def _place(pdu: Pdu) -> int:
    at = pdu.body.index(b"\5\0\3")
    return pdu.body[at + 5]


def hang_up(line: Line, pdu: Pdu) -> None:
    line.cut()


@pytest.mark.parametrize(
    ("status", "name", "outcome"),
    [
        (0x01, "ESME_RINVMSGLEN", "refused"),
        (0x08, "ESME_RSYSERR", "deferred"),
        (0x0A, "ESME_RINVSRCADR", "refused"),
        (0x0B, "ESME_RINVDSTADR", "refused"),
        (0x14, "ESME_RMSGQFUL", "throttled"),
        (0x45, "ESME_RSUBMITFAIL", "refused"),
        (0x58, "ESME_RTHROTTLED", "throttled"),
        (0x61, "ESME_RINVSCHED", "refused"),
        (0x64, "ESME_RX_T_APPN", "deferred"),
        (0xFF, "ESME_RUNKNOWNERR", "deferred"),
        (0x0423, "ESME_0x00000423", "refused"),
    ],
)
async def test_a_status_is_an_outcome(status: int, name: str, outcome: str) -> None:
    async with RawCentre() as centre, bound(centre.port) as opened:
        centre.on[SUBMIT] = refuse(status)
        result = await opened.send(short_message(), NOW)
        assert (result.outcome, result.code, result.token) == (outcome, name, None)


async def test_a_message_that_was_nacked_was_not_taken() -> None:
    async with RawCentre() as centre, bound(centre.port) as opened:
        centre.on[SUBMIT] = lambda line, pdu: line.write(0x80000000, 3, pdu.sequence)
        result = await opened.send(short_message(), NOW)
        assert (result.outcome, result.code) == (Outcome.REFUSED, "ESME_RINVCMDID")


async def test_the_token_is_that_of_the_last_part() -> None:
    async with RawCentre() as centre, bound(centre.port) as opened:
        result = await opened.send(short_message(LONG), NOW)
        assert result.outcome is Outcome.SENT
        assert result.token == f"id{centre.all(SUBMIT)[-1].sequence}"


@pytest.mark.parametrize(
    ("number", "do", "outcome", "code", "submitted"),
    [
        (1, refuse(0x58), Outcome.THROTTLED, "ESME_RTHROTTLED", 1),
        (1, refuse(0x0B), Outcome.REFUSED, "ESME_RINVDSTADR", 1),
        (1, hang_up, Outcome.UNKNOWN, "ReplyLost", 1),
        (2, refuse(0x58), Outcome.UNKNOWN, "ESME_RTHROTTLED", 2),
        (2, refuse(0x08), Outcome.UNKNOWN, "ESME_RSYSERR", 2),
        (2, refuse(0x0B), Outcome.REFUSED, "ESME_RINVDSTADR", 2),
        (3, refuse(0x14), Outcome.UNKNOWN, "ESME_RMSGQFUL", 3),
        (3, hang_up, Outcome.UNKNOWN, "ReplyLost", 3),
    ],
)
async def test_a_part_that_is_not_taken(number: int, do: Do, outcome: Outcome, code: str, submitted: int) -> None:
    async with RawCentre() as centre, bound(centre.port) as opened:
        before = len(centre.all(SUBMIT))
        centre.on[SUBMIT] = from_part(number, do)
        result = await opened.send(short_message(LONG), NOW)
        assert (result.outcome, result.code, result.token) == (outcome, code, None)
        assert len(centre.all(SUBMIT)) - before == submitted


async def test_a_session_lost_between_two_parts_leaves_the_message_half_out() -> None:
    def accept_and_hang_up(line: Line, pdu: Pdu) -> None:
        accept(line, pdu)
        line.write(0x06, 0, 1)  # unbind: the answer to the submit still arrives

    async with RawCentre() as centre, bound(centre.port) as opened:
        centre.on[SUBMIT] = accept_and_hang_up
        result = await opened.send(short_message(LONG), NOW)
        assert (result.outcome, result.code) == (Outcome.UNKNOWN, "NotBound")
        assert "1 of 3 parts" in result.reason


@pytest.mark.parametrize(
    "message", [short_message("a\ud800"), short_message(sender="Ärger"), short_message("я" * 20000)]
)
async def test_what_cannot_be_written_is_refused(message: object) -> None:
    opened = provider(1)
    result = await opened.send(message, NOW)  # type: ignore[arg-type]
    assert (result.outcome, result.code) == (Outcome.REFUSED, "Quarantined")
    await opened.close()


def test_no_status_is_unknown() -> None:
    assert Outcome.UNKNOWN not in {outcome for _, outcome in statuses.STATUSES.values()}
    assert statuses.meaning(0) == ("ESME_ROK", Outcome.SENT)
