"""What survives a restart and a kill, and what the journal makes of a damaged file."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgate.clock import DAY, HandClock
from chatgate.simulators.journal import Journal, JournalError
from chatgate.simulators.sms.records import (
    DECODER,
    Part,
    PartAccepted,
    PartDone,
    ReceiptSettled,
    Record,
    State,
    TimeAdvanced,
)
from chatgate.simulators.sms.world import World
from tests.simulators.sms.stage import NUMBER, Stage


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "centre" / "sms.jsonl"


async def test_a_message_is_on_disk_before_it_is_answered(journal: Path) -> None:
    async with Stage(journal) as stage:
        _, token = await (await stage.bind()).submit()
        assert token.encode() in journal.read_bytes()


async def test_what_was_accepted_is_delivered_after_a_restart(journal: Path) -> None:
    clock = HandClock()
    async with Stage(journal, clock=clock) as stage:
        await (await stage.bind()).submit()
    clock.advance(DAY)
    async with Stage(journal, clock=clock) as stage:
        await stage.centre.run_due()
        assert len(stage.centre.inbox(None, NUMBER)) == 1
        assert len(await (await stage.bind()).until_receipts(1)) == 1


async def test_what_was_not_told_is_told_after_a_restart(journal: Path) -> None:
    async with Stage(journal) as stage:
        esme = await stage.bind()
        esme.acknowledge = 8
        await esme.submit()
        await stage.pass_time(500)
        told = esme.receipts[0].short_message
        (before,) = stage.centre.inbox(None, NUMBER)
    async with Stage(journal) as stage:
        (receipt,) = await (await stage.bind()).until_receipts(1)
        assert receipt.short_message == told
        assert stage.centre.inbox(None, NUMBER) == [before]


async def test_what_was_told_is_not_told_again(journal: Path) -> None:
    async with Stage(journal) as stage:
        esme = await stage.bind()
        await esme.submit()
        await stage.pass_time(500)
    async with Stage(journal) as stage:
        esme = await stage.bind()
        await esme.submit("second", to="380501234599")
        await stage.pass_time(500)
        assert [receipt.source_addr for receipt in esme.receipts] == ["380501234599"]


async def test_a_new_life_has_new_tokens(journal: Path) -> None:
    tokens = []
    for _ in range(2):
        async with Stage(journal, seed=1) as stage:
            tokens.append((await (await stage.bind()).submit())[1])
    assert len(set(tokens)) == 2


async def test_the_time_is_known_again(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.centre.advance("Shop", DAY)
        stage.centre.advance(None, 5)
    async with Stage(journal) as stage:
        assert stage.centre.now("Shop") == stage.clock.now() + DAY + 5
        assert stage.centre.now("Other") == stage.clock.now() + 5


@pytest.mark.parametrize("torn", [b"{", b'{"record":"done","tok', b'{"record":"accepted"}\n', b"\xff\n"])
async def test_a_torn_last_line_is_cut_off(journal: Path, torn: bytes) -> None:
    async with Stage(journal) as stage:
        await (await stage.bind()).submit()
    sound = journal.read_bytes()
    journal.write_bytes(sound + torn)
    async with Stage(journal) as stage:
        assert journal.read_bytes() == sound
        await (await stage.bind()).submit()
    async with Stage(journal) as stage:
        assert len(stage.centre._world.parts) == 2


async def test_a_damaged_line_in_the_middle_stops_the_start(journal: Path) -> None:
    async with Stage(journal) as stage:
        await (await stage.bind()).submit()
    journal.write_bytes(b"{}\n" + journal.read_bytes())
    with pytest.raises(JournalError, match="line 1 is damaged"):
        await Stage(journal).centre.start()


async def test_two_centres_do_not_share_a_journal(journal: Path) -> None:
    async with Stage(journal):
        with pytest.raises(JournalError, match="in use"):
            await Stage(journal).centre.start()


async def test_an_address_that_is_taken_leaves_the_journal_free(journal: Path) -> None:
    async with Stage() as other:
        taken = other.centre.port
        centre = Stage(journal).centre
        with pytest.raises(OSError, match="in use"):
            await centre.start(port=taken)
    async with Stage(journal):
        pass


async def test_a_long_journal_is_compacted_at_start(journal: Path) -> None:
    clock = HandClock()
    async with Stage(journal, clock=clock, keep_parts=2) as stage:
        esme = await stage.bind()
        for n in range(10):
            await esme.submit(f"{n}")
            await stage.pass_time(500)
    before = journal.read_bytes().count(b"\n")
    async with Stage(journal, clock=clock, keep_parts=2, compact_above=10) as stage:
        assert (before, journal.read_bytes().count(b"\n")) == (30, 2)
        assert [message.text for message in stage.centre.inbox(None, NUMBER)] == ["9", "8"]
        await (await stage.bind()).submit("10")
    async with Stage(journal, clock=clock, keep_parts=2) as stage:
        await stage.pass_time(500)
        assert [message.text for message in stage.centre.inbox(None, NUMBER)] == ["10", "9"]


async def test_what_cannot_be_stored_is_not_accepted(journal: Path) -> None:
    async with Stage(journal) as stage:
        esme = await stage.bind()
        await esme.submit()
        sound = journal.read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(sound) + 10, limits[1]))
        try:
            assert (await esme.submit())[0] == 8
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert journal.read_bytes() == sound
        assert (await esme.submit())[0] == 0


async def test_a_crash_between_rename_and_write_leaves_no_trace(journal: Path) -> None:
    async with Stage(journal) as stage:
        await (await stage.bind()).submit()
    journal.with_name("sms.jsonl.new").write_bytes(b"half a file")
    async with Stage(journal, compact_above=0) as stage:
        assert len(stage.centre._world.parts) == 1


parts = st.builds(
    Part,
    token=st.sampled_from("abc"),
    system_id=st.just("me"),
    sender=st.sampled_from(["A", "B"]),
    sender_ton=st.just(5),
    sender_npi=st.just(0),
    number=st.just(NUMBER),
    text=st.text(max_size=5),
    reference=st.none(),
    total=st.just(1),
    place=st.just(1),
    at=st.integers(0, 100),
    due=st.none() | st.integers(0, 100),
    fate=st.sampled_from([State.DELIVRD, State.UNDELIV]),
    wants_receipt=st.booleans(),
)
records: st.SearchStrategy[Record] = st.one_of(
    st.builds(PartAccepted, part=parts),
    st.builds(PartDone, token=st.sampled_from("abcd"), at=st.integers(0, 100)),
    st.builds(ReceiptSettled, token=st.sampled_from("abcd")),
    st.builds(TimeAdvanced, sender=st.none() | st.sampled_from(["A", "B"]), milliseconds=st.integers(0, 100)),
)


@given(st.lists(records, max_size=30))
@settings(max_examples=200)
def test_a_compacted_journal_makes_the_same_world(history: list[Record]) -> None:
    seen = set[str]()
    world, again = World(), World()
    for record in history:
        if isinstance(record, PartAccepted):
            if record.part.token in seen:
                continue  # tokens are not used twice
            seen.add(record.part.token)
        world.apply(msgspec.json.decode(msgspec.json.encode(record), type=Record))
    for record in world.records():
        again.apply(record)
    assert (again.parts, again.phones) == (world.parts, world.phones)
    assert [again.ahead(sender) for sender in "AB"] == [world.ahead(sender) for sender in "AB"]


async def test_nothing_is_written_without_a_file() -> None:
    journal = Journal(None, DECODER)
    assert journal.open() == []
    journal.compact([])
    await journal.post(TimeAdvanced(sender=None, milliseconds=1)).stored()
    await journal.close()
    assert not os.path.exists("None")
