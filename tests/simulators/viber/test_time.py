"""Every service has a time of its own, which can be moved."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.clock import DAY, HandClock, SystemClock
from chatgate.simulators.viber.due_queue import DueQueue
from chatgate.simulators.viber.durations import milliseconds
from chatgate.simulators.viber.scripts import Script, Step, Timing
from tests.simulators.viber.stage import NUMBER, SERVICE, Stage


async def test_a_service_is_moved_alone(stage: Stage) -> None:
    stage.partner.register_service(3200)
    await stage.send(dest="380501234503", ttl=3600)
    await stage.send(dest="380501234503", ttl=3600, service_id=3200)
    now = stage.clock.now()
    assert stage.partner.next_due(SERVICE) == stage.partner.next_due() == now + 3_600_000
    stage.partner.advance(SERVICE, 3_000_000)
    assert stage.partner.next_due(SERVICE) == now + 600_000
    assert stage.partner.next_due(3200) == now + 3_600_000
    stage.partner.advance(SERVICE, 600_000)
    await stage.partner.run_due()
    assert [(told["service_id"], told["message_time"]) for told in stage.callbacks] == [(SERVICE, now + 3_600_000)]
    assert stage.partner.next_due(SERVICE) is None
    assert stage.partner.now(SERVICE) == now + 3_600_000
    assert stage.partner.now(3200) == now


async def test_all_are_moved_together(stage: Stage) -> None:
    stage.partner.register_service(3200)
    await stage.send(dest="380501234503", ttl=30)
    await stage.send(dest="380501234503", ttl=60, service_id=3200)
    stage.partner.advance(None, 60_000)
    await stage.partner.run_due()
    assert stage.statuses == [2, 2]


async def test_what_is_accepted_later_counts_from_the_moved_time(stage: Stage) -> None:
    stage.partner.advance(SERVICE, DAY)
    now = stage.clock.now()
    await stage.send()
    assert stage.partner.next_due(SERVICE) == now + 1000
    await stage.pass_time(1000)
    assert stage.callbacks[0]["message_time"] == now + DAY + 1000
    assert stage.partner.inbox([SERVICE], NUMBER)[0].received_at == now + DAY + 1000
    assert stage.partner.requests()[-1].at == now + DAY


async def test_moving_the_time_skips_the_waits_between_retries(stage: Stage) -> None:
    stage.answer = lambda: 500
    await stage.send()
    for _ in range(5):
        due = stage.partner.next_due(SERVICE)
        assert due is not None
        stage.partner.advance(SERVICE, due - stage.clock.now())
        await stage.partner.run_due()
    assert len(stage.callbacks) == 5
    assert stage.partner.next_due(SERVICE) is None


async def test_a_hang_ends_when_the_time_is_moved(stage: Stage) -> None:
    sending = asyncio.create_task(stage.send(dest="380501234553"))
    while stage.partner.next_due(SERVICE) is None:
        await asyncio.sleep(0)
    stage.partner.advance(SERVICE, 29_999)
    await stage.partner.run_due()
    assert stage.partner.next_due(SERVICE) == stage.clock.now() + 1
    assert not sending.done()
    stage.partner.advance(SERVICE, 1)
    await stage.partner.run_due()
    assert (await sending)["status"] == 0
    assert len(stage.partner.journal()) > 0


async def test_the_loop_does_what_is_due_by_itself() -> None:
    async with Stage(clock=SystemClock(), timing=Timing(delivery=(5, 10))) as stage:
        stage.partner.register_service(SERVICE)
        await stage.send(dest="380501234503")
        await stage.send()
        async with asyncio.timeout(5):
            while not stage.callbacks:
                await asyncio.sleep(0.005)
            stage.partner.advance(SERVICE, 14 * DAY)
            while len(stage.callbacks) < 2:
                await asyncio.sleep(0.005)
        assert stage.statuses == [0, 2]


async def test_waits_are_drawn_from_the_ranges_by_the_random_handed_in() -> None:
    async def times(seed: int) -> list[int]:
        async with Stage(seed=seed, timing=Timing()) as stage:
            stage.partner.register_service(SERVICE)
            for seq in range(50):
                await stage.send(dest="380501234501", seq=seq)
            accepted_at = stage.clock.now()
            await stage.pass_time(DAY)
            assert {told["message_status"]: None for told in stage.callbacks} == {0: None, 1: None}
            delivered = {told["message_token"]: told["message_time"] for told in stage.callbacks[::-1]}
            for told in stage.callbacks:
                if told["message_status"] == 0:
                    assert 500 <= told["message_time"] - accepted_at <= 1500
                    delivered[told["message_token"]] = told["message_time"]
            for told in stage.callbacks:
                if told["message_status"] == 1:
                    assert 2000 <= told["message_time"] - delivered[told["message_token"]] <= 4000
            return [told["message_time"] for told in stage.callbacks]

    first = await times(1)
    assert await times(1) == first
    assert await times(2) != first
    assert len(set(first)) > 50


@pytest.mark.parametrize(
    ("text", "expected"), [("500ms", 500), ("2s", 2000), ("5m", 300_000), ("12h", 43_200_000), ("14d", 14 * DAY)]
)
def test_a_duration(text: str, expected: int) -> None:
    assert milliseconds(text) == expected


@pytest.mark.parametrize("text", ["", "2", "s", "-2s", "2 s", "2S", "1.5s", "٢s", "2s\n", "9999999999s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        milliseconds(text)
    with pytest.raises(ValueError, match="not a duration"):
        Step("delivered", text)  # type: ignore[arg-type]


def test_a_script_answers_something() -> None:
    with pytest.raises(ValueError, match="answers"):
        Script(answers=())


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 3), st.integers(0, 50)),
        st.tuples(st.just("cancel"), st.integers(0, 30), st.none()),
        st.tuples(st.just("advance"), st.sampled_from([None, 1, 2, 3]), st.integers(0, 20)),
        st.tuples(st.just("clock"), st.integers(0, 20), st.none()),
    ),
    max_size=40,
)


@given(OPERATIONS)
def test_the_queue_against_a_plain_list(operations: list[Any]) -> None:
    ahead: dict[int | None, int] = {}
    clock = HandClock(0)
    queue = DueQueue(lambda service_id: ahead.get(None, 0) + ahead.get(service_id, 0))
    plain: list[tuple[int, int, int]] = []  # service, instant in its time, order
    handles: list[Any] = []
    done: list[int] = []
    for name, first, second in operations:
        if name == "put":
            order = len(handles)
            handles.append(queue.put(first, second, partial(done.append, order)))
            plain.append((first, second, order))
        elif name == "cancel" and first < len(handles):
            queue.cancel(handles[first])
            plain = [row for row in plain if row[2] != first]
        elif name == "advance":
            ahead[first] = ahead.get(first, 0) + second
            queue.moved(first)
        elif name == "clock":
            clock.advance(first)

        def due(row: tuple[int, int, int]) -> int:
            return row[1] - ahead.get(None, 0) - ahead.get(row[0], 0)

        assert queue.next_due() == min(map(due, plain), default=None)
        for service_id in (1, 2, 3):
            own = [due(row) for row in plain if row[0] == service_id]
            assert queue.next_due(service_id) == min(own, default=None)
        done.clear()
        while (action := queue.pop(clock.now())) is not None:
            action()
        expected = [row for row in plain if due(row) <= clock.now()]
        assert sorted(done) == sorted(row[2] for row in expected)
        for service_id in (1, 2, 3):
            own_order = [order for order in done if any(row[2] == order and row[0] == service_id for row in expected)]
            assert own_order == [row[2] for row in sorted(expected, key=lambda row: row[1:]) if row[0] == service_id]
        plain = [row for row in plain if row not in expected]
