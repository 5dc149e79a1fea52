"""What the provider makes of a centre that does not behave."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme
from smpp34 import DeliverSm

from chatgate.domain.message import Outcome
from tests.providers.short_message import NOW, short_message
from tests.providers.smpp.bound import Store, bound, provider, until, until_bound, until_said
from tests.providers.smpp.raw_centre import (
    ANSWER,
    BIND,
    DELIVER,
    ENQUIRE,
    SUBMIT,
    UNBIND,
    Line,
    Pdu,
    RawCentre,
    accept,
    refuse,
    stay_silent,
)

RECEIPT = DeliverSm("380501234500", "Shop", b"id:id1 stat:DELIVRD", esm_class=4, sequence_number=99).encode()


async def test_it_binds_as_transceiver_of_version_3_4() -> None:
    async with RawCentre() as centre, bound(centre.port, system_type="ota"):
        (bind,) = centre.all(BIND)
        assert bind.body == b"gate\0secret\0ota\0\x34\0\0\0"


async def test_until_it_is_bound_a_message_is_deferred() -> None:
    async with RawCentre(bind=stay_silent) as centre:
        opened = provider(centre.port)
        assert (await opened.send(short_message(), NOW)).code == "NotBound"
        await opened.open(Store().take)
        await until(lambda: centre.all(BIND))
        result = await opened.send(short_message(), NOW)
        assert (result.outcome, result.code) == (Outcome.DEFERRED, "NotBound")
        assert centre.all(SUBMIT) == []
        await opened.close()


async def test_opening_does_not_wait_for_a_centre_that_is_not_there() -> None:
    async with RawCentre() as centre:
        port = centre.port
    opened = provider(port)
    await opened.open(Store().take)
    await until_said(opened, "ConnectionRefusedError")
    await opened.close()


async def test_a_refused_bind_is_said_and_tried_again() -> None:
    async with RawCentre(bind=refuse(0x0E)) as centre:
        opened = provider(centre.port)
        await opened.open(Store().take)
        await until_said(opened, "ESME_RINVPASWD")
        centre.on[BIND] = accept
        await until_bound(opened)
        assert (await opened.send(short_message(), NOW)).outcome is Outcome.SENT
        await opened.close()


async def test_it_binds_again_when_the_connection_is_lost() -> None:
    async with RawCentre() as centre, bound(centre.port) as opened:
        centre.lines[0].cut()
        await until(lambda: len(centre.all(BIND)) == 2)
        await until_bound(opened)
        assert (await opened.send(short_message(), NOW)).outcome is Outcome.SENT


async def test_it_binds_again_when_the_centre_unbinds() -> None:
    async with RawCentre() as centre, bound(centre.port):
        centre.lines[0].write(UNBIND, 0, 500)
        await until(lambda: Pdu(UNBIND | ANSWER, 0, 500, b"") in centre.got)
        await until(lambda: len(centre.all(BIND)) == 2)


async def test_it_unbinds_when_it_is_closed() -> None:
    async with RawCentre() as centre:
        async with bound(centre.port):
            pass
        assert centre.got[-1].command == UNBIND


async def test_closing_does_not_need_an_answer() -> None:
    async with RawCentre(unbind=lambda line, pdu: line.cut()) as centre, bound(centre.port):
        pass


async def test_a_connection_lost_with_a_submit_open_leaves_the_outcome_unknown() -> None:
    async with RawCentre() as centre, bound(centre.port) as opened:
        centre.on[SUBMIT] = lambda line, pdu: line.cut()
        result = await opened.send(short_message(), NOW)
        assert (result.outcome, result.code) == (Outcome.UNKNOWN, "ReplyLost")


async def test_a_reply_that_does_not_come_leaves_the_outcome_unknown() -> None:
    async with RawCentre() as centre, bound(centre.port, reply_timeout=0.1) as opened:
        centre.on[SUBMIT] = stay_silent
        result = await opened.send(short_message(), NOW)
        assert (result.outcome, result.code) == (Outcome.UNKNOWN, "ReplyLost")
        late = centre.all(SUBMIT)[-1]
        centre.on[SUBMIT] = accept
        centre.lines[0].answer(late, body=b"late\0")
        assert (await opened.send(short_message(), NOW)).token != "late"


async def test_a_reply_without_an_id_leaves_the_outcome_unknown() -> None:
    async with RawCentre() as centre, bound(centre.port) as opened:
        centre.on[SUBMIT] = lambda line, pdu: line.answer(pdu, body=b"\0")
        assert (await opened.send(short_message(), NOW)).code == "NoToken"


async def test_replies_find_their_requests_in_any_order() -> None:
    waiting: list[Pdu] = []

    def reverse(line: Line, pdu: Pdu) -> None:
        waiting.append(pdu)
        if len(waiting) == 3:
            for held in reversed(waiting):
                line.answer(held, body=held.body[-1:] + b"\0")

    async with RawCentre() as centre, bound(centre.port) as opened:
        centre.on[SUBMIT] = reverse
        results = await asyncio.gather(*(opened.send(short_message(text), NOW) for text in "abc"))
        assert [result.token for result in results] == ["a", "b", "c"]


async def test_frames_may_come_in_pieces() -> None:
    def stutter(line: Line, pdu: Pdu) -> None:
        asyncio.get_running_loop().create_task(slowly(line, pdu))

    async def slowly(line: Line, pdu: Pdu) -> None:
        frame = b"\0\0\0\x16" + (SUBMIT | ANSWER).to_bytes(4, "big") + bytes(4) + pdu.sequence.to_bytes(4, "big")
        for octet in frame + b"piece\0":
            line.write_bytes(bytes([octet]))
            await asyncio.sleep(0)

    async with RawCentre() as centre, bound(centre.port) as opened:
        centre.on[SUBMIT] = stutter
        assert (await opened.send(short_message(), NOW)).token == "piece"


@pytest.mark.parametrize("junk", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x0f" + bytes(12), b"\x7f" * 16])
async def test_a_stream_that_is_not_smpp_ends_the_session(junk: bytes) -> None:
    async with RawCentre() as centre, bound(centre.port):
        centre.lines[0].write_bytes(junk)
        await until(lambda: len(centre.all(BIND)) == 2)


async def test_the_window_is_never_exceeded() -> None:
    async with RawCentre() as centre, bound(centre.port, max_in_flight=3) as opened:
        before = len(centre.all(SUBMIT))
        centre.on[SUBMIT] = stay_silent
        sends = [asyncio.create_task(opened.send(short_message(), NOW)) for _ in range(10)]
        await until(lambda: len(centre.all(SUBMIT)) - before == 3)
        await asyncio.sleep(0.05)
        assert len(centre.all(SUBMIT)) - before == 3
        centre.on[SUBMIT] = accept
        for pdu in centre.all(SUBMIT)[-3:]:
            accept(centre.lines[0], pdu)
        assert {(await send).outcome for send in sends} == {Outcome.SENT}


# --- is the other side still there ------------------------------------------------------------------------------------


async def test_it_answers_the_centre_that_asks() -> None:
    async with RawCentre() as centre, bound(centre.port):
        centre.lines[0].write(ENQUIRE, 0, 321)
        await until(lambda: Pdu(ENQUIRE | ANSWER, 0, 321, b"") in centre.got)


async def test_it_asks_the_centre_and_leaves_one_that_is_silent() -> None:
    async with RawCentre(enquire=stay_silent) as centre, bound(centre.port, enquire_link=1, reply_timeout=0.1):
        await until(lambda: centre.all(ENQUIRE))
        await until(lambda: len(centre.all(BIND)) == 2)


async def test_it_stays_with_a_centre_that_answers() -> None:
    async with RawCentre() as centre, bound(centre.port, enquire_link=1, reply_timeout=0.5):
        await until(lambda: len(centre.all(ENQUIRE)) == 2)
        assert len(centre.all(BIND)) == 1


async def test_a_command_that_it_does_not_know_is_refused() -> None:
    async with RawCentre() as centre, bound(centre.port):
        centre.lines[0].write(0x103, 0, 7)  # data_sm
        await until(lambda: Pdu(ANSWER, 3, 7, b"") in centre.got)


# --- receipts ---------------------------------------------------------------------------------------------------------


async def test_a_receipt_is_acknowledged_after_it_was_stored() -> None:
    store = Store()
    store.open.clear()
    async with RawCentre() as centre, bound(centre.port, store) as opened:
        centre.lines[0].write_bytes(RECEIPT)
        assert (await opened.send(short_message(), NOW)).outcome is Outcome.SENT  # a slow commit holds up no message
        assert centre.all(DELIVER | ANSWER) == []
        store.open.set()
        await until(lambda: centre.all(DELIVER | ANSWER))
        assert [receipt.token for receipt in store.taken] == ["id1"]
        assert centre.all(DELIVER | ANSWER) == [Pdu(DELIVER | ANSWER, 0, 99, b"\0")]


@pytest.mark.parametrize("error", [None, RuntimeError])
async def test_a_receipt_that_was_not_stored_is_asked_for_again(error: type[Exception] | None) -> None:
    store = Store(1, error) if error is not None else Store(1)
    async with RawCentre() as centre, bound(centre.port, store):
        centre.lines[0].write_bytes(RECEIPT)
        await until(lambda: centre.all(DELIVER | ANSWER))
        assert [pdu.status for pdu in centre.all(DELIVER | ANSWER)] == [8]
        assert store.taken == []
        centre.lines[0].write_bytes(RECEIPT)
        await until(lambda: len(centre.all(DELIVER | ANSWER)) == 2)
        assert centre.got[-1].status == 0
        assert len(store.taken) == 1


async def test_receipts_that_wait_are_stored_together_and_not_without_bound() -> None:
    store = Store()
    store.open.clear()
    async with RawCentre() as centre, bound(centre.port, store):
        centre.lines[0].write_bytes(RECEIPT * 1200)
        await until(lambda: len(centre.all(DELIVER | ANSWER)) >= 100)
        assert {pdu.status for pdu in centre.all(DELIVER | ANSWER)} == {0x14}
        store.open.set()
        await until(lambda: len(centre.all(DELIVER | ANSWER)) == 1200)
        stored = [pdu for pdu in centre.all(DELIVER | ANSWER) if pdu.status == 0]
        assert len(stored) == len(store.taken)


@pytest.mark.parametrize(
    "delivered",
    [
        DeliverSm("380501234500", "12345", b"STOP", sequence_number=99).encode(),
        DeliverSm("380501234500", "12345", b"id:1 stat:DELIVRD", sequence_number=99).encode(),
        DeliverSm("380501234500", "Shop", b"id:1 stat:ACCEPTD", esm_class=4, sequence_number=99).encode(),
    ],
)
async def test_what_is_no_receipt_is_acknowledged_and_not_stored(delivered: bytes) -> None:
    store = Store()
    async with RawCentre() as centre, bound(centre.port, store):
        centre.lines[0].write_bytes(delivered)
        await until(lambda: centre.all(DELIVER | ANSWER))
        assert centre.got[-1] == Pdu(DELIVER | ANSWER, 0, 99, b"\0")
        assert store.taken == []


async def test_a_delivery_that_cannot_be_read_is_refused_for_good() -> None:
    async with RawCentre() as centre, bound(centre.port):
        centre.lines[0].write(DELIVER, 0, 99, b"\0\1")
        await until(lambda: Pdu(DELIVER | ANSWER, 0x65, 99, b"\0") in centre.got)


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_it_speaks_tls(authority: trustme.CA, server_tls: ssl.SSLContext) -> None:
    with authority.cert_pem.tempfile() as ca_file:
        async with RawCentre(server_tls) as centre, bound(centre.port, scheme="smpps", ca_file=ca_file) as opened:
            assert (await opened.send(short_message(), NOW)).outcome is Outcome.SENT


async def test_it_does_not_speak_to_a_centre_that_nobody_vouches_for(server_tls: ssl.SSLContext) -> None:
    async with RawCentre(server_tls) as centre:
        opened = provider(centre.port, scheme="smpps")
        await opened.open(Store().take)
        await until_said(opened, "SSLCertVerificationError")
        assert centre.got == []
        await opened.close()
