"""How far messages of a template came."""

from __future__ import annotations

import pytest

from chatgate.clock import DAY, HandClock
from chatgate.domain.message import MessageKind, Outcome
from chatgate.store.store import Store
from chatgate.store.template_counts import Span, TooMany, count
from tests.store.conftest import Tamper
from tests.store.journey import ACCOUNT, Journey

STEP = 1_800_000


async def sent(journey: Journey, language: str = "en", code: str | None = "c1") -> int:
    message = await journey.sending(kind=MessageKind.TEMPLATE, template_code=code, language=language)
    await journey.store.record(journey.end(message, Outcome.SENT))
    return message.id


async def test_counts(store: Store, journey: Journey, clock: HandClock, tamper: Tamper) -> None:
    start = clock.now() // STEP * STEP
    keys = [await sent(journey), await sent(journey), await sent(journey, "de")]
    await sent(journey, code="c2")
    await sent(journey, code=None)
    for key, status in zip(keys, ("delivered", "read", "failed"), strict=True):
        tamper("UPDATE messages SET status = ? WHERE id = ?", status, key)
    clock.advance(STEP)
    await sent(journey)
    until = clock.now()
    counts = await store.count_templates(ACCOUNT, "c1", start, until, STEP)
    assert counts == {
        (start, "de"): Span(),
        (start, "en"): Span(sent=2, delivered=2, read=1),
        (start + STEP, "en"): Span(sent=1),
    }
    assert await store.count_templates(ACCOUNT, "c1", until, until, STEP) == {(start + STEP, "en"): Span(sent=1)}
    assert set(await store.count_templates(ACCOUNT, "c1", 0, until - 1, DAY)) == {
        (start // DAY * DAY, "de"), (start // DAY * DAY, "en"),
    }  # fmt: skip
    assert await store.count_templates(ACCOUNT + 1, "c1", 0, until, STEP) == {}


async def test_too_many(store: Store, journey: Journey, clock: HandClock) -> None:
    for _ in range(3):
        await sent(journey)
    found = await store._read(count, ACCOUNT, "c1", 0, clock.now(), STEP, most=3)
    assert sum(span.sent for span in found.values()) == 3
    with pytest.raises(TooMany):
        await store._read(count, ACCOUNT, "c1", 0, clock.now(), STEP, most=2)
