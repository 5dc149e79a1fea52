"""The whole way of a message with two centres: the simulated one, and npm's, which is another codebase."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import uvloop

from chatgate.clock import SystemClock
from chatgate.domain.message import Outcome
from chatgate.domain.receipt import ReceiptStatus
from chatgate.simulators.sms.centre import SmsCentre
from chatgate.simulators.sms.submission import Timing
from tests.providers.short_message import NOW, short_message
from tests.providers.smpp.bound import Store, bound, provider, until, until_said

TEXTS = ["Hello", "Price: {5} €", "a" * 159 + "€", "Привіт 😀", "я" * 66 + "😀" * 3, "€" * 400]

SMSC = Path(__file__).parents[1] / "smsc"
NODE = Path(sys.executable).parent / "node"


# --- the simulated centre ---------------------------------------------------------------------------------------------


@pytest.fixture
async def centre() -> AsyncIterator[SmsCentre]:
    running = SmsCentre(
        clock=SystemClock(), journal=None, random=Random(1), timing=Timing(delivery=(1, 5)), password="secret"
    )
    await running.start()
    yield running
    await running.stop()


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_arrives_and_its_receipt_comes_back(centre: SmsCentre, text: str) -> None:
    store = Store()
    async with bound(centre.port, store) as opened:
        result = await opened.send(short_message(text), NOW)
        assert result.outcome is Outcome.SENT
        await until(lambda: store.taken and centre.inbox(None, "380501234500"))
        (received,) = centre.inbox(["Shop"], "380501234500")
        assert (received.text, received.token) == (text, result.token)
        (receipt,) = store.taken
        assert (receipt.token, receipt.status) == (result.token, ReceiptStatus.DELIVERED)
        assert (receipt.service_id, receipt.recipient) == ("Shop", "380501234500")


async def test_an_undeliverable_number(centre: SmsCentre) -> None:
    store = Store()
    async with bound(centre.port, store) as opened:
        result = await opened.send(short_message(to="380501234571"), NOW)
        await until(lambda: store.taken)
        assert [(r.token, r.status, r.code) for r in store.taken] == [(result.token, "undelivered", "UNDELIV")]


def test_both_run_on_uvloop() -> None:
    """As they do in a node; its transports are of other classes than asyncio's."""

    async def send() -> None:
        centre = SmsCentre(clock=SystemClock(), journal=None, random=Random(1), timing=Timing(delivery=(1, 5)))
        await centre.start()
        store = Store()
        async with bound(centre.port, store) as opened:
            assert (await opened.send(short_message(), NOW)).outcome is Outcome.SENT
            await until(lambda: store.taken)
        await centre.stop()

    uvloop.run(send())


@pytest.mark.parametrize(
    ("number", "results"),
    [
        ("380501234572", ["ESME_RINVDSTADR", "ESME_RINVDSTADR"]),
        ("380501234573", ["ESME_RTHROTTLED", "ESME_ROK"]),
        ("380501234574", ["ESME_ROK", "ESME_ROK"]),
    ],
)
async def test_numbers_that_behave_oddly(centre: SmsCentre, number: str, results: list[str]) -> None:
    async with bound(centre.port) as opened:
        assert [(await opened.send(short_message(to=number), NOW)).code for _ in results] == results


async def test_a_receipt_that_could_not_be_stored_comes_again() -> None:
    store = Store(failures=2)
    timing = Timing(delivery=(1, 1), retry=10)
    centre = SmsCentre(clock=SystemClock(), journal=None, random=Random(1), timing=timing)
    await centre.start()
    async with bound(centre.port, store) as opened:
        result = await opened.send(short_message(), NOW)
        await until(lambda: store.taken)
        assert [receipt.token for receipt in store.taken] == [result.token]
    await centre.stop()


# --- npm's ------------------------------------------------------------------------------------------------------------


