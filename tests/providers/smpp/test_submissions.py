from __future__ import annotations

import struct
from typing import Any

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from chatgate.clock import DAY, HOUR, MINUTE, SECOND
from chatgate.domain.message import Message
from chatgate.providers.smpp.options import Options
from chatgate.providers.smpp.submissions import submissions, validity_period
from chatgate.simulators.sms import alphabet
from tests.providers.short_message import NOW, short_message


def submits(message: Message, **own: Any) -> list[smpp34.SubmitSm]:
    """Return what the bodies say."""
    read = []
    for body in submissions(message, NOW, Options(system_id="gate", **own)):
        submit = smpp34.decode(struct.pack(">IIII", 16 + len(body), 4, 0, 1) + body)
        assert isinstance(submit, smpp34.SubmitSm)
        read.append(submit)
    return read


def test_a_short_text() -> None:
    (submit,) = submits(short_message("Hi €", "380501234500", ttl=90))
    assert submit.short_message == b"Hi \x1be"
    assert (submit.source_addr, submit.destination_addr) == ("Shop", "380501234500")
    assert (submit.esm_class, submit.data_coding, submit.registered_delivery) == (0, 0, 1)
    assert submit.validity_period == "000000000130000R"
    assert (submit.service_type, submit.schedule_delivery_time, submit.protocol_id, submit.tlvs) == ("", "", 0, [])


@pytest.mark.parametrize(
    ("sender", "own", "source", "destination"),
    [
        ("Shop", {}, (5, 0), (1, 1)),
        ("380501112233", {}, (1, 1), (1, 1)),
        ("12345", {"source_ton": 3, "source_npi": 0}, (3, 0), (1, 1)),
        ("Shop", {"destination_ton": 0, "destination_npi": 0}, (5, 0), (0, 0)),
        ("Shop", {"source_ton": 0}, (0, 0), (1, 1)),
    ],
)
def test_what_kind_of_address_it_is(
    sender: str, own: dict[str, int], source: tuple[int, int], destination: tuple[int, int]
) -> None:
    (submit,) = submits(short_message(sender=sender), **own)
    assert (submit.source_addr_ton, submit.source_addr_npi) == source
    assert (submit.dest_addr_ton, submit.dest_addr_npi) == destination


@pytest.mark.parametrize(
    ("text", "own", "coding"),
    [("Hello", {}, 0), ("Hello", {"data_coding": 1}, 1), ("Привіт", {}, 8), ("Привіт", {"data_coding": 1}, 8)],
)
def test_how_the_text_is_written(text: str, own: dict[str, int], coding: int) -> None:
    (submit,) = submits(short_message(text), **own)
    assert submit.data_coding == coding
    assert alphabet.read(submit.short_message, coding, 0).text == text


def test_a_long_text_asks_for_one_receipt() -> None:
    parts = submits(short_message("a" * 400))
    assert [part.registered_delivery for part in parts] == [0, 0, 1]
    assert {part.esm_class for part in parts} == {0x40}
    assert [part.short_message[:3] for part in parts] == [b"\5\0\3"] * 3
    assert [tuple(part.short_message[4:6]) for part in parts] == [(3, 1), (3, 2), (3, 3)]
    assert len({part.short_message[3] for part in parts}) == 1


def test_the_reference_is_the_messages_own() -> None:
    references = {submits(short_message("a" * 200, id=key))[0].short_message[3] for key in range(0, 1 << 30, 1 << 22)}
    assert len(references) > 100  # keys of one millisecond each, as they are made
    again = [submits(short_message("a" * 200, id=5))[0].short_message[3] for _ in range(2)]
    assert again[0] == again[1]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=1000))
def test_a_phone_reads_what_was_written(text: str) -> None:
    parts = submits(short_message(text))
    assert "".join(alphabet.read(p.short_message, p.data_coding, p.esm_class).text for p in parts) == text
    assert all(alphabet.fits(p.short_message, p.data_coding, p.esm_class) for p in parts)


@pytest.mark.parametrize(
    ("left", "period"),
    [
        (1 * SECOND, "000000000001000R"),
        (59_999, "000000000059000R"),
        (2 * HOUR + 3 * MINUTE + 4 * SECOND, "000000020304000R"),
        (14 * DAY, "000014000000000R"),
        (999, "000000000001000R"),
        (-5, "000000000001000R"),
        (1000 * DAY, "000099235959000R"),
    ],
)
def test_what_is_left_of_the_time_to_live(left: int, period: str) -> None:
    assert validity_period(left) == period


@pytest.mark.parametrize("sender", ["", "Ärger", "a\0b", "a" * 21])
def test_a_sender_that_is_no_address_is_not_written(sender: str) -> None:
    with pytest.raises(ValueError, match="address"):
        submits(short_message(sender=sender))
