"""May somebody do something? Who it is, what their policies say, and why, in one sentence.

Rules, in this order:

1. An explicit Deny wins over everything.
2. Then one Allow is enough.
3. What no statement allows is denied.
4. Temporary credentials with a policy of their own (session policy) need its consent first, then the user's.

The account itself is limited by no policy; its temporary credentials only by the session's.

Follows Alibaba Cloud "RAM: How policies are evaluated".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chatgate.domain.ram.policy import Effect, Policy, Request


class Verdict(StrEnum):
    """As RAM names them (``NoPermissionType``)."""

    ALLOW = "Allow"
    EXPLICIT_DENY = "ExplicitDeny"
    IMPLICIT_DENY = "ImplicitDeny"


class PolicyType(StrEnum):
    """Which kind of policy decided, as RAM names them."""

    IDENTITY = "AccountLevelIdentityBasedPolicy"
    SESSION = "SessionPolicy"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody whose calls are measured by policies."""

    name: str
    policies: tuple[Policy, ...] | None
    """Of the user; None: the account itself, which may do everything."""
    session: Policy | None = None
    """Of temporary credentials."""
    temporary: bool = False
    mfa: bool | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    verdict: Verdict
    policy_type: PolicyType
    sentence: str
    policy: str = ""
    """Name of the policy that decided; empty where none did."""
    statement: int = 0

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOW


def decide(principal: Principal, request: Request) -> Decision:
    """Decide about one request."""
    if principal.session is not None:
        first = _by(PolicyType.SESSION, principal.name, (principal.session,), request)
        if not first.allowed or principal.policies is None:
            return first
    if principal.policies is None:
        return Decision(Verdict.ALLOW, PolicyType.IDENTITY, f"{principal.name} is the account itself.")
    return _by(PolicyType.IDENTITY, principal.name, principal.policies, request)


def _by(kind: PolicyType, name: str, policies: tuple[Policy, ...], request: Request) -> Decision:
    allowing: Decision | None = None
    missed = ""
    for policy in policies:
        for statement in policy.statements:
            if not statement.is_about(request):
                continue
            place = f"statement {statement.number} of policy {policy.name}"
            unmet = statement.unmet(request.context)
            if unmet is not None:
                if statement.effect is Effect.ALLOW:
                    missed = missed or f" ({place} would, but only where {unmet})"
            elif statement.effect is Effect.DENY:
                said = f"{name} may not call {request.action}: {place} denies it."
                return Decision(Verdict.EXPLICIT_DENY, kind, said, policy.name, statement.number)
            elif allowing is None:
                said = f"{name} may call {request.action}: {place} allows it."
                allowing = Decision(Verdict.ALLOW, kind, said, policy.name, statement.number)
    if allowing is not None:
        return allowing
    own = "no statement of the session's policy" if kind is PolicyType.SESSION else _named(policies)
    return Decision(Verdict.IMPLICIT_DENY, kind, f"{name} may not call {request.action}: {own} allows it{missed}.")


def _named(policies: tuple[Policy, ...]) -> str:
    if not policies:
        return "no policy is attached that"
    return f"no statement of {', '.join(policy.name for policy in policies)}"