class NpmCentre:
    """The process of ``smsc/server.js`` and what it said."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.port = 0

    async def listen(self, said: asyncio.StreamReader) -> None:
        while line := await said.readline():
            self.said.append(json.loads(line))

    def all(self, event: str) -> list[dict[str, Any]]:
        return [said for said in self.said if said["event"] == event]


@asynccontextmanager
async def npm_centre() -> AsyncIterator[NpmCentre]:
    if not (SMSC / "node_modules").exists():
        pytest.fail("the npm package smpp is not installed; `make test` does it")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(NODE, SMSC / "server.js", stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    running = NpmCentre()
    listening = asyncio.create_task(running.listen(process.stdout))
    try:
        await until(lambda: running.said or listening.done())
        running.port = running.said[0]["port"]
        yield running
    finally:
        process.stdin.close()
        await listening
        await process.wait()


async def test_npm_texts_arrive_and_receipts_come_back() -> None:
    store = Store()
    async with npm_centre() as centre, bound(centre.port, store, receipt_id="decimal_to_hex") as opened:
        await until(lambda: centre.all("submit"))  # the one by which ``bound`` knew that it is bound
        results = [await opened.send(short_message(text, id=n), NOW) for n, text in enumerate(TEXTS)]
        assert {result.outcome for result in results} == {Outcome.SENT}
        await until(lambda: len(store.taken) == len(TEXTS))
        assert [receipt.token for receipt in store.taken] == [result.token for result in results]
        await until(lambda: len(centre.all("receipt")) == len(TEXTS))  # what it says comes later than what it does
        submits = centre.all("submit")[1:]
    assert "".join(submit["text"] for submit in submits) == "".join(TEXTS)
    assert [submit["header"][6:] for submit in submits] == [
        "", "", "0201", "0202", "", "0201", "0202", "0601", "0602", "0603", "0604", "0605", "0606",
    ]  # fmt: skip
    assert [submit["registered_delivery"] for submit in submits] == [1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1]
    assert centre.all("error") == []


async def test_npm_sees_the_session_as_it_should_be() -> None:
    async with npm_centre() as centre:
        async with bound(centre.port, system_type="ota") as opened:
            await opened.send(short_message("Hi", sender="12345"), NOW)
        await until(lambda: centre.all("unbind"))
        assert centre.all("bind") == [
            {"event": "bind", "system_id": "gate", "system_type": "ota", "version": 0x34, "welcome": True}
        ]
        assert [alive["status"] for alive in centre.all("alive")] == [0]
        assert centre.all("submit")[-1] == {
            "event": "submit", "source_addr": "12345", "source_addr_ton": 1, "source_addr_npi": 1,
            "destination_addr": "380501234500", "dest_addr_ton": 1, "dest_addr_npi": 1, "esm_class": 0,
            "data_coding": 0, "registered_delivery": 1, "text": "Hi", "header": "",
        }  # fmt: skip


async def test_npm_throttles_once_and_refuses() -> None:
    async with npm_centre() as centre, bound(centre.port) as opened:
        throttled = [await opened.send(short_message(to="380501234573"), NOW) for _ in range(2)]
        assert [result.outcome for result in throttled] == [Outcome.THROTTLED, Outcome.SENT]
        refused = await opened.send(short_message(to="380501234572"), NOW)
        assert (refused.outcome, refused.code) == (Outcome.REFUSED, "ESME_RINVDSTADR")


async def test_npm_delivers_a_receipt_again_that_was_not_stored() -> None:
    store = Store(failures=2)
    async with npm_centre() as centre, bound(centre.port, store) as opened:
        await opened.send(short_message(), NOW)
        await until(lambda: len(centre.all("receipt")) == 3)
        assert [told["status"] for told in centre.all("receipt")] == [8, 8, 0]
        assert len(store.taken) == 1


async def test_npm_refuses_a_wrong_password() -> None:
    async with npm_centre() as centre:
        opened = provider(centre.port, password="wrong")
        await opened.open(Store().take)
        await until_said(opened, "ESME_RINVPASWD")
        await opened.close()
