"""The story of a message as people read it. One database is enough: it is read from the same rows on both."""

from __future__ import annotations

import pytest

from chatgate.clock import MINUTE, SECOND, HandClock
from chatgate.domain.fallback import LATE_LIMIT
from chatgate.domain.message import Failure, FallbackOrder, FallbackState, Label, MessageKind
from chatgate.store.endpoints import EndpointChange, EndpointOrder
from chatgate.store.fallbacks import Sweep
from chatgate.store.timeline import next_step, timeline
from tests.store.conftest import Tamper
from tests.store.journey import ACCOUNT, UNKNOWN_WAIT, Journey, receipt

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
    assert "HTTP503, The provider is ill." in steps[2].detail
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


# --- the fallback -----------------------------------------------------------------------------------------------------

ORDER = FallbackOrder(
    policy_id="S_000001", content="by SMS", duration=60, rule="undelivered", sms_sender="ACME", lane="sms"
)
ON_FAILURE = FallbackOrder(
    policy_id="S_000001", content="by SMS", duration=None, rule="sentFailed", sms_sender="ACME", lane="sms"
)


async def sweep(journey: Journey, after: int) -> None:
    """Let time pass, and look for fallbacks that are due."""
    journey.clock.advance(after)
    await journey.store.fire_fallbacks(Sweep(now=journey.clock.now(), limit=10, keys=journey.store.keys.next))


async def details(journey: Journey, key: int) -> dict[str, str]:
    return {step.event: step.detail for step in timeline(await journey.story(key), lambda key: f"<{key}>")}


async def test_fallback_that_fires(journey: Journey) -> None:
    key = await journey.accept(fallback=ORDER, ttl=60)
    await sweep(journey, 60 * SECOND)
    assert await events(journey, key) == ["accepted", "fallback armed", "fallback fired", "fallback sms"]
    sms = (await journey.story(key)).sms
    assert sms is not None
    told = await details(journey, key)
    assert told["fallback armed"] == (
        "policy S_000001, rule undelivered: an SMS if the message fails, or is not delivered within 60 s"
    )
    assert told["fallback sms"] == f"message <{sms.id}>, which is accepted"
    assert f"the fallback of message <{key}>" in (await details(journey, sms.id))["accepted"]
    assert (await journey.story(sms.id)).sms is None


async def test_fallback_of_a_message_that_lives_longer(journey: Journey) -> None:
    longer = await journey.accept(fallback=ORDER, ttl=61)
    assert (await details(journey, longer))["fallback armed"].endswith(
        "Warning: the message lives longer (61 s) than that, so its recipient may get both"
    )
    on_failure = await journey.accept(fallback=ON_FAILURE, ttl=61)
    assert (await details(journey, on_failure))["fallback armed"] == (
        "policy S_000001, rule sentFailed: an SMS if the message fails"
    )


async def test_fallback_that_is_called_off_or_held(journey: Journey) -> None:
    delivered = await journey.sent("t", fallback=ORDER)
    await journey.receive(receipt("t", "delivered", at=journey.clock.now()))
    late = await journey.accept(fallback=ORDER)
    await sweep(journey, MINUTE + LATE_LIMIT + 1)
    assert {"fallback armed", "fallback called_off"} <= set(await events(journey, delivered))
    assert await events(journey, late) == ["accepted", "fallback armed", "fallback held"]
    assert (await journey.message(late)).fallback_state is FallbackState.HELD


async def test_next_step_of_a_fallback(journey: Journey, clock: HandClock) -> None:
    async def coming(key: int) -> str:
        return next_step(await journey.message(key), clock.now()).partition(". ")[2]

    timed, on_failure = await journey.accept(fallback=ORDER), await journey.accept(fallback=ON_FAILURE)
    assert await coming(timed) == "In 60 s its fallback is sent, unless it is delivered before."
    assert await coming(on_failure) == "If it fails, its fallback is sent."
    await sweep(journey, MINUTE + LATE_LIMIT + 1)
    assert await coming(timed) == "Its fallback waits until somebody releases or drops it (`chatgate fallback`)."


# --- callbacks --------------------------------------------------------------------------------------------------------


async def test_callbacks(journey: Journey, tamper: Tamper) -> None:
    change = EndpointChange(
        key=1, account_id=ACCOUNT, sender="", kind="status", url="https://shop.example/", batch=1, sealed_secret=b"s"
    )
    await journey.store.set_endpoints(EndpointOrder(changes=[change]))
    key = await journey.sent("t")

    async def told() -> str:
        return (await details(journey, key))["callback"]

    assert await told() == "Sent waits to be told (tries: 0)."
    tamper("UPDATE callbacks SET tries = 2, answer = 'The endpoint answered HTTP 500.'")
    assert await told() == "Sent waits to be told (tries: 2). The endpoint answered HTTP 500."
    tamper("UPDATE callbacks SET state = 'undeliverable', due_at = NULL, tries = 10")
    assert await told() == "Sent is undeliverable (tries: 10). The endpoint answered HTTP 500."
    tamper("UPDATE callbacks SET state = 'heard', answer = ''")
    assert await told() == "Sent was heard"
    tamper("UPDATE callbacks SET answer = 'not told'")
    assert await told() == "Sent not told"
    assert await events(journey, key) == ["accepted", "sending", "sent", "callback"]
