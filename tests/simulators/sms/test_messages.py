"""What is accepted, and what then appears on the phone."""

from __future__ import annotations

from typing import Any

import pytest
import smpp34

from chatgate.simulators.sms import alphabet
from tests.simulators.sms.stage import NUMBER, Esme, Stage


def part(place: int, total: int, text: bytes, reference: int = 9) -> dict[str, Any]:
    return {"text": bytes([5, 0, 3, reference, total, place]) + text, "esm_class": 0x40}


async def texts(stage: Stage, esme: Esme, *submits: dict[str, Any]) -> list[str]:
    """Return what is on the phone after some submits, newest first."""
    for submit in submits:
        assert (await esme.submit(**submit))[0] == 0
        await stage.pass_time(500)
    return [message.text for message in stage.centre.inbox(None, NUMBER)]


async def test_a_message_appears_when_it_is_delivered(stage: Stage) -> None:
    esme = await stage.bind()
    status, token = await esme.submit()
    accepted_at = stage.clock.now()
    assert (status, stage.centre.inbox(None, NUMBER)) == (0, [])
    await stage.pass_time(499)
    assert stage.centre.inbox(None, NUMBER) == []
    await stage.pass_time(1)
    (message,) = stage.centre.inbox(None, NUMBER)
    assert (message.text, message.sender, message.parts, message.token) == ("Hello", "Shop", 1, token)
    assert (message.received_at, message.status) == (accepted_at + 500, "DELIVRD")


async def test_what_arrived_in_one_instant_is_shown_in_the_order_it_was_sent(stage: Stage) -> None:
    esme = await stage.bind()
    for text in ("a", "b"):
        await esme.submit(text)
    await stage.pass_time(500)
    assert [message.text for message in stage.centre.inbox(None, NUMBER)] == ["b", "a"]


async def test_the_inbox_is_of_one_phone_and_some_senders(stage: Stage) -> None:
    esme = await stage.bind()
    for sender in ("A", "B", "C"):
        await esme.submit(sender, sender=sender)
        await stage.pass_time(500)
    await esme.submit("elsewhere", to="380501234599")
    await stage.pass_time(500)
    assert [message.text for message in stage.centre.inbox(None, NUMBER)] == ["C", "B", "A"]
    assert [message.text for message in stage.centre.inbox(["A", "C"], NUMBER)] == ["C", "A"]
    assert stage.centre.inbox([], NUMBER) == []
    assert stage.centre.inbox(None, "380501234598") == []


@pytest.mark.parametrize(
    ("submit", "text"),
    [
        ({"text": b"\x00\x1b\x65\x09\x1e"}, "@€Çß"),
        ({"text": b"\x1b\x3c\x1b\x3e", "data_coding": 1}, "[]"),
        ({"text": b"a\x1b"}, "a\ufffd"),
        ({"text": b"\x1ba"}, "a"),
        ({"text": b"\x80"}, "\ufffd"),
        ({"text": b"\xe9", "data_coding": 3}, "é"),
        ({"text": "Привіт 😀".encode("utf-16-be"), "data_coding": 8}, "Привіт 😀"),
        ({"text": b"\xd8\x3d", "data_coding": 8}, "\ufffd"),
        ({"text": b"", "tlvs": [smpp34.Tlv(0x0424, b"a" * 300)]}, "a" * 300),
        ({"text": b""}, ""),
        # a header of something else (a port), and two that make no sense
        ({"text": b"\x06\x05\x04\x0b\x84\x23\xf0hi", "esm_class": 0x40}, "hi"),
        ({"text": b"\x05\x00\x03\x09\x02\x03hi", "esm_class": 0x40}, "hi"),
        ({"text": b"\x05\x00\x03\x09\x02\x00hi", "esm_class": 0x40}, "hi"),
    ],
)
async def test_how_a_text_is_read(stage: Stage, submit: dict[str, Any], text: str) -> None:
    assert await texts(stage, await stage.bind(), submit) == [text]


