from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpp34 import DeliverSm, SmppError, Tlv, decode

from chatgate.domain.receipt import Receipt, ReceiptStatus
from chatgate.providers.smpp import receipts
from chatgate.providers.smpp.options import Dialect

FULL = "id:{id} sub:001 dlvrd:001 submit date:2611240900 done date:2611240901 stat:{stat} err:{err} text:Hello"


def read(text: str, tlvs: list[Tlv] | None = None, dialect: Dialect = "as_is", coding: str = "ascii") -> Receipt | None:
    data_coding = 8 if coding == "utf-16-be" else 0
    sent = DeliverSm("380501234500", "Shop", text.encode(coding), esm_class=4, data_coding=data_coding, tlvs=tlvs or [])
    arrived = decode(sent.encode())
    assert isinstance(arrived, DeliverSm)
    return receipts.read(arrived, provider="sms", dialect=dialect, at=17)


def test_a_receipt_by_the_book() -> None:
    assert read(FULL.format(id="4d2", stat="DELIVRD", err="000")) == Receipt(
        provider="sms",
        token="4d2",
        status=ReceiptStatus.DELIVERED,
        at=17,
        service_id="Shop",
        recipient="380501234500",
    )


@pytest.mark.parametrize(
    ("stat", "status"),
    [
        ("DELIVRD", ReceiptStatus.DELIVERED),
        ("delivrd", ReceiptStatus.DELIVERED),
        ("DELIVERED", ReceiptStatus.DELIVERED),
        ("EXPIRED", ReceiptStatus.EXPIRED),
        ("UNDELIV", ReceiptStatus.UNDELIVERED),
        ("UNDELIVERABLE", ReceiptStatus.UNDELIVERED),
        ("REJECTD", ReceiptStatus.UNDELIVERED),
        ("Rejected", ReceiptStatus.UNDELIVERED),
        ("FAILED", ReceiptStatus.UNDELIVERED),
        ("DELETED", ReceiptStatus.UNDELIVERED),
        ("ENROUTE", None),
        ("ACCEPTD", None),
        ("UNKNOWN", None),
        ("BUFFERED", None),
    ],
)
def test_words(stat: str, status: ReceiptStatus | None) -> None:
    receipt = read(FULL.format(id="1", stat=stat, err="000"))
    assert (receipt and receipt.status) == status


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (1, None),
        (2, ReceiptStatus.DELIVERED),
        (3, ReceiptStatus.EXPIRED),
        (4, ReceiptStatus.UNDELIVERED),
        (5, ReceiptStatus.UNDELIVERED),
        (6, None),
        (7, None),
        (8, ReceiptStatus.UNDELIVERED),
    ],
)
def test_states(state: int, status: ReceiptStatus | None) -> None:
    receipt = read("", [Tlv(0x1E, b"9f\0"), Tlv(0x427, bytes([state]))])
    assert (receipt and receipt.status) == status
    assert receipt is None or receipt.token == "9f"


def test_a_failure_says_why() -> None:
    receipt = read(FULL.format(id="1", stat="UNDELIV", err="011"))
    assert receipt is not None
    assert (receipt.code, receipt.reason) == ("UNDELIV", "The SMS centre reports UNDELIV (error 011).")


