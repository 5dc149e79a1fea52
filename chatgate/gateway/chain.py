"""The path of one API call: the steps in the order in which they are taken.

::

    read          HTTP request ▶ operation, version, format, parameters
    known         is there such an operation? (one of other channels is refused once the caller is known)
    claim         who does it say it is from?                    (no step before this depends on who calls)
    authenticate  access key, token, time, signature             ▶ Caller
    authorize     subscribed, allowed
    flow control  at most 250 a second, fewer for some operations; a refusal leaves nothing but a counter
    operation     parameters checked one by one, then one store verb that commits the message and spends the nonce
    answer        JSON or XML; never empty, never foreign

Each step returns a narrower value, so none can be left out. From flow control on, a call spends its nonce whatever its
answer is: a byte-identical request finds ``SignatureNonceUsed`` (promise P18).
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from types import ModuleType

import msgspec
import structlog

from chatgate import ids
from chatgate.clock import Clock, Instant
from chatgate.errors import (
    ACTION_NOT_FOUND,
    IDEMPOTENCY_MISMATCH,
    INTERNAL_ERROR,
    INVALID_VERSION,
    NONCE_USED,
    OUTCOME_UNKNOWN,
    SERVICE_UNAVAILABLE,
    ApiError,
    OutcomeUnknown,
    StoreUnavailable,
    invalid,
)
from chatgate.gateway import other_channels
from chatgate.gateway.authenticate import Authenticator, Caller
from chatgate.gateway.authorize import authorize
from chatgate.gateway.flow_control import FlowControl
from chatgate.operations.base import Call, Desk
from chatgate.protocol import request as rpc_request
from chatgate.protocol import response, signature
from chatgate.protocol.actions import ACTIONS
from chatgate.protocol.fields import SUCCESS
from chatgate.protocol.request import Format, RpcRequest
from chatgate.store.store import Store
from chatgate.telemetry import Metrics
from chatgate.wire import HttpRequest, HttpResponse

VERSION = "2020-06-06"
"""The one version of the product."""

LONGEST_IDEMPOTENCY_KEY = 255
"""As Stripe's; promise P3."""

log = structlog.get_logger(__name__)


