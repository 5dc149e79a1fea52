"""What is told about a message, to whom, and until when."""

from __future__ import annotations

import asyncio

import pytest

from chatgate.simulators.sms.submission import Timing
from tests.simulators.sms.stage import BIND_RECEIVER, BIND_TRANSMITTER, NUMBER, UNBIND, Stage


async def test_a_receipt_by_the_book(stage: Stage) -> None:
    stage.clock.set(1_740_830_400_000)  # 2025-03-01 12:00 UTC
    esme = await stage.bind()
    _, token = await esme.submit(b"Hello \x10, how are you, world?", source_addr_ton=5)
    await stage.pass_time(500)
    (receipt,) = esme.receipts
    assert receipt.short_message.decode() == (
        f"id:{token} sub:001 dlvrd:001 submit date:2503011200 done date:2503011200 stat:DELIVRD err:000 "
        "text:Hello ?, how are you"
    )
    assert (receipt.esm_class, receipt.source_addr, receipt.destination_addr) == (4, NUMBER, "Shop")
    assert (receipt.source_addr_ton, receipt.dest_addr_ton) == (1, 5)
    assert {tlv.tag: tlv.value for tlv in receipt.tlvs} == {0x1E: token.encode() + b"\0", 0x427: b"\2"}


async def test_a_number_that_is_undeliverable(stage: Stage) -> None:
    esme = await stage.bind()
    await esme.submit(to="380501234571")
    await stage.pass_time(500)
    (receipt,) = esme.receipts
    assert b"dlvrd:000" in receipt.short_message
    assert b"stat:UNDELIV err:001" in receipt.short_message
    assert {tlv.tag: tlv.value for tlv in receipt.tlvs}[0x427] == b"\5"


async def test_a_number_that_is_silent(stage: Stage) -> None:
    esme = await stage.bind()
    await esme.submit(to="380501234574")
    await stage.pass_time(10**9)
    assert esme.receipts == []
    assert stage.centre.next_due() is None


@pytest.mark.parametrize(
    ("registered_delivery", "number", "receipts"),
    [(0, NUMBER, 0), (1, NUMBER, 1), (2, NUMBER, 0), (0, "380501234571", 0), (2, "380501234571", 1), (0x11, NUMBER, 1)],
)
async def test_receipts_are_sent_to_who_asks(
    stage: Stage, registered_delivery: int, number: str, receipts: int
) -> None:
    esme = await stage.bind()
    await esme.submit(to=number, registered_delivery=registered_delivery)
    await stage.pass_time(500)
    assert len(esme.receipts) == receipts


async def test_a_receipt_waits_for_a_session_that_can_receive(stage: Stage) -> None:
    sender = await stage.bind(command=BIND_TRANSMITTER)
    await sender.submit()
    await stage.pass_time(500)
    assert sender.receipts == []
    receiver = await stage.bind(command=BIND_RECEIVER)
    assert len(await receiver.until_receipts(1)) == 1


async def test_a_receipt_waits_for_the_next_bind(stage: Stage) -> None:
    esme = await stage.bind()
    await esme.submit()
    await esme.ask(UNBIND)
    await esme.closed.wait()
    await stage.pass_time(500)
    other, again = await stage.bind("other"), await stage.bind()
    assert len(await again.until_receipts(1)) == 1
    assert other.receipts == []


async def test_a_receipt_goes_to_another_session_when_one_is_lost(stage: Stage) -> None:
    esme = await stage.bind()
    esme.acknowledge = None
    await esme.submit()
    stage.clock.advance(500)
    told = asyncio.create_task(stage.centre.run_due())
    await esme.until_receipts(1)
    other = await stage.bind()
    await esme.hang_up()
    assert len(await other.until_receipts(1)) == 1
    await told


@pytest.mark.parametrize("status", [8, 0x14, 0x64])
async def test_a_receipt_that_is_answered_with_an_error_comes_again(stage: Stage, status: int) -> None:
    esme = await stage.bind()
    esme.acknowledge = status
    await esme.submit()
    await stage.pass_time(500)
    assert len(esme.receipts) == 1
    esme.acknowledge = 0
    first, second = await esme.until_receipts(2)
    assert first.short_message == second.short_message


async def test_a_receipt_that_is_not_answered_comes_again() -> None:
    async with Stage(timing=Timing(delivery=(1, 1), retry=1, reply=10)) as stage:
        esme = await stage.bind()
        esme.acknowledge = None
        await esme.submit()
        stage.clock.advance(1)
        await stage.centre.run_due()
        await esme.until_receipts(2)


@pytest.mark.parametrize("status", [0, 0x65, 0x66])
async def test_a_receipt_that_is_settled_does_not_come_again(stage: Stage, status: int) -> None:
    esme = await stage.bind()
    esme.acknowledge = status
    await esme.submit()
    await stage.pass_time(500)
    again = await stage.bind()
    await again.submit()
    await stage.pass_time(500)
    assert len(esme.receipts) + len(again.receipts) == 2


async def test_many_receipts_are_told(stage: Stage) -> None:
    esme = await stage.bind()
    tokens = {(await esme.submit(f"{n}"))[1] for n in range(300)}
    await stage.pass_time(500)
    told = {receipt.short_message.split()[0].removeprefix(b"id:").decode() for receipt in esme.receipts}
    assert told == tokens
    assert len(esme.receipts) == 300