@pytest.mark.parametrize(
    ("text", "tlvs", "token", "status"),
    [
        # the parameters go first, each for itself
        (FULL.format(id="1", stat="UNDELIV", err="1"), [Tlv(0x1E, b"2\0"), Tlv(0x427, b"\2")], "2", "delivered"),
        (FULL.format(id="1", stat="UNDELIV", err="1"), [Tlv(0x427, b"\2")], "1", "delivered"),
        (FULL.format(id="1", stat="UNDELIV", err="1"), [Tlv(0x1E, b"2\0")], "2", "undelivered"),
        (FULL.format(id="1", stat="UNDELIV", err="1"), [Tlv(0x1E, b"2")], "2", "undelivered"),
        # parameters that say nothing
        (FULL.format(id="1", stat="DELIVRD", err="0"), [Tlv(0x1E, b"\0"), Tlv(0x427, b"\x09")], "1", "delivered"),
        (FULL.format(id="1", stat="DELIVRD", err="0"), [Tlv(0x1E, b"a\nb\0"), Tlv(0x427, b"")], "1", "delivered"),
        # the text may be in message_payload
        ("", [Tlv(0x424, b"id:7 stat:EXPIRED")], "7", "expired"),
        # dialects
        ("id:1,sub:1,dlvrd:1,stat:DELIVRD,err:0", [], "1", "delivered"),
        ("ID: 1 STAT: DELIVRD", [], "1", "delivered"),
        ("id=1;stat=DELIVRD;err=0", [], "1", "delivered"),
        ("id:a-b_c.9 stat:DELIVRD", [], "a-b_c.9", "delivered"),
        ("stat:DELIVRD id:1", [], "1", "delivered"),
        # the text of the message itself is not looked at
        ("id:1 stat:DELIVRD err:000 Text:id:2 stat:UNDELIV", [], "1", "delivered"),
    ],
)
def test_where_it_is_said(text: str, tlvs: list[Tlv], token: str, status: str) -> None:
    receipt = read(text, tlvs)
    assert receipt is not None
    assert (receipt.token, receipt.status) == (token, status)


@pytest.mark.parametrize(
    "text", ["", "Hello", "id: stat:DELIVRD", "id:1", "stat:DELIVRD", "text:id:1 stat:DELIVRD", "paid:1 stat:DELIVRD"]
)
def test_what_does_not_say_enough_is_no_receipt(text: str) -> None:
    assert read(text) is None


def test_a_text_in_ucs2() -> None:
    receipt = read("id:1 stat:DELIVRD", coding="utf-16-be")
    assert receipt is not None
    assert receipt.token == "1"


@pytest.mark.parametrize(("esm_class", "is_one"), [(4, True), (0x44, True), (0, False), (0x08, False), (0x20, False)])
def test_what_is_a_receipt_at_all(esm_class: int, is_one: bool) -> None:
    delivered = DeliverSm("380501234500", "Shop", b"id:1 stat:DELIVRD", esm_class=esm_class)
    assert receipts.is_receipt(delivered) is is_one


@pytest.mark.parametrize(
    ("dialect", "reply", "receipt"),
    [
        ("as_is", "0A1b", "0A1b"),
        ("hex_to_decimal", "2587", "a1b"),
        ("hex_to_decimal", "0000002587", "0A1B"),
        ("decimal_to_hex", "A1B", "2587"),
        ("decimal_to_hex", "0a1b", "0000002587"),
        ("decimal_to_hex", "not-a-number", "not-a-number"),
    ],
)
def test_ids_of_replies_and_receipts_meet(dialect: Dialect, reply: str, receipt: str) -> None:
    assert receipts.reply_token(reply, dialect) == receipts.receipt_token(receipt, dialect)


@pytest.mark.parametrize("dialect", ["as_is", "hex_to_decimal", "decimal_to_hex"])
def test_different_ids_stay_different(dialect: Dialect) -> None:
    assert receipts.reply_token("10", dialect) != receipts.receipt_token("11", dialect)
    assert receipts.reply_token("0010", "as_is") != receipts.reply_token("10", "as_is")


@given(st.binary(max_size=300))
def test_nothing_that_arrives_can_hurt(body: bytes) -> None:
    head = b"\0\1\1380501234500\0\5\0Shop\0\4\0\0\0\0\0\0\0\0"
    for inside in (body, head + body, head + bytes([len(body) % 256]) + body):
        try:
            delivered = decode(struct.pack(">IIII", 16 + len(inside), 5, 0, 1) + inside)
        except SmppError:
            continue
        assert isinstance(delivered, DeliverSm)
        receipt = receipts.read(delivered, provider="sms", dialect="hex_to_decimal", at=0)
        assert receipt is None or receipt.token.isprintable()