class Gateway:
    """Answers API calls."""

    def __init__(
        self,
        *,
        store: Store,
        desk: Desk,
        operations: Mapping[str, ModuleType],
        authenticate: Authenticator,
        flow_control: FlowControl,
        clock: Clock,
        metrics: Metrics,
        validation_status: int,
    ) -> None:
        """``validation_status``: HTTP status of validation codes, 200 (documented) or 400."""
        self._store = store
        self._desk = desk
        self._operations = operations
        self._authenticate = authenticate
        self._flow_control = flow_control
        self._clock = clock
        self._metrics = metrics
        self._validation_status = validation_status
        self._known_actions = ACTIONS | operations.keys()
        self._says_success = (ACTIONS - operations.keys()) | {
            action for action, module in operations.items() if SUCCESS in getattr(module, "RESPONSE", ())
        }
        self._answered_ok = {action: metrics.calls.labels(action, "OK") for action in operations}

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request; never raises."""
        request_id = ids.request_id()
        rpc: RpcRequest | None = None
        try:
            rpc = rpc_request.read(request)
            operation = self._known(rpc)
            fields = await self._serve(request, rpc, operation, request_id)
        except ApiError as error:
            # Answered here, not kept: a name for the error would tie it, its frames and the whole request into a cycle.
            return self._refuse(request, rpc, request_id, error)
        except OutcomeUnknown:
            return self._refuse(request, rpc, request_id, ApiError(OUTCOME_UNKNOWN))
        except StoreUnavailable:
            return self._refuse(request, rpc, request_id, ApiError(SERVICE_UNAVAILABLE))
        except Exception:
            log.exception("call.failed", request_id=request_id)
            return self._refuse(request, rpc, request_id, ApiError(INTERNAL_ERROR))
        self._answered_ok[rpc.action].inc()
        return response.success(rpc.format, rpc.action, request_id, fields)

    def _known(self, rpc: RpcRequest) -> ModuleType:
        operation = self._operations.get(rpc.action)
        if operation is None:
            if rpc.action not in ACTIONS:
                raise ApiError(ACTION_NOT_FOUND)
            operation = other_channels
        if rpc.version != VERSION:
            raise ApiError(INVALID_VERSION)
        return operation

    async def _serve(
        self, request: HttpRequest, rpc: RpcRequest, operation: ModuleType, request_id: str
    ) -> Mapping[str, object]:
        began, now = perf_counter(), self._clock.now()
        claim = signature.read_claim(request, rpc)
        caller = await self._authenticate(claim, now)
        allowed_by = self._authorize(caller, rpc, request, now, request_id)
        admitted_at = self._admit(caller, rpc.action)
        call = Call(
            request_id=request_id, account=caller.account, access_key_id=caller.access_key_id, params=rpc.params,
            nonce=caller.nonce, now=now, idempotency_key=None, allowed_by=allowed_by,
        )  # fmt: skip
        if not getattr(operation, "CHANGES", False):
            await self._spend(caller, rpc.action, admitted_at)
            read: Mapping[str, object] = await operation.execute(call, self._desk)
            return read
        try:
            if (key := request.headers.get("idempotency-key")) is not None:
                call = _with_key(call, key)
            fields: Mapping[str, object] = await operation.execute(call, self._desk)
        except ApiError as error:
            if error.row is NONCE_USED:
                self._flow_control.take_back(caller.account, rpc.action, admitted_at)
            elif error.row is not IDEMPOTENCY_MISMATCH:  # that is said by the transaction that spent the nonce
                await self._spend(caller, rpc.action, admitted_at)
            raise
        self._metrics.accept_seconds.observe(perf_counter() - began)
        return fields

    def _authorize(
        self, caller: Caller, rpc: RpcRequest, request: HttpRequest, now: Instant, request_id: str
    ) -> str | None:
        try:
            return authorize(caller, rpc, request, now)
        except ApiError as error:
            if error.denied is not None:
                log.info(  # not the sentence: it may tell values of a policy, and these may be numbers
                    "call.denied", request_id=request_id, account_id=caller.account.account_id, action=rpc.action,
                    reason=error.denied["NoPermissionType"],
                )  # fmt: skip
            raise

    def _admit(self, caller: Caller, action: str) -> int:
        try:
            return self._flow_control.admit(caller.account, action)
        except ApiError:
            self._metrics.refused_by_flow_control.inc()
            raise

    async def _spend(self, caller: Caller, action: str, admitted_at: int) -> None:
        """Spend the nonce of a call that stores nothing else; a replay gives its place in the window back."""
        if not await self._store.spend_nonce(caller.nonce):
            self._flow_control.take_back(caller.account, action, admitted_at)
            raise ApiError(NONCE_USED) from None

    def _refuse(self, request: HttpRequest, rpc: RpcRequest | None, request_id: str, error: ApiError) -> HttpResponse:
        action = rpc.action if rpc is not None and rpc.action in self._known_actions else ""
        self._metrics.calls.labels(action, error.row.code).inc()  # the row, so that callers cannot make up labels
        if error.http == 200:
            error.http = self._validation_status
        format: Format = rpc.format if rpc is not None else rpc_request.format_of(request)
        host = request.headers.get("host", response.NAMELESS)
        fields = {"Success": False} if action in self._says_success else {}
        return response.failure(format, request_id, host, error, secure=request.secure, action=action, fields=fields)


def _with_key(call: Call, key: str) -> Call:
    if not 1 <= len(key) <= LONGEST_IDEMPOTENCY_KEY or not key.isprintable():
        raise invalid(
            "Idempotency-Key", f"Idempotency-Key must have 1 to {LONGEST_IDEMPOTENCY_KEY} printable characters."
        )
    return msgspec.structs.replace(call, idempotency_key=key)
