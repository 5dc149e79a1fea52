"""What the owner of a phone sees and does."""

from __future__ import annotations

from typing import Any

import pytest

from chatgate.clock import DAY
from chatgate.simulators.viber.phones import Button
from chatgate.simulators.viber.scripts import Do, Script, Step
from tests.simulators.viber.stage import NUMBER, SERVICE, Stage

OPEN = Button(caption="Open", action="https://x")
SHOWN: dict[int, dict[str, Any]] = {
    225: {"text": "Hi", "tracking_data": "id:42"},
    106: {"text": "Hi"},
    1702: {"text": "Hello Ann, your order 17 is ready."},
    207: {"image": "https://x/y.png", "tracking_data": "id:42"},
    108: {"text": "Sale", "image": "https://x/y.png", "button": OPEN},
    209: {"text": "Sale", "button": OPEN, "tracking_data": "id:42"},
    222: {"file": "https://x/a.pdf"},
    230: {"video": "https://x/v.mp4", "tracking_data": "id:42"},
    231: {"text": "Look", "video": "https://x/v.mp4", "tracking_data": "id:42"},
    232: {
        "text": "Look",
        "video": "https://x/v.mp4",
        "button": Button(caption="Play", action="https://x/v.mp4"),
        "tracking_data": "id:42",
    },
    233: {"text": "Look", "video": "https://x/v.mp4", "button": OPEN, "tracking_data": "id:42"},
    801: {"text": "Which?", "tracking_data": "id:42"},
    901: {"tracking_data": "id:42"},
}


@pytest.mark.parametrize("type_number", SHOWN)
async def test_what_is_shown_of_each_content(stage: Stage, type_number: int) -> None:
    answer = await stage.send(type_number, label="transaction")
    accepted_at = stage.clock.now()
    await stage.pass_time(5000)
    (message,) = stage.partner.inbox([SERVICE], NUMBER)
    nothing = dict.fromkeys(("text", "image", "video", "file", "button", "tracking_data"))
    assert {field: getattr(message, field) for field in message.__struct_fields__} == {
        **nothing,
        **SHOWN[type_number],
        "token": answer["message_token"],
        "service_id": SERVICE,
        "type": type_number,
        "label": "transaction",
        "received_at": accepted_at + 1000,
        "status": "delivered",
    }


async def test_a_hidden_button(stage: Stage) -> None:
    await stage.send(message={"#txt": "Sale", "#tracking_data": "", "#caption": "", "#action": ""}, type=209)
    await stage.pass_time(5000)
    assert stage.partner.inbox([SERVICE], NUMBER)[0].button is None


async def test_the_newest_is_first_and_only_what_was_asked_for(stage: Stage) -> None:
    stage.partner.register_service(3200)
    slow = Script(steps=(Step(Do.DELIVERED, "1h"),))
    for seq, (text, service_id) in enumerate([("slow", SERVICE), ("a", SERVICE), ("b", SERVICE), ("other", 3200)]):
        stage.partner.script_number(SERVICE, NUMBER, slow if text == "slow" else None)
        await stage.send(seq=seq, service_id=service_id, message={"#txt": text, "#tracking_data": ""})
    await stage.send(dest="380501234500")
    await stage.pass_time(DAY)
    assert [message.text for message in stage.partner.inbox([SERVICE], NUMBER)] == ["slow", "b", "a"]
    assert [message.text for message in stage.partner.inbox({SERVICE, 3200}, NUMBER)] == ["slow", "other", "b", "a"]
    assert stage.partner.inbox([], NUMBER) == []
    assert stage.partner.inbox([SERVICE], "1234567") == []


async def test_nothing_is_there_before_it_is_delivered(stage: Stage) -> None:
    await stage.send()
    await stage.pass_time(999)
    assert stage.partner.inbox([SERVICE], NUMBER) == []
    await stage.pass_time(1)
    assert len(stage.partner.inbox([SERVICE], NUMBER)) == 1


@pytest.mark.parametrize(
    ("digits", "statuses"),
    [
        ("01", ["seen"]),
        ("02", ["seen"]),
        ("03", []),
        ("04", ["delivered"]),
        ("05", ["seen"]),
        ("07", ["delivered"]),
        ("10", ["seen"]),
        ("12", []),
    ],
)
async def test_what_is_there_in_the_end(stage: Stage, digits: str, statuses: list[str]) -> None:
    number = "3805012345" + digits
    await stage.send(dest=number)
    await stage.pass_time(20 * DAY)
    assert [message.status for message in stage.partner.inbox([SERVICE], number)] == statuses


async def test_a_phone_that_is_off_gets_it_when_it_comes_back(stage: Stage) -> None:
    stage.partner.switch_phone(SERVICE, NUMBER, off=True)
    await stage.send(dest=NUMBER, ttl=60)
    await stage.pass_time(59_000)
    assert stage.statuses == []
    assert stage.partner.inbox([SERVICE], NUMBER) == []
    stage.partner.switch_phone(SERVICE, NUMBER, off=False)
    (message,) = stage.partner.inbox([SERVICE], NUMBER)
    assert message.received_at == stage.clock.now()
    assert stage.partner.next_due() is None
    await stage.pass_time(DAY)
    assert stage.statuses == [0]
    assert stage.callbacks[0]["message_time"] == message.received_at


async def test_a_phone_that_is_off_for_too_long_never_gets_it(stage: Stage) -> None:
    accepted_at = stage.clock.now()
    stage.partner.switch_phone(SERVICE, NUMBER, off=True)
    await stage.send(dest=NUMBER, ttl=60)
    await stage.pass_time(60_000)
    stage.partner.switch_phone(SERVICE, NUMBER, off=False)
    await stage.pass_time(DAY)
    assert [(told["message_status"], told["message_time"] - accepted_at) for told in stage.callbacks] == [(2, 60_000)]
    assert stage.partner.inbox([SERVICE], NUMBER) == []


async def test_a_phone_is_off_for_one_service_only(stage: Stage) -> None:
    stage.partner.register_service(3200)
    stage.partner.switch_phone(SERVICE, NUMBER, off=True)
    await stage.send(dest=NUMBER, service_id=3200)
    await stage.pass_time(5000)
    assert stage.statuses == [0]


async def test_what_was_held_back_keeps_its_order(stage: Stage) -> None:
    number = "380501234501"
    stage.partner.switch_phone(SERVICE, number, off=True)
    await stage.send(dest=number, seq=1)
    await stage.pass_time(10_000)
    stage.partner.switch_phone(SERVICE, number, off=False)
    await stage.pass_time(0)
    assert stage.statuses == [0, 1]


@pytest.mark.parametrize("digits", ["04", "07"])
async def test_a_scripted_expiry_comes_once_on_a_phone_that_is_off(stage: Stage, digits: str) -> None:
    number = "3805012345" + digits
    stage.partner.switch_phone(SERVICE, number, off=True)
    await stage.send(dest=number, ttl=60)
    await stage.pass_time(DAY)
    assert stage.statuses == [2]


async def test_block_and_unblock(stage: Stage) -> None:
    stage.partner.block(SERVICE, NUMBER)
    assert (await stage.send(dest=NUMBER))["status"] == 8
    stage.partner.block(SERVICE, NUMBER, blocked=False)
    assert (await stage.send(dest=NUMBER))["status"] == 0


async def test_read(stage: Stage) -> None:
    token = (await stage.send(dest=NUMBER))["message_token"]
    await stage.pass_time(5000)
    stage.partner.force(token, Do.SEEN)
    assert stage.partner.inbox([SERVICE], NUMBER)[0].status == "seen"
