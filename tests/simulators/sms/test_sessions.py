"""Who may bind, and what a session may ask."""

from __future__ import annotations

import struct

import pytest

from tests.simulators.sms.stage import (
    ANSWER,
    BIND_RECEIVER,
    BIND_TRANSCEIVER,
    BIND_TRANSMITTER,
    ENQUIRE,
    NUMBER,
    UNBIND,
    Stage,
)


@pytest.mark.parametrize("command", [BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER])
async def test_anybody_is_let_in(stage: Stage, command: int) -> None:
    esme = await stage.connect()
    assert await esme.bind("whoever", "whatever", command=command) == (0, b"chatgate\0\x02\x10\0\x01\x34")


@pytest.mark.parametrize(
    ("system_id", "password", "status"), [("me", "right", 0), ("me", "wrong", 0x0E), ("", "right", 0x0F)]
)
async def test_a_configured_password_is_asked_for(system_id: str, password: str, status: int) -> None:
    async with Stage(password="right") as stage:
        esme = await stage.connect()
        assert (await esme.bind(system_id, password))[0] == status
        assert (await esme.submit())[0] == (0 if status == 0 else 4)


async def test_a_session_binds_once(stage: Stage) -> None:
    esme = await stage.bind()
    assert (await esme.bind())[0] == 5


async def test_a_refused_bind_may_be_tried_again() -> None:
    async with Stage(password="right") as stage:
        esme = await stage.connect()
        assert (await esme.bind("me", "wrong"))[0] == 0x0E
        assert (await esme.bind("me", "right"))[0] == 0


async def test_only_who_is_bound_to_send_may_send(stage: Stage) -> None:
    assert (await (await stage.connect()).submit())[0] == 4
    assert (await (await stage.bind(command=BIND_RECEIVER)).submit())[0] == 4
    assert (await (await stage.bind(command=BIND_TRANSMITTER)).submit())[0] == 0


async def test_it_says_that_it_is_there(stage: Stage) -> None:
    esme = await stage.bind()
    assert await esme.ask(ENQUIRE) == (ENQUIRE | ANSWER, 0, b"")


async def test_an_unbind_is_answered_and_ends_the_connection(stage: Stage) -> None:
    esme = await stage.bind()
    assert await esme.ask(UNBIND) == (UNBIND | ANSWER, 0, b"")
    await esme.closed.wait()


async def test_a_command_that_it_does_not_know_is_nacked(stage: Stage) -> None:
    esme = await stage.bind()
    assert await esme.ask(0x08) == (ANSWER, 3, b"")  # cancel_sm


@pytest.mark.parametrize("command", [0x04, 0x09])
async def test_a_body_that_is_too_short_is_refused(stage: Stage, command: int) -> None:
    esme = await (stage.bind() if command == 0x04 else stage.connect())
    assert await esme.ask(command, b"no end") == (command | ANSWER, 2, b"")


@pytest.mark.parametrize("length", [0, 15, 1 << 20])
async def test_a_frame_of_an_impossible_length_ends_the_connection(stage: Stage, length: int) -> None:
    esme = await stage.bind()
    esme.write_bytes(struct.pack(">IIII", length, 4, 0, 77))
    await esme.closed.wait()
    assert esme.nacks == [2]


async def test_frames_may_come_in_pieces_and_together(stage: Stage) -> None:
    esme = await stage.connect()
    bind = struct.pack(">IIII", 26, BIND_TRANSCEIVER, 0, 900) + b"me\0\0\0\x34\0\0\0\0"
    for octet in bind + struct.pack(">IIII", 16, ENQUIRE, 0, 901):
        esme.write_bytes(bytes([octet]))
    assert (await esme.ask(ENQUIRE))[1] == 0
    assert esme.nacks == [0, 0]  # the answers to 900 and 901, which nobody here asked


async def test_every_system_id_has_its_own_sessions(stage: Stage) -> None:
    one, other = await stage.bind("one"), await stage.bind("other")
    await one.submit()
    await stage.pass_time(500)
    assert (len(one.receipts), len(other.receipts)) == (1, 0)
    assert len(stage.centre.inbox(None, NUMBER)) == 1
