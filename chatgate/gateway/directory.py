"""Who may call: every access key in memory, the pictures of accounts in use, both kept up to date.

Rules:

1. All keys are held (sealed; a third of a kilobyte each), so that an unknown key costs exactly what a known one does: a
   look into a dictionary (promise P19).
2. A change made by this process counts at once, one made elsewhere within ``REFRESH_EVERY`` (read again with an
   overlap, because a transaction may become visible later than its time stamp says).
"""

from __future__ import annotations

from typing import Protocol

from chatgate.clock import SECOND, Clock, Instant
from chatgate.domain.account import AccessKey, AccountView
from chatgate.store.store import Store

REFRESH_EVERY = 1.0
"""Seconds."""
OVERLAP = 10 * SECOND


class Directory(Protocol):
    """What the gateway asks."""

    async def access_key(self, access_key_id: str) -> AccessKey | None: ...

    async def account(self, key: AccessKey) -> AccountView | None:
        """Return the account of a key whose owner has proved to be the caller."""
        ...


class StoredDirectory:
    """The directory of what is in the store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._keys: dict[str, AccessKey] = {}
        self._views: dict[int, AccountView] = {}
        self._read_until: Instant = 0

    async def access_key(self, access_key_id: str) -> AccessKey | None:
        return self._keys.get(access_key_id)

    async def account(self, key: AccessKey) -> AccountView | None:
        view = self._views.get(key.account_id)
        if view is None:
            view = await self._store.load_view(key.account_id, self._clock.now())
            if view is not None:
                self._views[key.account_id] = view
        return view

    def forget(self, account_id: int) -> None:
        """Read an account again with its next call: it was changed by this process."""
        self._views.pop(account_id, None)

    async def refresh(self) -> None:
        """Read what has changed since the last time."""
        started = self._clock.now()
        since = self._read_until - OVERLAP
        keys = await self._store.keys_changed_since(since)
        changed = await self._store.accounts_changed_since(since)
        for account_id in changed:
            self._views.pop(account_id, None)
        for key in keys:
            if key.deleted:
                self._keys.pop(key.access_key_id, None)
            else:
                self._keys[key.access_key_id] = key
        self._read_until = started
