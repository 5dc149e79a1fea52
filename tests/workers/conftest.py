from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from chatgate.clock import HandClock
from chatgate.store.store import Store
from tests.fresh_store import fresh_store
from tests.workers.stand import Scripted, Stand

Make = Callable[..., Stand]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    async with fresh_store(tmp_path, clock) as store:
        yield store


@pytest.fixture
async def make(store: Store, clock: HandClock) -> AsyncIterator[Make]:
    """Makes stands over one store; their lanes are stopped at the end."""
    made: list[Stand] = []

    def one(provider: Any = None, **lane: Any) -> Stand:
        made.append(Stand(store, clock, provider or Scripted(), **lane))
        return made[-1]

    yield one
    for stand in made:
        await stand.lane.stop(0)
