from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.simulators.sms.stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A started centre in memory."""
    async with Stage() as stage:
        yield stage
