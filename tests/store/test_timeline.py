"""The story of a message as people read it. One database is enough: it is read from the same rows on both."""

from __future__ import annotations

import pytest

from chatgate.clock import SECOND, HandClock
from chatgate.domain.message import Failure, Label, MessageKind
from chatgate.store.timeline import next_step, timeline
from tests.store.journey import UNKNOWN_WAIT, Journey, receipt

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])


async def events(journey: Journey, key: int) -> list[str]:
    steps = timeline(await journey.story(key), str)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    return [step.event for step in steps]


async def test_the_long_way(journey: Journey, clock: HandClock) -> None:
    start = clock.now()
    key = await journey.accept(kind=MessageKind.TEMPLATE, template_code="welcome")
    clock.advance(10)
    message = await journey.claim_one()
    clock.advance(10)
    await journey.record(message, "deferred", code="HTTP503", reason="The provider is ill.")
    clock.advance(SECOND)
    message = await journey.claim_one()
    clock.advance(10)
    await journey.record(message, "unknown", code="timeout")
    clock.advance(UNKNOWN_WAIT)
    message = await journey.claim_one()
    clock.advance(10)
    await journey.record(message, "sent", token="t")
    clock.advance(10)
    await journey.receive(receipt("t", "read", at=clock.now()), receipt("t", "delivered", at=clock.now()))
    assert await events(journey, key) == [
        "accepted", "sending", "deferred", "sending", "unknown", "sent once more", "sending", "sent", "read",
        "delivered",
    ]  # fmt: skip
    steps = timeline(await journey.story(key), str)
    assert steps[0].at == start
    assert "template welcome" in steps[0].detail
    assert "HTTP503 The provider is ill." in steps[2].detail
    assert "changed nothing" in steps[-1].detail
    assert "changed nothing" not in steps[-2].detail


async def test_known_failure(journey: Journey) -> None:
    key = await journey.accept(failure=Failure(code="SenderPaused", reason="It is paused."))
    assert await events(journey, key) == ["accepted", "failed"]
    assert timeline(await journey.story(key), str)[1].detail == "SenderPaused: It is paused."


async def test_lost_attempt(journey: Journey, clock: HandClock) -> None:
    message = await journey.sending()
    assert message.due_at is not None
    clock.set(message.due_at)
    await journey.claim()
    assert await events(journey, message.id) == ["accepted", "sending", "unknown"]


async def test_next_step(journey: Journey, clock: HandClock) -> None:
    """What happens next, in each state, is a sentence with the right time in it."""
    said: dict[str, str] = {}

    async def look(name: str, key: int) -> None:
        said[name] = next_step(await journey.message(key), clock.now())

    await look("accepted", await journey.accept(leased=True))
    message = await journey.sending()
    await look("sending", message.id)
    await journey.record(message, "deferred", retry_after=7 * SECOND)
    await look("deferred", message.id)
    await look("sent", await journey.sent("t"))
    await look("unknown", (await journey.unknown()).id)
    await look("held", (await journey.unknown(label=Label.PROMOTION)).id)
    await journey.receive(receipt("t", "read"))
    key = await journey.store.find_token("viber", "t")
    assert key is not None
    await look("read", key)
    assert said == {
        "accepted": "In 15 s it is claimed by a dispatcher (at once if one is free; at the latest then).",
        "sending": "In 40 s the attempt counts as lost, unless its outcome is recorded before.",
        "deferred": "In 7 s it is tried again.",
        "sent": "In 3630 s it expires, unless a receipt comes before.",
        "unknown": "In 60 s it is sent once more.",
        "held": "In 3600 s its time to live ends.",
        "read": "Nothing more: the message is at rest as read.",
    }
