"""The store: the verbs of the business under one roof. The only door to the database for the rest of the program.
Those of templates and senders are in ``review_verbs``.

Writing verbs run through the committer (one transaction for all who wait; resolved after the commit). Reading verbs run
on a small pool of threads over connections that cannot write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from chatgate.clock import DAY, Clock, Instant
from chatgate.domain.account import AccessKey, AccountView
from chatgate.domain.history import Page, Question
from chatgate.domain.message import Message, Status
from chatgate.domain.traffic import Period, Traffic
from chatgate.errors import StoreUnavailable
from chatgate.ids import Keys, MessageIds
from chatgate.sealing import KeyRing
from chatgate.store import (
    acceptance,
    access_keys,
    account_copy,
    accounts,
    attempts,
    callbacks,
    calls,
    claims,
    database,
    endpoints,
    fallbacks,
    forgetting,
    groups,
    history,
    installation,
    instances,
    instants,
    migration,
    ram,
    receipts,
    replies,
    rows,
    sealed_values,
    search,
    senders,
    templates,
    traffic,
    turns,
)
from chatgate.store.committer import PATIENCE, Committer
from chatgate.store.review_verbs import ReviewVerbs

READERS = 3

CALLS = (
    acceptance.accept, groups.accept_group, acceptance.spend_nonce, endpoints.set_endpoints, instances.change_spaces,
    templates.create, templates.change, templates.remove, senders.file, senders.revise,
    receipts.apply_receipts, replies.take_replies, installation.prove_writable,
)  # fmt: skip
"""The verbs for whose answer a customer, a provider or a load balancer waits."""

PARKED_WINDOW = 2 * DAY
"""How long a receipt without a message waits for one (promise P13)."""


class Store(ReviewVerbs):
    """Open with ``await Store.open(…)``, end with ``await store.close()``."""

    def __init__(self, url: str, *, on_fatal: Callable[[str], None]) -> None:
        self._url = url
        self._writer_engine = database.open_writer(url)
        self._reader_engine = database.open_reader(url)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._archivist = ThreadPoolExecutor(1, thread_name_prefix="archivist")  # a long look back holds up no reader
        self._committer = Committer(self._writer_engine, on_fatal=on_fatal, calls=CALLS)
        self.keys: Keys
        self.message_ids: MessageIds

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock: Clock,
        key_ring: KeyRing,
        on_fatal: Callable[[str], None],
        migrate: bool = True,
        only_look: bool = False,
        kind: str | None = None,
    ) -> Store:
        """Open a database and bring it to this version's schema.

        ``kind``: what it is used for, ``sandbox`` or ``serve``; None: whatever it is.
        With ``only_look`` nothing is written, not even that this process was there; nothing new may be made then.
        Raises SettingError when the address, the schema or the key ring does not fit.
        """
        store = cls(url, on_fatal=on_fatal)
        try:
            await asyncio.to_thread(migration.upgrade if migrate else migration.check, store._writer_engine)
            await store._committer.run(installation.check_key_ring, key_ring)
            if kind is not None:
                await store._committer.run(installation.check_kind, kind)
            secret = await store._committer.run(installation.message_id_secret, None)
            node = 0 if only_look else await store._committer.run(installation.register_node, clock.now())
        except BaseException:
            await store.close()
            raise
        store.message_ids = MessageIds(secret)
        store.keys = Keys(clock, node)
        return store

    async def close(self) -> None:
        await self._committer.close()
        self._threads.shutdown()
        self._archivist.shutdown(cancel_futures=True)
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    @property
    def queued(self) -> int:
        """Callers waiting for the next commit."""
        return self._committer.queued

    # --- messages ----------------------------------------------------------------------------------------------------

    async def accept(self, new: acceptance.Acceptance) -> acceptance.Accepted:
        """Store one message with its nonce and retry key. When this returns, it is on disk."""
        return await self._committer.run(acceptance.accept, new)

    async def accept_group(self, new: groups.GroupAcceptance) -> acceptance.Accepted:
        """Store all messages of a mass sending, or none. When this returns, they are on disk."""
        return await self._committer.run(groups.accept_group, new, heavy=True)

    async def spend_nonce(self, nonce: bytes) -> bool:
        """Remember the nonce of a call that stores nothing else; answer whether it was fresh."""
        return await self._committer.run(acceptance.spend_nonce, nonce)

    async def begin(self, beginning: acceptance.Beginning) -> bool:
        """Commit the first attempt of a message held by accept lease; False: it is in other hands now."""
        return await self._committer.run(acceptance.begin, beginning)

    async def release(self, release: acceptance.Release) -> None:
        """Give back a message held by accept lease."""
        await self._committer.run(acceptance.release, release)

    async def claim(self, claim: claims.Claim) -> claims.Claimed:
        """Take due messages; those returned are committed as being sent."""
        return await self._committer.run(claims.claim, claim)

    async def record(self, end: attempts.AttemptEnd) -> Status | None:
        """Store the end of an attempt; answer the message's new status, None where others were faster."""
        return await self._committer.run(attempts.record, end)

    # --- receipts ----------------------------------------------------------------------------------------------------

    async def apply_receipts(self, arrival: receipts.Arrival) -> list[str]:
        """Store receipts and what they change; answer the effect of each. Acknowledge only after this."""
        return await self._committer.run(receipts.apply_receipts, arrival)

    async def take_replies(self, arrival: replies.ReplyArrival) -> int:
        """Store what people wrote back; answer how many found their account. Acknowledge only after this."""
        return await self._committer.run(replies.take_replies, arrival)

    # --- fallbacks and callbacks -------------------------------------------------------------------------------------

    async def fire_fallbacks(self, sweep: fallbacks.Sweep) -> int:
        """Fire the fallbacks whose time has come; each exactly once, however many nodes ask. Answer how many moved."""
        return await self._committer.run(fallbacks.fire_due, sweep)

    async def decide_fallbacks(self, decision: fallbacks.Decision) -> int:
        """Release or drop the fallbacks that an outage held; answer how many."""
        return await self._committer.run(fallbacks.decide, decision)

    async def claim_endpoints(self, claim: turns.EndpointClaim) -> list[turns.ClaimedEndpoint]:
        """Take endpoints that have something to be told; each is in the hands of one node."""
        return await self._committer.run(turns.claim_endpoints, claim)

    async def record_turn(self, end: turns.TurnEnd) -> None:
        """Store what an endpoint heard."""
        await self._committer.run(turns.record_turn, end)

    async def set_endpoints(self, order: endpoints.EndpointOrder) -> bool:
        """Put, change or take away where an account is told; False: the call's nonce was used."""
        return await self._committer.run(endpoints.set_endpoints, order)

    async def callback_secret(self, account_id: int) -> bytes | None:
        return await self._read(endpoints.sealed_secret, account_id)

    async def list_endpoints(self, account_id: int) -> list[rows.AnyRow]:
        return await self._read(endpoints.list_endpoints, account_id)

    async def undeliverable(self, account_id: int, limit: int) -> list[rows.AnyRow]:
        return await self._read(callbacks.undeliverable, account_id, limit)

    async def replay_callbacks(self, replay: callbacks.Replay) -> int:
        """Make undeliverable reports wait again; answer how many."""
        return await self._committer.run(callbacks.replay, replay)

    # --- accounts ----------------------------------------------------------------------------------------------------

    async def create_account(self, account: accounts.NewAccount) -> int:
        """Create an account with its first possessions; raises NameTaken."""
        return await self._committer.run(accounts.create_account, account)

    async def give(self, gift: accounts.Gift) -> None:
        """Put keys, spaces, senders, templates or policies into an account."""
        await self._committer.run(accounts.give, gift)

    async def change_space(self, order: instances.SpaceOrder) -> instances.SpaceChanged:
        """Make, describe or take away a space for its owner."""
        return await self._committer.run(instances.change_spaces, order)

    async def subscribe(self, subscription: accounts.Subscription) -> None:
        """Subscribe an account to the product, or end it."""
        await self._committer.run(accounts.subscribe, subscription)

    async def copy_account(self, account_id: int) -> account_copy.AccountCopy | None:
        """Return all of an account but its messages, as of one moment."""
        return await self._read(account_copy.read, account_id)

    async def restore_account(self, restoration: account_copy.Restoration) -> None:
        """Make an account of a copy, all of it or nothing; raises NameTaken."""
        await self._committer.run(account_copy.restore, restoration, heavy=True)

    async def accounts_changed_since(self, instant: Instant) -> list[int]:
        return await self._read(accounts.accounts_changed_since, instant)

    async def account_names(self) -> list[tuple[int, str]]:
        return await self._read(accounts.names)

    async def find_account(self, name: str) -> int | None:
        return await self._read(accounts.find_account, name)

    async def load_view(self, account_id: int, now: Instant) -> AccountView | None:
        """Return an account with what it owns. A call waits for it, so no longer than for a commit."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._read(accounts.load_view, account_id, now)
        except TimeoutError:
            raise StoreUnavailable("the database does not answer") from None

    # --- access keys and RAM -----------------------------------------------------------------------------------------

    async def switch_key(self, switch: access_keys.KeySwitch) -> bool:
        """Disable or enable an access key; answer whether it exists."""
        return await self._committer.run(access_keys.switch, switch)

    async def delete_key(self, deletion: access_keys.KeyDeletion) -> bool:
        """Delete an access key and its secret; answer whether it existed."""
        return await self._committer.run(access_keys.delete, deletion)

    async def note_key_use(self, used: Sequence[tuple[str, Instant]]) -> None:
        """Store when access keys were last used."""
        await self._committer.run(access_keys.note_use, used)

    async def keys_changed_since(self, instant: Instant) -> list[AccessKey]:
        return await self._read(access_keys.changed_since, instant)

    async def keys_of(self, account_id: int) -> list[AccessKey]:
        return await self._read(access_keys.of_account, account_id)

    async def find_key(self, access_key_id: str) -> AccessKey | None:
        return await self._read(access_keys.find, access_key_id)

    async def list_keys(self, account_id: int) -> list[rows.AnyRow]:
        return await self._read(access_keys.list_keys, account_id)

    async def create_user(self, user: ram.NewUser) -> None:
        """Create a RAM user; raises NameTaken."""
        await self._committer.run(ram.create_user, user)

    async def delete_user(self, user: ram.GoneUser) -> None:
        """Delete a RAM user; raises NotFound, ram.InUse."""
        await self._committer.run(ram.delete_user, user)

    async def put_policy(self, policy: ram.PolicyText) -> None:
        """Create or replace a policy; raises NameTaken."""
        await self._committer.run(ram.put_policy, policy)

    async def delete_policy(self, policy: ram.GonePolicy) -> None:
        """Delete a policy; raises NotFound, ram.InUse."""
        await self._committer.run(ram.delete_policy, policy)

    async def attach_policy(self, attachment: ram.Attachment) -> None:
        """Attach a policy to a user, or detach it; raises NotFound."""
        await self._committer.run(ram.attach, attachment)

    async def list_users(self, account_id: int) -> list[rows.AnyRow]:
        return await self._read(ram.list_users, account_id)

    async def list_policies(self, account_id: int) -> list[rows.AnyRow]:
        return await self._read(ram.list_policies, account_id)

    async def policy_text(self, account_id: int, name: str) -> str | None:
        return await self._read(ram.policy_text, account_id, name)

    # --- sealed values -----------------------------------------------------------------------------------------------

    async def rewrap(self, step: sealed_values.Step) -> sealed_values.Stepped:
        """Seal some values anew under the current key of the ring."""
        return await self._committer.run(sealed_values.rewrap, step)

    async def note_rewrapped(self, now: Instant) -> None:
        """Remember when everything was under the current key."""
        await self._committer.run(sealed_values.note_rewrapped, now)

    async def sealed_by(self) -> dict[int, int]:
        """Return how many values each key of the ring seals."""
        return await self._read(sealed_values.count)

    async def rewrapped_at(self) -> Instant | None:
        return await self._read(sealed_values.rewrapped_at)

    # --- looking -----------------------------------------------------------------------------------------------------

    async def list_messages(self, wanted: search.Filter) -> list[Message]:
        return await self._read(search.list_messages, wanted)

    async def story(self, account_id: int | None, message_id: int) -> search.Story | None:
        return await self._read(search.story, account_id, message_id)

    async def history(self, account_id: int, asked: Question) -> Page:
        """Return one page of an account's past; raises history.TooFarBack."""
        group = None
        if asked.group is not None and (group := self.message_ids.key(asked.group)) is None:
            return Page(entries=[], total=0)
        return await self._read_by(
            self._archivist, history.page, account_id, asked, self.message_ids.public, group=group
        )

    async def group_progress(self, account_id: int | None, group: int) -> dict[Status, int]:
        """Return how many messages of a mass sending have each status; empty: there is no such group."""
        return await self._read(groups.progress, account_id, group)

    async def traffic(self, account_id: int, asked: Period) -> list[Traffic]:
        """Return what went out in a period, by sender and span; raises history.TooFarBack."""
        return await self._read_by(self._archivist, traffic.count, account_id, asked)

    async def held_fallbacks(self, account_id: int | None, limit: int) -> list[Message]:
        """Return messages whose fallback waits for an operator, oldest first; None: of all accounts."""
        return await self._read(search.held_fallbacks, account_id, limit)

    async def reported(self, message_ids: Sequence[int]) -> dict[int, search.Reported]:
        return await self._read(search.reported, message_ids)

    async def find_token(self, provider: str, token: str) -> int | None:
        return await self._read(search.find_token, provider, token)

    async def backlog(self, now: Instant) -> search.Backlog:
        return await self._read(search.backlog, now)

    async def ready(self, now: Instant) -> None:
        """Return when the database can commit a change now; raises StoreUnavailable."""
        await self._committer.run(installation.prove_writable, now)

    async def latest_time(self, now: Instant) -> Instant:
        """Return now, or the time of a database server, whichever is later."""
        return await self._read(instants.latest_time, now)

    async def set_back(self, setting: instants.SetBack) -> int:
        """Move the instants of what waits back, as the clock was; answer of how many messages."""
        return await self._committer.run(instants.set_back, setting)

    async def prune(self, now: Instant) -> dict[str, int]:
        """Forget what is out of every window: nonces, retry keys, parked receipts."""
        return {
            "nonces": await self._committer.run(calls.prune_nonces, now),
            "retry_keys": await self._committer.run(calls.prune_retry_keys, now),
            "parked_receipts": await self._committer.run(receipts.prune_parked, now - PARKED_WINDOW),
        }

    async def forget_callbacks(self, stride: forgetting.Stride) -> forgetting.Strode:
        """Forget reports that were heard, or could not be told, long ago: one step of a walk over all."""
        return await self._committer.run(forgetting.forget_callbacks, stride, heavy=True)

    async def forget_reviews(self, stride: forgetting.Stride) -> forgetting.Strode:
        """Forget decisions of long ago: one step of a walk over all."""
        return await self._committer.run(forgetting.forget_reviews, stride, heavy=True)
