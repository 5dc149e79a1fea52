"""Messages that are allowed only because the user wrote."""

from __future__ import annotations

from chatgate.clock import HOUR
from tests.simulators.viber.stage import NUMBER, SERVICE, Stage


async def _statuses(stage: Stage, times: int) -> list[int]:
    return [(await stage.send(306, seq=seq))["status"] for seq in range(times)]


async def test_there_is_none_before_the_user_writes(stage: Stage) -> None:
    assert await stage.send(306) == {"status": 21, "seq": 1}
    stage.partner.reply(SERVICE, NUMBER, "Hello?")
    assert await _statuses(stage, 1) == [0]
    assert (await stage.send(306, dest="380501234500"))["status"] == 21, "somebody else did not write"


async def test_five_unanswered_until_the_user_writes_again(stage: Stage) -> None:
    stage.partner.reply(SERVICE, NUMBER, "Hello?")
    assert await _statuses(stage, 6) == [0] * 5 + [21]
    stage.partner.reply(SERVICE, NUMBER, "Yes")
    assert await _statuses(stage, 6) == [0] * 5 + [21]


async def test_the_limit_is_a_setting() -> None:
    async with Stage(unanswered_limit=10) as stage:
        stage.partner.register_service(SERVICE)
        stage.partner.reply(SERVICE, NUMBER, "Hello?")
        assert await _statuses(stage, 11) == [0] * 10 + [21]


async def test_sixty_in_all() -> None:
    async with Stage(unanswered_limit=100) as stage:
        stage.partner.register_service(SERVICE)
        stage.partner.reply(SERVICE, NUMBER, "Hello?")
        assert await _statuses(stage, 61) == [0] * 60 + [21]


async def test_a_session_lasts_a_day_and_keeps_its_id(stage: Stage) -> None:
    stage.partner.reply(SERVICE, NUMBER, "Hello?")
    first = (await stage.send(306))["session_id"]
    await stage.pass_time(23 * HOUR)
    stage.partner.reply(SERVICE, NUMBER, "Still here")
    assert (await stage.send(306))["session_id"] == first
    await stage.pass_time(HOUR)
    assert (await stage.send(306))["status"] == 21
    stage.partner.reply(SERVICE, NUMBER, "Hello again")
    assert (await stage.send(306))["session_id"] != first


async def test_other_types_do_not_count(stage: Stage) -> None:
    stage.partner.reply(SERVICE, NUMBER, "Hello?")
    for seq in range(10):
        assert (await stage.send(225, seq=seq))["status"] == 0
    assert await _statuses(stage, 6) == [0] * 5 + [21]
