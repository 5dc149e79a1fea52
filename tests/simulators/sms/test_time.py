from __future__ import annotations

from chatgate.clock import DAY, HOUR, SystemClock
from chatgate.simulators.sms.submission import Timing
from tests.simulators.sms.stage import NUMBER, Stage


async def test_delivery_takes_as_long_as_it_is_set_to() -> None:
    async with Stage(timing=Timing(delivery=(300, 1000))) as stage:
        esme = await stage.bind()
        now = stage.clock.now()
        for n in range(200):
            await esme.submit(f"{n}")
        await stage.pass_time(1000)
        took = [message.received_at - now for message in stage.centre.inbox(None, NUMBER)]
        assert len(took) == 200
        assert 300 <= min(took) < max(took) <= 1000


async def test_the_time_of_one_sender_can_be_moved(stage: Stage) -> None:
    esme = await stage.bind()
    now = stage.clock.now()
    await esme.submit("a", sender="A")
    await esme.submit("b", sender="B")
    assert (stage.centre.next_due("A"), stage.centre.next_due("B"), stage.centre.next_due()) == (now + 500,) * 3
    stage.centre.advance("A", 400)
    assert (stage.centre.next_due("A"), stage.centre.next_due("B")) == (now + 100, now + 500)
    stage.centre.advance("A", 100)
    await stage.centre.run_due()
    (message,) = stage.centre.inbox(None, NUMBER)
    assert (message.text, message.received_at) == ("a", now + 500)
    assert (stage.centre.now("A"), stage.centre.now("B")) == (now + 500, now)
    assert stage.centre.next_due("A") is None


async def test_the_time_of_all_can_be_moved(stage: Stage) -> None:
    esme = await stage.bind()
    await esme.submit("a", sender="A")
    stage.centre.advance(None, DAY)
    stage.centre.advance("A", HOUR)
    await stage.centre.run_due()
    assert len(esme.receipts) == 1
    assert stage.centre.now("A") - stage.clock.now() == DAY + HOUR
    await esme.submit("later", sender="A")
    assert stage.centre.next_due() == stage.clock.now() + 500


async def test_nothing_is_due_when_nothing_waits(stage: Stage) -> None:
    assert stage.centre.next_due() is None
    await stage.centre.run_due()


async def test_it_looks_at_the_clock_by_itself() -> None:
    async with Stage(clock=SystemClock(), timing=Timing(delivery=(1, 5))) as stage:
        esme = await stage.bind()
        for n in range(3):
            await esme.submit(f"{n}")
        await esme.until_receipts(3)
        assert len(stage.centre.inbox(None, NUMBER)) == 3
