"""The edge is tested on both event loops: their transports pause, half-close and speak TLS each in their own way. And
with both ways to answer: in ASGI's two messages, and whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

from tests.web.raw_http import Echo

BOTH_LOOPS = {"test_bounded", "test_deadlines", "test_server"}


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.stem in BOTH_LOOPS:
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in BOTH_LOOPS:
        metafunc.parametrize("answers", ["messages", "whole"], indirect=True)


@pytest.fixture(autouse=True)
def answers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the echo answers."""
    monkeypatch.setattr(Echo, "whole", getattr(request, "param", "messages") == "whole")
