"""The partner misbehaving, for all services or for one."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from chatgate.simulators.viber.switches import Switches
from tests.simulators.viber.stage import NUMBER, SERVICE, Stage, request

SEEN = "380501234501"


async def test_down(stage: Stage) -> None:
    stage.partner.set_switches(Switches(down=True))
    assert (await stage.post(msgspec.json.encode(request()))).status == 503
    assert (await stage.post(b"{")).status == 503
    stage.partner.set_switches(None)
    await stage.pass_time(5000)
    assert stage.callbacks == []
    assert (await stage.send())["status"] == 0


async def test_a_service_with_switches_of_its_own_ignores_the_common_ones(stage: Stage) -> None:
    stage.partner.register_service(3200)
    stage.partner.set_switches(Switches(down=True))
    stage.partner.set_switches(Switches(), 3200)
    assert (await stage.send(service_id=3200))["status"] == 0
    assert (await stage.post(msgspec.json.encode(request()))).status == 503
    stage.partner.set_switches(None, 3200)
    assert (await stage.post(msgspec.json.encode(request(service_id=3200)))).status == 503


async def test_unauthorized_as_11() -> None:
    async with Stage(allowed_peers=[]) as stage:
        stage.partner.set_switches(Switches(unauthorized_status=11))
        assert (await stage.send())["status"] == 11


async def test_a_seq_that_was_used(stage: Stage) -> None:
    stage.partner.register_service(3200)
    await stage.send(seq=5)
    stage.partner.set_switches(Switches(refuse_duplicate_seq=True))
    assert await stage.send(seq=5) == {"status": 12, "seq": 5}
    assert (await stage.send(seq=5, service_id=3200))["status"] == 0
    assert (await stage.send(seq=6))["status"] == 0
    assert (await stage.send(seq=7, dest="380501234538"))["status"] == 9
    assert (await stage.send(seq=7))["status"] == 0, "a refused seq is not used"


async def test_a_token_on_errors(stage: Stage) -> None:
    stage.partner.set_switches(Switches(token_on_errors=True))
    answer = await stage.send(dest="380501234538")
    assert answer["status"] == 9
    assert len(answer["message_token"]) == 19


async def test_tokens_as_numbers(stage: Stage) -> None:
    stage.partner.set_switches(Switches(token_as_number=True))
    token = (await stage.send())["message_token"]
    await stage.pass_time(5000)
    assert type(token) is int
    assert token > 2**53
    assert stage.callbacks[0]["message_token"] == token


async def test_latency_holds_the_answer_of_an_accepted_message(stage: Stage) -> None:
    stage.partner.set_switches(Switches(latency=3000))
    sending = asyncio.create_task(stage.send())
    while not stage.partner.journal()[-1].startswith(b'{"record":"message"'):
        await asyncio.sleep(0)
    await stage.pass_time(2999)
    assert not sending.done()
    assert stage.statuses == [0], "told before it was answered"
    await stage.pass_time(1)
    assert (await sending)["status"] == 0


async def test_early(stage: Stage) -> None:
    stage.partner.set_switches(Switches(early=1))
    accepted_at = stage.clock.now()
    token = (await stage.send(dest=SEEN))["message_token"]
    assert [(told["message_token"], told["message_status"]) for told in stage.callbacks] == [(token, 0)]
    await stage.pass_time(86_400_000)
    assert [told["message_time"] - accepted_at for told in stage.callbacks] == [0, 3000]


async def test_early_does_not_wait_for_an_acknowledgement(stage: Stage) -> None:
    stage.partner.set_switches(Switches(early=1))
    stage.answer = lambda: 500
    assert (await stage.send())["status"] == 0
    assert stage.statuses == [0]


async def test_reordered(stage: Stage) -> None:
    stage.partner.set_switches(Switches(reordered=1))
    await stage.send(dest=SEEN)
    await stage.pass_time(86_400_000)
    assert stage.statuses == [1, 0]


async def test_duplicated(stage: Stage) -> None:
    stage.partner.set_switches(Switches(duplicated=1))
    await stage.send(dest=SEEN)
    await stage.pass_time(86_400_000)
    assert stage.statuses == [0, 0, 1, 1]
    assert stage.callbacks[0] == stage.callbacks[1]


async def test_lost_but_on_the_phone(stage: Stage) -> None:
    stage.partner.set_switches(Switches(lost=1), SERVICE)
    stage.partner.register_service(3200)
    await stage.send(dest=SEEN)
    await stage.send(service_id=3200)
    await stage.pass_time(86_400_000)
    assert [(told["service_id"], told["message_status"]) for told in stage.callbacks] == [(3200, 0)]
    assert [message.status for message in stage.partner.inbox([SERVICE], SEEN)] == ["seen"]


async def test_a_share_is_how_often(stage: Stage) -> None:
    stage.partner.set_switches(Switches(lost=0.25))
    for seq in range(400):
        await stage.send(seq=seq)
    await stage.pass_time(5000)
    assert 250 < len(stage.callbacks) < 350


@pytest.mark.parametrize("wrong", [b'{"lost":1.5}', b'{"lost":-1}', b'{"latency":-5}', b'{"typo":1}'])
def test_what_cannot_be_set(wrong: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(wrong, type=Switches)


async def test_a_number_is_blocked_before_it_is_counted(stage: Stage) -> None:
    stage.partner.block(SERVICE, NUMBER)
    stage.partner.set_switches(Switches(refuse_duplicate_seq=True))
    assert (await stage.send(seq=1))["status"] == 8
    stage.partner.block(SERVICE, NUMBER, blocked=False)
    assert (await stage.send(seq=1))["status"] == 0
