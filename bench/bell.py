"""The bell: the partner sends one byte for each finished cycle, so that the load knows how many are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


class Bell(asyncio.Protocol):
    """The listening end."""

    def __init__(self) -> None:
        self.rung = 0
        """Cycles that have finished."""
        self.on_ring: Callable[[], None] = _nobody

    @classmethod
    async def at(cls, host: str, port: int) -> Bell:
        _, bell = await asyncio.get_running_loop().create_connection(cls, host, port)
        return bell

    def data_received(self, data: bytes) -> None:
        self.rung += len(data)
        self.on_ring()


class Ringer(asyncio.Protocol):
    """The partner's end; a bell that nobody listens to is silent."""

    def __init__(self) -> None:
        self._listeners: list[asyncio.Transport] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._listeners.append(cast(asyncio.Transport, transport))

    def connection_lost(self, _error: Exception | None) -> None:
        self._listeners = [listener for listener in self._listeners if not listener.is_closing()]

    def ring(self) -> None:
        for listener in self._listeners:
            listener.write(b".")


def _nobody() -> None:
    """Nobody waits for the bell."""
