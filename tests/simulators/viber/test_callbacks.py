"""What goes to a service's callback address, in which order, and how often it is tried."""

from __future__ import annotations

import asyncio
from random import Random

import msgspec
import pytest

from chatgate.clock import HandClock
from chatgate.simulators.viber.partner import ViberPartner
from chatgate.simulators.viber.scripts import Do, Script, Step
from tests.simulators.viber.stage import NUMBER, PEER, SERVICE, TIMING, URL, Stage, request

SEEN = "380501234501"


async def test_the_body_of_a_delivery_status(stage: Stage) -> None:
    accepted_at = stage.clock.now()
    token = (await stage.send(dest=NUMBER))["message_token"]
    await stage.pass_time(5000)
    assert stage.callbacks == [
        {
            "message_token": token,
            "message_status": 0,
            "message_time": accepted_at + 1000,
            "phone_number": NUMBER,
            "service_id": SERVICE,
        }
    ]


async def test_the_body_of_a_reply_without_a_message(stage: Stage) -> None:
    stage.partner.reply(SERVICE, NUMBER, "Hello?")
    await stage.partner.run_due()
    assert stage.callbacks == [
        {
            "phone_number": NUMBER,
            "time": stage.clock.now() // 1000,
            "service_id": SERVICE,
            "message": {"text": "Hello?", "tracking_data": ""},
        }
    ]


async def test_the_body_of_a_block_names_no_message(stage: Stage) -> None:
    stage.partner.block(SERVICE, NUMBER)
    stage.partner.block(SERVICE, NUMBER)
    stage.partner.block(SERVICE, NUMBER, blocked=False)
    await stage.partner.run_due()
    common = {"message_time": stage.clock.now(), "phone_number": NUMBER, "service_id": SERVICE}
    assert sorted(stage.callbacks, key=lambda told: told["message_status"]) == [
        {"message_status": 4, **common},
        {"message_status": 5, **common},
    ]


async def test_each_service_has_its_own_address_and_may_change_it(stage: Stage) -> None:
    stage.partner.register_service(3200, "http://other.test/x")
    await stage.send(service_id=3200)
    await stage.send()
    stage.partner.register_service(3200, "http://moved.test/x")
    await stage.pass_time(5000)
    assert sorted(stage.urls) == ["http://moved.test/x", URL]


async def test_without_an_address_nothing_is_sent_but_the_message_arrives() -> None:
    async with Stage(callback_url=None) as stage:
        stage.partner.register_service(SERVICE)
        await stage.send()
        await stage.pass_time(5000)
        assert stage.callbacks == []
        assert len(stage.partner.inbox([SERVICE], NUMBER)) == 1
        assert b'"reason":"no callback address"' in stage.partner.journal()[-1]


@pytest.mark.parametrize("answer", [500, 404, 302, 201, 204, 0])
async def test_what_is_not_200_is_tried_again_and_then_dropped(stage: Stage, answer: int) -> None:
    tried: list[int] = []

    def refuse() -> int:
        tried.append(stage.clock.now())
        return answer

    stage.answer = refuse
    await stage.send()
    due = stage.clock.now() + 1000
    await stage.pass_time(86_400_000)
    assert [at - due for at in tried] == [0, 1000, 11_000, 41_000, 131_000]
    assert {told["message_time"] for told in stage.callbacks} == {due}
    assert f"no 200 in 5 attempts, last answer {answer}".encode() in stage.partner.journal()[-1]
    assert stage.partner.next_due() is None


async def test_a_retry_that_is_acknowledged_is_the_last(stage: Stage) -> None:
    answers = [500, 0, 200]
    stage.answer = lambda: answers.pop(0)
    await stage.send()
    await stage.pass_time(86_400_000)
    assert answers == []
    assert stage.statuses == [0, 0, 0]
    assert b'"outcome":"acknowledged"' in stage.partner.journal()[-1]


async def test_the_next_callback_of_a_message_waits_for_the_one_before(stage: Stage) -> None:
    answers = [500, 500, 200, 200]
    stage.answer = lambda: answers.pop(0)
    await stage.send(dest=SEEN)
    await stage.pass_time(86_400_000)
    assert stage.statuses == [0, 0, 0, 1]
    seen = stage.callbacks[-1]
    assert seen["message_time"] - stage.callbacks[0]["message_time"] == 2000, "told late, but with its own time"


async def test_a_dropped_callback_lets_the_next_one_go(stage: Stage) -> None:
    stage.answer = lambda: 200 if stage.callbacks[-1]["message_status"] == 1 else 500
    await stage.send(dest=SEEN)
    await stage.pass_time(86_400_000)
    assert stage.statuses == [0, 0, 0, 0, 0, 1]


async def test_events_of_the_same_instant_keep_their_order(stage: Stage) -> None:
    wanted = [Do.SEEN, Do.DELIVERED, Do.EXPIRED, Do.SUBSCRIBED, Do.DELIVERED, Do.UNSUBSCRIBED]
    stage.partner.script_number(SERVICE, NUMBER, Script(steps=tuple(Step(do, "0ms") for do in wanted)))
    await stage.send()
    await stage.partner.run_due()
    assert stage.statuses == [1, 0, 2, 4, 0, 5]


async def test_messages_go_side_by_side_but_not_all_at_once() -> None:
    flying, most = 0, 0
    gate = asyncio.Event()

    async def post(url: str, body: bytes) -> int:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await gate.wait()
        flying -= 1
        return 200

    clock = HandClock()
    partner = ViberPartner(clock=clock, journal=None, random=Random(1), callback_url=URL, timing=TIMING, post=post)
    await partner.start()
    partner.register_service(SERVICE)
    for seq in range(200):
        await partner.send(msgspec.json.encode(request(seq=seq)), PEER, asyncio.Event().wait)
    clock.advance(1000)
    running = asyncio.create_task(partner.run_due())
    while flying < 64:
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    assert most == 64
    gate.set()
    await running
    assert (flying, most) == (0, 64)
    assert sum(b'"outcome":"acknowledged"' in line for line in partner.journal()) == 200
    await partner.stop()


async def test_a_callback_can_be_forced(stage: Stage) -> None:
    token = (await stage.send(dest="380501234512"))["message_token"]
    stage.partner.force(token, Do.EXPIRED)
    stage.partner.force(token, Do.REPLY, "Late!")
    await stage.partner.run_due()
    assert stage.statuses == [2, "Late!"]
    assert stage.callbacks[1]["message"]["tracking_data"] == "id:42"
    with pytest.raises(KeyError):
        stage.partner.force("1", Do.SEEN)