@pytest.mark.parametrize(
    ("submits", "shown"),
    [
        ([part(1, 2, b"Hello "), part(2, 2, b"world")], ["Hello world"]),
        ([part(2, 2, b"world"), part(1, 2, b"Hello ")], ["Hello world"]),
        ([part(1, 3, b"a"), part(3, 3, b"c")], []),
        ([part(1, 2, b"a", 1), part(1, 2, b"x", 2), part(2, 2, b"b", 1), part(2, 2, b"y", 2)], ["xy", "ab"]),
        ([part(1, 2, b"a"), part(2, 2, b"b"), part(1, 2, b"c"), part(2, 2, b"d")], ["cd", "ab"]),
        ([part(1, 3, b"a"), part(1, 3, b"a"), part(2, 3, b"b"), part(3, 3, b"c")], ["abc"]),
        ([part(1, 2, b"a"), part(2, 2, b"b") | {"sender": "Other"}], []),
        (
            [
                {"text": b"\x06\x08\x04\x01\x02\x02\x01a", "esm_class": 0x40},
                {"text": b"\x06\x08\x04\x01\x02\x02\x02b", "esm_class": 0x40},
            ],
            ["ab"],
        ),
    ],
)
async def test_how_parts_are_joined(stage: Stage, submits: list[dict[str, Any]], shown: list[str]) -> None:
    assert await texts(stage, await stage.bind(), *submits) == shown


async def test_a_joined_message_has_the_last_parts_token(stage: Stage) -> None:
    esme = await stage.bind()
    _, last = await esme.submit(**part(2, 2, b"b"))
    await esme.submit(**part(1, 2, b"a"))
    await stage.pass_time(500)
    (message,) = stage.centre.inbox(None, NUMBER)
    assert (message.token, message.parts) == (last, 2)


async def test_parts_of_two_who_send_are_not_joined(stage: Stage) -> None:
    one, other = await stage.bind("one"), await stage.bind("other")
    await one.submit(**part(1, 2, b"a"))
    assert await texts(stage, other, part(2, 2, b"b")) == []


@pytest.mark.parametrize(
    ("submit", "status"),
    [
        ({"to": "380501234572"}, 0x0B),
        ({"to": ""}, 0x0B),
        ({"to": "+380501234500"}, 0x0B),
        ({"to": "12"}, 0x0B),
        ({"to": "1" * 21}, 0x0B),
        ({"sender": ""}, 0x0A),
        ({"text": b"a" * 160}, 0),
        ({"text": b"a" * 161}, 0x01),
        (part(1, 2, b"a" * 153), 0),
        (part(1, 2, b"a" * 154), 0x01),
        ({"text": b"\0a" * 70, "data_coding": 8}, 0),
        ({"text": b"\0a" * 71, "data_coding": 8}, 0x01),
        (part(1, 2, b"\0a" * 67) | {"data_coding": 8}, 0),
        (part(1, 2, b"\0a" * 68) | {"data_coding": 8}, 0x01),
    ],
)
async def test_what_is_refused(stage: Stage, submit: dict[str, Any], status: int) -> None:
    esme = await stage.bind()
    answered, token = await esme.submit(**submit)
    assert (answered, bool(token)) == (status, status == 0)


async def test_a_number_is_throttled_once(stage: Stage) -> None:
    esme = await stage.bind()
    numbers = ["380501234573", "380501234573", "380501234573", "380501239973"]
    assert [(await esme.submit(to=number))[0] for number in numbers] == [0x58, 0, 0, 0x58]


@pytest.mark.parametrize("number", ["380501234571", "380501234574"])
async def test_numbers_that_get_nothing(stage: Stage, number: str) -> None:
    esme = await stage.bind()
    assert (await esme.submit(to=number))[0] == 0
    await stage.pass_time(100_000)
    assert stage.centre.inbox(None, number) == []


async def test_requests_can_be_looked_at(stage: Stage) -> None:
    esme = await stage.bind()
    await esme.submit(b"Hi", sender="Shop", source_addr_ton=5, validity_period="000000000130000R")
    await esme.submit(to="380501234572")
    first, second = stage.centre.requests()
    assert (first.source, first.source_ton, first.data, first.validity_period) == ("Shop", 5, b"Hi", "000000000130000R")
    assert second.destination == "380501234572"


def test_the_alphabet_has_every_septet_once() -> None:
    characters = [alphabet.read(bytes([septet]), 0, 0).text for septet in range(128) if septet != 0x1B]
    assert len(set(characters)) == 127
