"""What a caller may do: is the account subscribed, and do the caller's policies allow the operation?

A key of the account itself needs no policy. Everybody else is asked about ``cams:OPERATION`` on everything of the
account (``acs:cams::ACCOUNT:*``): CAMS knows no narrower resource. The rules are in ``domain.ram``.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatgate.clock import Instant
from chatgate.domain.ram import decision
from chatgate.domain.ram.conditions import Context
from chatgate.domain.ram.decision import Decision, Principal
from chatgate.domain.ram.policy import Request, resource_of
from chatgate.errors import PERMISSION_DENIED, UNSUBSCRIBED, ApiError
from chatgate.gateway.authenticate import Caller
from chatgate.protocol.request import RpcRequest
from chatgate.wire import HttpRequest

SERVICE = "cams"

WITHOUT_SUBSCRIPTION = frozenset({"GetChatappOpenStatus", "OpenChatappService"})
"""What tells an account that is not subscribed that it is not."""


def authorize(caller: Caller, rpc: RpcRequest, request: HttpRequest, now: Instant) -> str | None:
    """Refuse a call that may not be made; return the sentence that allowed it, None where no policy was asked.

    :raises ApiError: ``UNSUBSCRIBED``; ``PERMISSION_DENIED`` with ``AccessDeniedDetail``.
    """
    if not caller.account.subscribed and rpc.action not in WITHOUT_SUBSCRIPTION:
        raise ApiError(UNSUBSCRIBED)
    if caller.principal is None:
        return None
    context = Context(
        now=now, source_ip=request.peer, secure=request.secure, mfa=caller.principal.mfa, params=rpc.params
    )
    account_id = caller.account.account_id
    asked = Request(f"{SERVICE}:{rpc.action}", resource_of(account_id), context)
    made = decision.decide(caller.principal, asked)
    if not made.allowed:
        raise ApiError(PERMISSION_DENIED, denied=_detail(made, caller.principal, asked.action, account_id))
    return made.sentence


def _detail(made: Decision, principal: Principal, action: str, account_id: int) -> Mapping[str, str]:
    """Return what is told of a refusal: Alibaba's fields, and the sentence (ours)."""
    return {
        "PolicyType": made.policy_type,
        "NoPermissionType": made.verdict,
        "AuthAction": action,
        "AuthPrincipalType": "AssumedRoleUser" if principal.temporary else "SubUser",
        "AuthPrincipalOwnerId": str(account_id),
        "AuthPrincipalDisplayName": principal.name,
        "Explanation": made.sentence,
    }
