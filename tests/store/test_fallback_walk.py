"""Promise P16: whatever happens to a message, and in whatever order, it has at most one SMS."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatgate.clock import SECOND
from chatgate.domain.fallback import LATE_LIMIT
from chatgate.domain.lifecycle import RECEIPT_EVENTS
from chatgate.domain.message import FallbackState, Label, Message, Outcome, Status
from chatgate.domain.receipt import ReceiptStatus
from tests.store.fallbacks import AFTER, ARMED, CALLED_OFF, FIRED, HELD, phones
from tests.store.journey import LEASE, UNKNOWN_WAIT, Journey, order, receipt

STEPS = st.one_of(
    st.just(("claim", None)),
    st.tuples(st.just("end"), st.sampled_from(Outcome)),
    st.tuples(st.just("receipt"), st.sampled_from(list(RECEIPT_EVENTS))),
    st.just(("fire", None)),
    st.tuples(st.just("decide"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([SECOND, LEASE, UNKNOWN_WAIT, AFTER, LATE_LIMIT])),
)


@given(
    label=st.sampled_from(Label), duration=st.sampled_from([None, 60, 600]), steps=st.lists(STEPS, max_size=12)
)  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_happens(
    journey: Journey, label: Label, duration: int | None, steps: list[tuple[str, object]]
) -> None:
    key = await journey.accept(label=label, ttl=900, recipient=str(next(phones)), fallback=order(duration=duration))
    walk = Walk(journey, key)
    for what, how in steps:
        await walk.take(what, how)
        await walk.look()


class Walk:
    """One message with a fallback, and what must hold after each step."""

    def __init__(self, journey: Journey, key: int) -> None:
        self.journey = journey
        self.key = key
        self.attempt: Message | None = None
        self.state: FallbackState | None = ARMED
        self.delivered_first = False

    async def take(self, what: str, how: object) -> None:
        token = f"{self.key}"
        if what == "wait":
            assert isinstance(how, int)
            self.journey.clock.advance(how)
        elif what == "claim":
            for message in (await self.journey.claim()).to_send:
                self.attempt = message
        elif what == "fire":
            await self.journey.fire()
        elif what == "decide":
            await self.journey.decide(release=bool(how))
        elif self.attempt is not None and isinstance(how, Outcome):
            await self.journey.record(self.attempt, how, token=token if how is Outcome.SENT else None)
        elif self.attempt is not None:
            await self.journey.receive(receipt(token, ReceiptStatus(str(how))))

    async def look(self) -> None:
        message, children = await self.journey.message(self.key), await self.journey.sms(self.key)
        state = message.fallback_state
        assert len(children) == (state is FIRED)
        if self.state in (FIRED, CALLED_OFF):
            assert state is self.state
        arrived = message.status in (Status.DELIVERED, Status.READ)
        self.delivered_first = self.delivered_first or (arrived and state is not FIRED)
        assert not (self.delivered_first and state is FIRED)
        assert not (arrived and state in (ARMED, HELD))
        assert not (message.status in (Status.FAILED, Status.EXPIRED) and state is ARMED)
        assert (message.fallback_at is None) or state is ARMED
        self.state = state
