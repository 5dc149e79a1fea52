"""The sandbox's directory: accounts spring into existence with the first call that they signed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from chatgate.callbacks import signature
from chatgate.clock import Clock
from chatgate.domain.account import AccessKey, AccountView, KeyKind
from chatgate.errors import NameTaken
from chatgate.gateway.authenticate import purpose
from chatgate.gateway.directory import StoredDirectory
from chatgate.sandbox import customer, seeds
from chatgate.sealing import KeyRing
from chatgate.store.accounts import NewAccount
from chatgate.store.callbacks import INBOUND, STATUS
from chatgate.store.endpoints import EndpointChange
from chatgate.store.store import Store

UNBORN = 0
"""Account id of a key whose account does not exist yet."""


class SandboxDirectory:
    """Answers like the stored directory, and makes accounts that are not there yet.

    The key of an unborn account is given out unsaved; the account is made when ``account`` is asked for it, which the
    gateway does only after the signature verified: a forged call makes nothing.
    """

    def __init__(
        self, stored: StoredDirectory, store: Store, key_ring: KeyRing, clock: Clock,
        on_birth: Callable[[str], Awaitable[None]], *, callback_batch: int,
    ) -> None:  # fmt: skip
        """``on_birth`` is called with the name of a new account before its first call goes on. ``callback_batch``:
        reports in one call of a new account's endpoint, at most."""
        self._stored = stored
        self._store = store
        self._key_ring = key_ring
        self._clock = clock
        self._on_birth = on_birth
        self._callback_batch = callback_batch
        self._births: dict[str, asyncio.Task[int]] = {}

    async def access_key(self, access_key_id: str) -> AccessKey | None:
        key = await self._stored.access_key(access_key_id)
        if key is None and seeds.is_account(access_key_id):
            return self._key(access_key_id, UNBORN)
        return key

    async def account(self, key: AccessKey) -> AccountView | None:
        if key.account_id == UNBORN:
            key = self._key(key.access_key_id, await self.born(key.access_key_id))
        return await self._stored.account(key)

    async def born(self, name: str) -> int:
        """Return the id of an account, made if it was not there. Callers at the same time share one birth."""
        birth = self._births.get(name)
        if birth is None:
            birth = self._births[name] = asyncio.create_task(self._bear(name))
            birth.add_done_callback(lambda _: self._births.pop(name, None))
        return await asyncio.shield(birth)

    async def _bear(self, name: str) -> int:
        account_id = await self._store.find_account(name)
        if account_id is None:
            account_id = self._store.keys.next()
            own = seeds.possessions(name, self._key(name, account_id))
            await self._on_birth(name)
            new = NewAccount(
                account_id=account_id, name=name, now=self._clock.now(), possessions=own,
                endpoints=self._endpoints(account_id, name),
            )  # fmt: skip
            try:
                await self._store.create_account(new)
            except NameTaken:  # another process over the same database was faster
                account_id = await self._store.find_account(name) or account_id
        await self._stored.refresh()
        return account_id

    def _endpoints(self, account_id: int, name: str) -> list[EndpointChange]:
        """Return what makes an account be told at the built-in customer endpoint."""
        secret = self._key_ring.seal(secrets.token_bytes(32), signature.purpose(account_id))
        return [
            EndpointChange(
                key=self._store.keys.next(), account_id=account_id, sender="", kind=kind, url=customer.address(name),
                batch=self._callback_batch, sealed_secret=secret,
            )
            for kind in (STATUS, INBOUND)
        ]  # fmt: skip

    def _key(self, access_key_id: str, account_id: int) -> AccessKey:
        sealed = self._key_ring.seal(access_key_id.encode(), purpose(access_key_id))
        return AccessKey(
            access_key_id=access_key_id, account_id=account_id, kind=KeyKind.HMAC, sealed=sealed, active=True
        )
