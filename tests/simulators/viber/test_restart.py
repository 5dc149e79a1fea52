"""What survives a restart and a kill, and what the journal makes of a damaged file."""

from __future__ import annotations

import copy
import resource
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgate.clock import DAY, HandClock
from chatgate.simulators.journal import Journal, JournalError
from chatgate.simulators.viber.records import DECODER
from chatgate.simulators.viber.scripts import Do, Script, Step
from chatgate.simulators.viber.switches import Switches
from chatgate.simulators.viber.world import World
from tests.simulators.viber.stage import NUMBER, SERVICE, TEMPLATE, Stage

SEEN = "380501234501"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "partner" / "viber.jsonl"


async def test_everything_registered_is_known_again(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.partner.register_service(SERVICE, "http://own.test")
        stage.partner.register_service(3200, blocked=True)
        stage.partner.register_template(SERVICE, TEMPLATE)
        stage.partner.script_number(SERVICE, "380501234538", Script(steps=(Step(Do.SEEN, "1s"),)))
        stage.partner.script_number(SERVICE, "380501234537", Script())
        stage.partner.script_number(SERVICE, "380501234537", None)
        stage.partner.block(SERVICE, "380501234500")
        stage.partner.advance(SERVICE, DAY)
        stage.partner.advance(None, 5)
        await stage.partner.run_due()
    async with Stage(journal) as stage:
        assert stage.partner.services() == [SERVICE, 3200]
        assert (await stage.send(1702, dest="380501234538"))["status"] == 0
        assert (await stage.send(dest="380501234537"))["status"] == 8
        assert (await stage.send(dest="380501234500"))["status"] == 8
        assert (await stage.send(service_id=3200))["status"] == 43
        assert stage.partner.now(SERVICE) == stage.clock.now() + DAY + 5
        await stage.pass_time(1000)
        assert stage.urls == ["http://own.test"]
        (message,) = stage.partner.inbox([SERVICE], "380501234538")
        assert message.text == "Hello Ann, your order 17 is ready."


async def test_registering_the_same_again_writes_nothing(journal: Path) -> None:
    for _ in range(3):
        async with Stage(journal) as stage:
            stage.partner.register_service(SERVICE, "http://own.test")
            stage.partner.register_template(SERVICE, TEMPLATE)
    assert journal.read_bytes().count(b"\n") == 2


async def test_a_registration_is_on_disk_at_once(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.partner.register_service(SERVICE)
        assert b'"service_id":3100' in journal.read_bytes()


async def test_a_message_is_on_disk_before_it_is_answered(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.partner.register_service(SERVICE)
        token = (await stage.send())["message_token"]
        assert token.encode() in journal.read_bytes()


async def test_callbacks_go_on_where_they_stopped(journal: Path) -> None:
    clock = HandClock()
    async with Stage(journal, clock=clock) as stage:
        stage.partner.register_service(SERVICE)
        token = (await stage.send(dest=SEEN))["message_token"]
        await stage.pass_time(1000)
        assert stage.statuses == [0]
    clock.advance(10 * DAY)
    async with Stage(journal, clock=clock) as stage:
        (before,) = stage.partner.inbox([SERVICE], SEEN)
        await stage.pass_time(0)
        assert [(told["message_token"], told["message_status"]) for told in stage.callbacks] == [(token, 1)]
        (after,) = stage.partner.inbox([SERVICE], SEEN)
        assert (before.status, after.status) == ("delivered", "seen")
        assert after.received_at == before.received_at
    async with Stage(journal, clock=clock) as stage:
        await stage.pass_time(DAY)
        assert stage.callbacks == []
        assert stage.partner.inbox([SERVICE], SEEN) == [after]


async def test_what_was_not_acknowledged_is_sent_again(journal: Path) -> None:
    clock = HandClock()
    async with Stage(journal, clock=clock) as stage:
        stage.answer = lambda: 500
        stage.partner.register_service(SERVICE)
        await stage.send()
        await stage.pass_time(1500)
        assert stage.statuses == [0]
        told = stage.callbacks[0]
    async with Stage(journal, clock=clock) as stage:
        await stage.pass_time(0)
        assert stage.callbacks == [told]


async def test_what_was_dropped_stays_dropped(journal: Path) -> None:
    clock = HandClock()
    async with Stage(journal, clock=clock) as stage:
        stage.partner.set_switches(Switches(lost=1))
        stage.partner.register_service(SERVICE)
        await stage.send()
        await stage.pass_time(1500)
    async with Stage(journal, clock=clock) as stage:
        await stage.pass_time(DAY)
        assert stage.callbacks == []


async def test_used_seqs_are_known_again(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.partner.register_service(SERVICE)
        await stage.send(seq=5)
    async with Stage(journal) as stage:
        stage.partner.set_switches(Switches(refuse_duplicate_seq=True))
        assert (await stage.send(seq=5))["status"] == 12


async def test_a_session_is_known_again(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.partner.register_service(SERVICE)
        stage.partner.reply(SERVICE, NUMBER, "Hello?")
        first = [await stage.send(306, seq=seq) for seq in range(4)]
    async with Stage(journal) as stage:
        assert (await stage.send(306))["session_id"] == first[0]["session_id"]
        assert (await stage.send(306))["status"] == 21


async def test_a_phone_that_is_off_stays_off(journal: Path) -> None:
    clock = HandClock()
    for ttl, statuses in ((60, [0]), (30, [2])):
        async with Stage(journal, clock=clock) as stage:
            stage.partner.register_service(SERVICE)
            stage.partner.switch_phone(SERVICE, NUMBER, off=True)
            await stage.send(ttl=ttl)
            await stage.pass_time(10_000)
        async with Stage(journal, clock=clock) as stage:
            await stage.pass_time(25_000)
            stage.partner.switch_phone(SERVICE, NUMBER, off=False)
            await stage.pass_time(DAY)
            assert stage.statuses == statuses


async def test_an_unblock_is_not_undone_by_an_older_block(journal: Path) -> None:
    clock = HandClock()
    async with Stage(journal, clock=clock) as stage:
        stage.answer = lambda: 500
        stage.partner.register_service(SERVICE)
        stage.partner.block(SERVICE, NUMBER)
        stage.partner.block(SERVICE, NUMBER, blocked=False)
        await stage.partner.run_due()
    async with Stage(journal, clock=clock) as stage:
        await stage.pass_time(DAY)
        assert sorted(map(str, stage.statuses)) == ["4", "5"]
        assert (await stage.send())["status"] == 0


async def test_new_events_are_not_mistaken_for_old_ones(journal: Path) -> None:
    clock = HandClock()
    async with Stage(journal, clock=clock) as stage:
        stage.partner.register_service(SERVICE)
        await stage.send(dest="380501234503", ttl=60)
    async with Stage(journal, clock=clock) as stage:
        await stage.send()
        await stage.pass_time(DAY)
        assert stage.statuses == [0, 2]
        assert [message.status for message in stage.world.messages.values()] == ["expired", "delivered"]
    async with Stage(journal, clock=clock) as stage:
        await stage.pass_time(DAY)
        assert stage.callbacks == []


async def test_tokens_stay_unique_with_the_same_seed(journal: Path) -> None:
    tokens = set()
    for run in range(3):
        async with Stage(journal, seed=1) as stage:
            stage.partner.register_service(SERVICE)
            tokens |= {(await stage.send(seq=seq))["message_token"] for seq in range(20)}
        assert len(tokens) == 20 * (run + 1)


async def test_a_kill_at_any_byte_loses_only_what_is_torn(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.partner.register_service(SERVICE)
        for seq in range(3):
            await stage.send(seq=seq)
        await stage.pass_time(5000)
    whole = journal.read_bytes()
    for length in range(0, len(whole), 7):
        journal.write_bytes(whole[:length])
        sound = whole[:length].rpartition(b"\n")
        async with Stage(journal) as stage:
            messages = sound[0].count(b'{"record":"message"')
            assert len(stage.world.messages) == messages
            assert journal.read_bytes() == sound[0] + sound[1]
            stage.partner.register_service(4000)
        assert journal.read_bytes().startswith(sound[0] + sound[1] + b'{"record":"service","service_id":4000')


async def test_a_last_line_of_rubbish_is_torn_too(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.partner.register_service(SERVICE)
    sound = journal.read_bytes()
    journal.write_bytes(sound + b"\0\0\0\0\n")
    async with Stage(journal) as stage:
        assert stage.partner.services() == [SERVICE]
    assert journal.read_bytes() == sound


async def test_a_damaged_line_in_the_middle_stops_the_start(journal: Path) -> None:
    async with Stage(journal) as stage:
        for service_id in (1, 2, 3):
            stage.partner.register_service(service_id)
    lines = journal.read_bytes().splitlines(keepends=True)
    damaged = lines[0] + b'{"record":"none"}\n' + lines[2]
    journal.write_bytes(damaged)
    with pytest.raises(JournalError, match="line 2 is damaged"):
        await Stage(journal).partner.start()
    assert journal.read_bytes() == damaged


async def test_two_partners_cannot_share_a_journal(journal: Path) -> None:
    async with Stage(journal):
        with pytest.raises(JournalError, match="in use"):
            await Stage(journal).partner.start()


async def test_a_full_disk_refuses_and_leaves_no_torn_line(journal: Path) -> None:
    async with Stage(journal) as stage:
        stage.partner.register_service(SERVICE)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 10, hard))
        try:
            answer = await stage.send(seq=1)
            with pytest.raises(OSError, match="large"):
                stage.partner.register_service(3200)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert answer == {"status": 1, "seq": 1}
        assert stage.partner.services() == [SERVICE]
        assert (await stage.send(seq=2))["status"] == 0
    async with Stage(journal) as stage:
        assert stage.partner.services() == [SERVICE]
        assert [message.seq for message in stage.world.messages.values()] == [2]


async def test_a_long_journal_is_rewritten_at_start(journal: Path) -> None:
    clock = HandClock()
    async with Stage(journal, clock=clock) as stage:
        stage.partner.register_service(SERVICE)
        for seq in range(20):
            await stage.send(dest=SEEN, seq=seq)
        await stage.pass_time(DAY)
        stage.partner.reply(SERVICE, NUMBER, "Hello?")
        await stage.send(306)
        shown = stage.partner.inbox([SERVICE], SEEN)
    lines, inode = journal.read_bytes().count(b"\n"), journal.stat().st_ino
    async with Stage(journal, clock=clock, compact_above=lines) as stage:
        assert journal.stat().st_ino == inode, "not above the limit"
    async with Stage(journal, clock=clock, compact_above=lines - 1) as stage:
        assert journal.stat().st_ino != inode
        assert journal.read_bytes().count(b"\n") < lines / 2
        stage.partner.block(SERVICE, NUMBER)
    async with Stage(journal, clock=clock) as stage:
        assert stage.partner.inbox([SERVICE], SEEN) == shown
        assert (await stage.send())["status"] == 8
        with pytest.raises(JournalError, match="in use"):
            await Stage(journal).partner.start()
    assert [path.name for path in journal.parent.iterdir()] == [journal.name]


async def test_the_oldest_messages_are_forgotten_when_they_have_nothing_left_to_tell() -> None:
    async with Stage(keep_messages=3) as stage:
        stage.partner.register_service(SERVICE)
        await stage.send(dest="380501234503", seq=0)
        for seq in range(1, 6):
            await stage.send(seq=seq)
            await stage.pass_time(2000)
        assert [message.seq for message in stage.world.messages.values()] == [0, 4, 5]
        assert len(stage.partner.inbox([SERVICE], NUMBER)) == 2
        await stage.pass_time(20 * DAY)
        assert stage.statuses == [0] * 5 + [2]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["send", "session", "reply", "off", "on", "block", "unblock", "script", "pass", "advance"]),
        st.sampled_from(["01", "03", "04", "09", "10", "60", "99"]),
        st.sampled_from([1000, 31_000, DAY]),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.integers(0, 2**32))
async def test_a_restart_builds_the_same_world(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int]], seed: int
) -> None:
    journal = tmp_path_factory.mktemp("restart") / "viber.jsonl"
    random, clock = Random(seed), HandClock()
    async with Stage(journal, clock=clock, seed=seed) as stage:
        stage.partner.register_service(SERVICE)
        stage.answer = lambda: random.choice([200, 200, 500])
        for seq, (step, digits, wait) in enumerate(steps):
            number = "3805012345" + digits
            match step:
                case "send" | "session":
                    await stage.send(306 if step == "session" else 225, dest=number, seq=seq, ttl=30)
                case "reply":
                    stage.partner.reply(SERVICE, number, "Hello?")
                case "off" | "on":
                    stage.partner.switch_phone(SERVICE, number, off=step == "off")
                case "block" | "unblock":
                    stage.partner.block(SERVICE, number, blocked=step == "block")
                case "script":
                    stage.partner.script_number(SERVICE, number, Script(steps=(Step(Do.SEEN, "ttl"),)))
                case "pass":
                    await stage.pass_time(wait)
                case "advance":
                    stage.partner.advance(SERVICE, wait)
        before = _state(stage.world)
    first, second = World(), World()
    reopened = Journal(journal, DECODER)
    for record in reopened.open():
        first.apply(record)
    reopened.compact(first.records())
    await reopened.close()
    for record in Journal(journal, DECODER).open():
        second.apply(record)
    assert _state(first) == before
    assert _state(second) == before


def _state(world: World) -> dict[str, object]:
    """Everything of a world that must be the same, whatever ``records`` makes of it."""
    names = ("services", "templates", "scripts", "phones", "seqs", "pending", "blocked", "off", "sessions", "_ahead")
    messages = {token: msgspec.json.encode(message) for token, message in world.messages.items()}
    return copy.deepcopy({name: getattr(world, name) for name in names} | {"messages": messages})
