"""Where an operation hands over a message: committed to disk, then into the hands of this node's dispatcher."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from chatgate import errors
from chatgate.callbacks import signature
from chatgate.clock import SECOND
from chatgate.domain import fallback, routing
from chatgate.domain.history import Page, Question
from chatgate.domain.message import Draft, FallbackState, Message, RetryKey, Status
from chatgate.domain.routing import Route
from chatgate.domain.traffic import Period, Traffic
from chatgate.errors import (
    IDEMPOTENCY_MISMATCH,
    NONCE_USED,
    NOT_OWNER,
    SERVICE_UNAVAILABLE,
    SMS_NOT_SUPPORTED,
    TOO_FAR_BACK,
    ApiError,
)
from chatgate.operations.base import Call, SenderDesk, SpaceChange, TemplateDesk, Webhook
from chatgate.store.acceptance import ACCEPT_LEASE, Acceptance, Accepted
from chatgate.store.endpoints import EndpointChange, EndpointOrder
from chatgate.store.groups import GroupAcceptance, Member
from chatgate.store.history import TooFarBack
from chatgate.store.instances import SpaceOrder, SpaceOutcome
from chatgate.store.store import Store
from chatgate.telemetry import Metrics


class Hands(Protocol):
    """A dispatcher of this process, if it has one."""

    def has_room(self) -> bool: ...

    def hand(self, message: Message) -> None: ...


class Desk:
    """Accepts messages for operations."""

    def __init__(
        self,
        store: Store,
        routes: Sequence[Route],
        hands: Callable[[str], Hands | None],
        metrics: Metrics,
        seal: Callable[[bytes, str], bytes],
        templates: TemplateDesk,
        senders: SenderDesk,
        refresh: Callable[[], Awaitable[None]],
        *,
        default_ttl: int,
        callback_batch: int,
    ) -> None:
        """``hands`` answers for a lane with this process's dispatcher of it, None when there is none; ``refresh`` makes
        the gateway see what a call changed in its account."""
        self._store = store
        self._routes = routes
        self._hands = hands
        self._metrics = metrics
        self._seal = seal
        self.templates = templates
        self.senders = senders
        self._refresh = refresh
        self._callback_batch = callback_batch
        self.default_ttl = default_ttl

    async def accept(self, call: Call, draft: Draft, retry: RetryKey | None) -> str:
        lane = self._lane(draft)
        draft = self._with_sms_lane(draft)
        hands = self._hands(lane) if draft.failure is None else None
        leased = hands is not None and hands.has_room()
        acceptance = Acceptance(
            key=self._store.keys.next(), draft=draft, nonce=call.nonce, retry=retry, request_id=call.request_id,
            now=call.now, lane=lane, leased=leased, keys=self._store.keys.next, allowed_by=call.allowed_by,
        )  # fmt: skip
        accepted = _checked(await self._store.accept(acceptance))
        if accepted.stored:
            self._metrics.accepted.inc()
            if leased and hands is not None:
                hands.hand(_as_stored(acceptance))
        return self._store.message_ids.public(accepted.key)

    async def accept_group(self, call: Call, drafts: Sequence[Draft], retry: RetryKey | None) -> str:
        next_key = self._store.keys.next
        group = next_key()
        members = [Member(key=next_key(), draft=self._with_sms_lane(draft), lane=self._lane(draft)) for draft in drafts]
        acceptance = GroupAcceptance(
            key=group, account_id=call.account.account_id, members=members, nonce=call.nonce, retry=retry,
            request_id=call.request_id, now=call.now, keys=next_key, allowed_by=call.allowed_by,
        )  # fmt: skip
        accepted = _checked(await self._store.accept_group(acceptance))
        if accepted.stored:
            self._metrics.accepted.inc(len(members))
        return self._store.message_ids.public(accepted.key)

    async def set_webhooks(self, call: Call, webhooks: Sequence[Webhook]) -> None:
        account_id = call.account.account_id
        secret = self._seal(secrets.token_bytes(32), signature.purpose(account_id))
        changes = [
            EndpointChange(
                key=self._store.keys.next(), account_id=account_id, sender=webhook.sender, kind=webhook.kind,
                url=webhook.url, batch=self._callback_batch, sealed_secret=secret,
            )
            for webhook in webhooks
        ]  # fmt: skip
        if not await self._store.set_endpoints(EndpointOrder(changes=changes, nonce=call.nonce)):
            raise ApiError(NONCE_USED)

    async def listening(self, call: Call) -> Sequence[Webhook]:
        found = await self._store.list_endpoints(call.account.account_id)
        return [Webhook(sender=row.sender, kind=row.kind, url=row.url) for row in found]

    async def change_space(self, call: Call, change: SpaceChange) -> Mapping[str, str]:
        order = SpaceOrder(
            account_id=call.account.account_id, space_id=change.space_id, details=change.details, most=change.most,
            nonce=call.nonce, now=call.now,
        )  # fmt: skip
        changed = await self._store.change_space(order)
        match changed.outcome:
            case SpaceOutcome.NONCE_USED:
                raise ApiError(NONCE_USED)
            case SpaceOutcome.GONE:
                raise ApiError(NOT_OWNER, param="InstanceId")
            case SpaceOutcome.LAST:
                raise errors.invalid("InstanceId", "The last instance of an account cannot be deleted.")
            case SpaceOutcome.FULL:
                raise errors.invalid("InstanceName", f"An account has at most {change.most} instances.")
        await self._refresh()
        return changed.details

    async def traffic(self, call: Call, asked: Period) -> Sequence[Traffic]:
        try:
            return await self._store.traffic(call.account.account_id, asked)
        except TooFarBack:
            raise ApiError(TOO_FAR_BACK) from None

    async def history(self, call: Call, asked: Question) -> Page:
        try:
            return await self._store.history(call.account.account_id, asked)
        except TooFarBack:
            raise ApiError(TOO_FAR_BACK) from None

    def _lane(self, draft: Draft) -> str:
        lane = routing.lane(self._routes, draft)
        if lane is None:
            raise ApiError(SERVICE_UNAVAILABLE, "No route of this installation carries this message.")
        return lane

    def _with_sms_lane(self, draft: Draft) -> Draft:
        """Fix the provider of the SMS now; refuse a fallback that no route could carry.

        :raises ApiError: ``SMS_NOT_SUPPORTED``.
        """
        order = draft.fallback
        if order is None or order.lane is not None:
            return draft
        lane = routing.lane(self._routes, fallback.sms(draft, order))
        if lane is None:
            raise ApiError(SMS_NOT_SUPPORTED, "No route of this installation carries SMS.")
        return msgspec.structs.replace(draft, fallback=msgspec.structs.replace(order, lane=lane))


def _checked(accepted: Accepted) -> Accepted:
    """Refuse a call that came before, or not as it came before."""
    if accepted.nonce_used:
        raise ApiError(NONCE_USED)
    if accepted.mismatch:
        raise ApiError(IDEMPOTENCY_MISMATCH)
    return accepted


def _as_stored(acceptance: Acceptance) -> Message:
    """Return the message as it was committed, without reading it back."""
    return Message(
        id=acceptance.key, account_id=acceptance.draft.account_id, draft=acceptance.draft,
        accepted_at=acceptance.now, expires_at=acceptance.now + acceptance.draft.ttl * SECOND, status=Status.ACCEPTED,
        attempt=0, due_at=acceptance.now + ACCEPT_LEASE, request_id=acceptance.request_id,
        sender=acceptance.draft.sender,
        fallback_state=None if acceptance.draft.fallback is None else FallbackState.ARMED,
    )  # fmt: skip
