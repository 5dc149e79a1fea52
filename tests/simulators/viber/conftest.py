from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.simulators.viber.stage import OTP, REJECTED, SERVICE, TEMPLATE, Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """A started partner in memory, with one service and its templates."""
    async with Stage() as stage:
        stage.partner.register_service(SERVICE)
        for template in (TEMPLATE, OTP, REJECTED):
            stage.partner.register_template(SERVICE, template)
        yield stage
