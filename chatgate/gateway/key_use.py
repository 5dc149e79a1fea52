"""When each access key was last used: noted at every call, written down together some time later."""

from __future__ import annotations

from chatgate.clock import Instant
from chatgate.store.store import Store

WRITE_EVERY = 60.0
"""Seconds; a process that dies forgets as much."""


class KeyUse:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._used: dict[str, Instant] = {}

    def note(self, access_key_id: str, now: Instant) -> None:
        self._used[access_key_id] = now

    async def write(self) -> None:
        """Store what was noted since the last time; what cannot be stored is kept for the next."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            await self._store.note_key_use(list(used.items()))
        except BaseException:
            self._used = used | self._used
            raise
