"""A caller with an account of its own on the sandbox of the run."""

from __future__ import annotations

import pytest

from tests.e2e.sandbox import Sandbox
from tests.gateway.wire import Caller


@pytest.fixture
def caller(sandbox: Sandbox, account: str) -> Caller:
    return Caller(sandbox.host, account)
