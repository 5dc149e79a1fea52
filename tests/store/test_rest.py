"""Whatever happens to a message, it comes to rest in time, and is sent no more often than the policy says.

Random journeys: claims, ends of attempts (also late, also of old attempts), receipts, time that passes. Then nobody
does anything any more but look for due messages. Promises P5, P6, P8, P13.
"""

from __future__ import annotations

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatgate.clock import MINUTE, SECOND
from chatgate.domain.lifecycle import RANK, RECEIPT_EVENTS, RESTING
from chatgate.domain.message import Label, Message, Outcome, Status
from tests.store.journey import LEASE, UNKNOWN_WAIT, Journey, receipt

TTL = 600

STEPS = st.one_of(
    st.just(("claim", None, 0)),
    st.tuples(st.just("end"), st.sampled_from(Outcome), st.integers(0, 2)),
    st.tuples(st.just("receipt"), st.sampled_from(list(RECEIPT_EVENTS)), st.integers(0, 2)),
    st.tuples(st.just("wait"), st.sampled_from([1, SECOND, LEASE, UNKNOWN_WAIT, 5 * MINUTE]), st.just(0)),
)

phones = count(639_170_000_000)


@given(label=st.sampled_from(Label), steps=st.lists(STEPS, max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_comes_to_rest(journey: Journey, label: Label, steps: list[tuple[str, object, int]]) -> None:
    walk = Walk(journey, await journey.accept(label=label, ttl=TTL, recipient=str(next(phones))))
    await walk.look()
    for step in steps:
        await walk.take(*step)
    await walk.wait_for_rest()


class Walk:
    """One message, and what must hold after each step."""

    def __init__(self, journey: Journey, key: int) -> None:
        self.journey = journey
        self.key = key
        self.attempts: list[Message] = []
        self.status = Status.ACCEPTED

    async def take(self, what: str, how: object, which: int) -> None:
        if what == "wait":
            assert isinstance(how, int)
            self.journey.clock.advance(how)
        elif what == "claim":
            await self.claim()
        elif which < len(self.attempts):
            attempt = self.attempts[-1 - which]
            token = f"{self.key}-{attempt.attempt}"
            if isinstance(how, Outcome):
                await self.journey.record(attempt, how, token=token if how is Outcome.SENT else None)
            else:
                await self.journey.receive(receipt(token, str(how)))
        await self.look()

    async def claim(self) -> None:
        for message in (await self.journey.claim()).to_send:
            assert message.id == self.key
            assert self.journey.clock.now() < message.expires_at
            assert message.attempt == len(self.attempts) + 1
            assert self.status not in RESTING
            self.attempts.append(message)

    async def look(self) -> Message:
        story = await self.journey.story(self.key)
        message = story.message
        if self.status in RESTING:
            assert RANK[message.status] >= RANK[self.status]
        assert (message.due_at is None) == (message.status in RESTING) or message.status is Status.UNKNOWN
        more = [note.event for note in story.notes].count("sent once more")
        assert more <= (message.draft.label is Label.TRANSACTION)
        self.status = message.status
        return message

    async def wait_for_rest(self) -> None:
        message = await self.look()
        began = self.journey.clock.now()
        while message.due_at is not None:
            self.journey.clock.set(max(self.journey.clock.now(), message.due_at))
            await self.claim()
            message = await self.look()
        assert self.journey.clock.now() <= max(began, message.expires_at + MINUTE)
        assert message.status in {*RESTING, Status.UNKNOWN}
