"""What each last pair of digits does: the answer, the callbacks, and when they come."""

from __future__ import annotations

import msgspec
import pytest

from chatgate.clock import DAY
from chatgate.simulators.viber.profiles import PROFILES, profile_of
from chatgate.simulators.viber.reception import Answer
from chatgate.simulators.viber.scripts import Do, Script, Step
from tests.simulators.viber.stage import SERVICE, Stage, request

TTL = 3600
D, S, T = 1000, 3000, TTL * 1000
"""Delivered, seen after that, expired: milliseconds after acceptance, as ``stage.TIMING`` has it."""

ACCEPTED: dict[str, list[tuple[int, int | str]]] = {
    "01": [(D, 0), (S, 1)],
    "02": [(2000, 1)],
    "03": [(T, 2)],
    "04": [(T, 2), (T + D, 0)],
    "05": [(T, 2), (T + 2000, 1)],
    "07": [(D, 0), (T, 2)],
    "08": [(D, 0), (S, 4)],
    "09": [(D, 0), (S, 5)],
    "10": [(D, 0), (D + 300, 0), (D + 2300, 1), (D + 2600, 1)],
    "11": [(D, 0)],
    "12": [],
    "60": [(D, 0), (S, 1), (S + 500, "Hello")],
    "99": [(D, 0)],
    "00": [(D, 0)],
    "06": [(D, 0)],
    "31": [(D, 0)],
    "49": [(D, 0)],
}
REFUSED = {
    **{"30": 1, "46": 27, "47": 43, "48": 401},
    **dict(zip(map(str, range(32, 46)), (2, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 18, 20, 21), strict=True)),
    **{"71": 9, "72": 9, "73": 9, "74": 9},
}
FAULTS = {"50", "51", "52", "53"}


def number(digits: str) -> str:
    return "3805012345" + digits


def test_every_profile_is_in_a_table_here() -> None:
    assert {*ACCEPTED, *REFUSED, *FAULTS} >= set(PROFILES)


@pytest.mark.parametrize("digits", ACCEPTED)
async def test_accepted(stage: Stage, digits: str) -> None:
    accepted_at = stage.clock.now()
    answer = await stage.send(dest=number(digits), ttl=TTL)
    assert answer["status"] == 0
    await stage.pass_time(20 * DAY)
    assert [
        (told.get("message_time", 0) - accepted_at if "message_time" in told else S + 500, status)
        for told, status in zip(stage.callbacks, stage.statuses, strict=True)
    ] == ACCEPTED[digits]


@pytest.mark.parametrize(("digits", "status"), REFUSED.items())
async def test_refused(stage: Stage, digits: str, status: int) -> None:
    for _ in range(2):
        assert await stage.send(dest=number(digits)) == {"status": status, "seq": 1}
    await stage.pass_time(20 * DAY)
    assert stage.callbacks == []


async def test_50_fails_once_for_each_service_and_number(stage: Stage) -> None:
    stage.partner.register_service(3200)
    answers = [
        (await stage.send(dest=dest, service_id=service_id))["status"]
        for dest, service_id in [
            (number("50"), SERVICE),
            (number("50"), 3200),
            (number("50"), SERVICE),
            ("380509999950", SERVICE),
            (number("50"), SERVICE),
        ]
    ]
    assert answers == [1, 1, 0, 1, 0]


async def test_51_is_down_and_accepts_nothing(stage: Stage) -> None:
    answer = await _post(stage, "51")
    assert answer.status == 503
    await stage.pass_time(20 * DAY)
    assert stage.callbacks == []


async def test_52_accepts_and_answers_nothing(stage: Stage) -> None:
    assert (await _post(stage, "52")).status == 0
    await stage.pass_time(D)
    assert stage.statuses == [0]
    assert [message.text for message in stage.partner.inbox([SERVICE], number("52"))] == ["Hi"]


async def test_after_09_the_sender_is_blocked_until_the_user_unblocks(stage: Stage) -> None:
    stage.partner.register_service(3200)
    await stage.send(dest=number("09"))
    await stage.pass_time(S)
    assert (await stage.send(dest=number("09")))["status"] == 8
    assert (await stage.send(dest=number("09"), service_id=3200))["status"] == 0
    stage.partner.block(SERVICE, number("09"), blocked=False)
    assert (await stage.send(dest=number("09")))["status"] == 0


async def test_08_lifts_a_block(stage: Stage) -> None:
    stage.partner.block(SERVICE, number("08"))
    assert (await stage.send(dest=number("08")))["status"] == 0
    await stage.pass_time(S)
    stage.partner.script_number(SERVICE, number("08"), Script())
    assert (await stage.send(dest=number("08")))["status"] == 0


async def test_60_echoes_the_tracking_data(stage: Stage) -> None:
    await stage.send(dest=number("60"))
    await stage.pass_time(20 * DAY)
    reply = stage.callbacks[-1]
    assert reply["message"] == {"text": "Hello", "tracking_data": "id:42"}
    assert reply["service_id"] == SERVICE
    assert reply["phone_number"] == number("60")


async def test_a_script_of_the_number_goes_first_and_can_be_taken_back(stage: Stage) -> None:
    script = Script(steps=(Step(Do.SEEN, "2s"), Step(Do.DELIVERED, "ttl")))
    stage.partner.script_number(SERVICE, number("38"), script)
    stage.partner.register_service(3200)
    assert (await stage.send(dest=number("38"), ttl=30))["status"] == 0
    assert (await stage.send(dest=number("38"), service_id=3200))["status"] == 9
    accepted_at = stage.clock.now()
    await stage.pass_time(DAY)
    assert [(told["message_time"] - accepted_at, told["message_status"]) for told in stage.callbacks] == [
        (2000, 1),
        (30_000, 0),
    ]
    stage.partner.script_number(SERVICE, number("38"), None)
    assert (await stage.send(dest=number("38")))["status"] == 9


def test_only_the_last_two_digits_count() -> None:
    assert profile_of("3801234567012") == PROFILES["12"]


async def _post(stage: Stage, digits: str) -> Answer:
    return await stage.post(msgspec.json.encode(request(dest=number(digits))))
