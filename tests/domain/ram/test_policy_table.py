"""The policy table: who may do what. Each row's verdict was written by hand, from RAM's documentation and our rules.

A row is: the statements of the policies that are attached, what is asked, and what must be decided.
"""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgate.domain.ram import decision, policy
from chatgate.domain.ram.conditions import Context
from chatgate.domain.ram.decision import Principal, Verdict
from chatgate.domain.ram.policy import Request
from chatgate.domain.ram.system_policies import TEXTS

ALLOW, DENY, NOTHING = Verdict.ALLOW, Verdict.EXPLICIT_DENY, Verdict.IMPLICIT_DENY

ACCOUNT = 1234567890

SEND, LIST, QUERY, GET = "cams:SendChatappMessage", "cams:ListChatappMessage", "cams:QueryPhoneNumber", "cams:GetX"

NOON = 1_740_830_400_000
"""2025-03-01T12:00:00Z"""

CALL = Context(
    now=NOON, source_ip="203.0.113.7", secure=True, mfa=None,
    params={"Label": "transaction", "From": "27549", "To": "639170000001", "Ttl": "60", "ChannelType": "viber"},
)  # fmt: skip
"""How a call comes where a row says nothing else."""

Statement = dict[str, Any]


def allow(action: Any = "*", resource: Any = "*", **condition: Any) -> Statement:
    return _statement("Allow", "Action", action, resource, condition)


def deny(action: Any = "*", resource: Any = "*", **condition: Any) -> Statement:
    return _statement("Deny", "Action", action, resource, condition)


def allow_not(action: Any, resource: Any = "*", **condition: Any) -> Statement:
    return _statement("Allow", "NotAction", action, resource, condition)


def deny_not(action: Any, resource: Any = "*", **condition: Any) -> Statement:
    return _statement("Deny", "NotAction", action, resource, condition)


def _statement(effect: str, element: str, action: Any, resource: Any, condition: dict[str, Any]) -> Statement:
    made = {"Effect": effect, element: action, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def ip(*blocks: str) -> dict[str, Any]:
    return {"acs:SourceIp": list(blocks)}


def time(*times: str) -> dict[str, Any]:
    return {"acs:CurrentTime": list(times)}


OWN = f"acs:cams::{ACCOUNT}:*"

ROWS: list[tuple[str, list[Statement], str, dict[str, Any], Verdict]] = [
    # --- effects: default deny, one allow is enough, an explicit deny wins ----------------------------------------
    ("no statement is about it", [allow("ecs:*")], SEND, {}, NOTHING),
    ("one allows", [allow()], SEND, {}, ALLOW),
    ("one of two allows", [allow("ecs:*"), allow("cams:*")], SEND, {}, ALLOW),
    ("deny alone", [deny()], SEND, {}, DENY),
    ("deny after allow", [allow(), deny()], SEND, {}, DENY),
    ("deny before allow", [deny(), allow()], SEND, {}, DENY),
    ("narrow deny beats wide allow", [allow(), deny(SEND)], SEND, {}, DENY),
    ("wide deny beats narrow allow", [allow(SEND), deny("cams:*")], SEND, {}, DENY),
    ("deny of something else", [allow(), deny(LIST)], SEND, {}, ALLOW),
    ("deny of something else, nothing allowed", [deny(LIST)], SEND, {}, NOTHING),
    ("two allow", [allow(SEND), allow("cams:*")], SEND, {}, ALLOW),
    # --- actions --------------------------------------------------------------------------------------------------
    ("exact", [allow(SEND)], SEND, {}, ALLOW),
    ("another operation", [allow(SEND)], LIST, {}, NOTHING),
    ("list, first", [allow([SEND, LIST])], SEND, {}, ALLOW),
    ("list, last", [allow([SEND, LIST])], LIST, {}, ALLOW),
    ("list, neither", [allow([SEND, LIST])], QUERY, {}, NOTHING),
    ("all of the service", [allow("cams:*")], QUERY, {}, ALLOW),
    ("beginning", [allow("cams:Send*")], SEND, {}, ALLOW),
    ("beginning of another", [allow("cams:Send*")], LIST, {}, NOTHING),
    ("end", [allow("cams:*Message")], LIST, {}, ALLOW),
    ("end of another", [allow("cams:*Message")], QUERY, {}, NOTHING),
    ("middle", [allow("cams:*Chatapp*")], SEND, {}, ALLOW),
    ("one character", [allow("cams:Get?")], GET, {}, ALLOW),
    ("one character is not two", [allow("cams:Ge?")], GET, {}, NOTHING),
    ("one character is not none", [allow("cams:GetX?")], GET, {}, NOTHING),
    ("star is none too", [allow("cams:GetX*")], GET, {}, ALLOW),
    ("any service", [allow("*:SendChatappMessage")], SEND, {}, ALLOW),
    ("another service", [allow("dysms:SendChatappMessage")], SEND, {}, NOTHING),
    ("lower case", [allow("cams:sendchatappmessage")], SEND, {}, ALLOW),
    ("upper case", [allow("CAMS:SENDCHATAPPMESSAGE")], SEND, {}, ALLOW),
    ("no more than it says", [allow("cams:SendChatapp")], SEND, {}, NOTHING),
    ("no less than it says", [allow("cams:SendChatappMessageNow")], SEND, {}, NOTHING),
    # --- NotAction ------------------------------------------------------------------------------------------------
    ("all but another", [allow_not(LIST)], SEND, {}, ALLOW),
    ("all but this", [allow_not(SEND)], SEND, {}, NOTHING),
    ("all but a list with this", [allow_not([LIST, SEND])], SEND, {}, NOTHING),
    ("all but a list without this", [allow_not([LIST, GET])], SEND, {}, ALLOW),
    ("all but another service", [allow_not("ecs:*")], SEND, {}, ALLOW),
    ("all but everything", [allow_not("*")], SEND, {}, NOTHING),
    ("deny all but this", [allow(), deny_not(SEND)], SEND, {}, ALLOW),
    ("deny all but another", [allow(), deny_not(LIST)], SEND, {}, DENY),
    ("deny all but this allows nothing", [deny_not(SEND)], SEND, {}, NOTHING),
    ("deny all but a beginning", [allow(), deny_not("cams:Get*")], GET, {}, ALLOW),
    # --- resources ------------------------------------------------------------------------------------------------
    ("everything of the account", [allow(SEND, OWN)], SEND, {}, ALLOW),
    ("everything of another account", [allow(SEND, "acs:cams::99:*")], SEND, {}, NOTHING),
    ("any region", [allow(SEND, f"acs:cams:*:{ACCOUNT}:*")], SEND, {}, ALLOW),
    ("any account", [allow(SEND, "acs:cams:*:*:*")], SEND, {}, ALLOW),
    ("any service", [allow(SEND, "acs:*:*:*:*")], SEND, {}, ALLOW),
    ("another service", [allow(SEND, "acs:oss:*:*:*")], SEND, {}, NOTHING),
    ("a region, which CAMS has none of", [allow(SEND, f"acs:cams:cn-hangzhou:{ACCOUNT}:*")], SEND, {}, NOTHING),
    ("list with ours", [allow(SEND, ["acs:oss:*:*:*", OWN])], SEND, {}, ALLOW),
    ("list without ours", [allow(SEND, ["acs:oss:*:*:*", "acs:cams::99:*"])], SEND, {}, NOTHING),
    ("list with everything", [allow(SEND, ["acs:oss:*:*:*", "*"])], SEND, {}, ALLOW),
    ("a wildcard stays in its part", [allow(SEND, "acs:cams:*:x:*")], SEND, {}, NOTHING),
    ("beginning of the account's id", [allow(SEND, "acs:cams::1234*:*")], SEND, {}, ALLOW),
    ("a narrower thing than CAMS knows", [allow(SEND, f"acs:cams::{ACCOUNT}:sender/27549")], SEND, {}, NOTHING),
    ("resource in upper case", [allow(SEND, f"acs:CAMS::{ACCOUNT}:*")], SEND, {}, NOTHING),
    ("deny of another account", [allow(), deny(SEND, "acs:cams::99:*")], SEND, {}, ALLOW),
    ("deny of this account", [allow(), deny(SEND, OWN)], SEND, {}, DENY),
    # --- acs:SourceIp ---------------------------------------------------------------------------------------------
    ("in the block", [allow(IpAddress=ip("203.0.113.0/24"))], SEND, {}, ALLOW),
    ("out of the block", [allow(IpAddress=ip("198.51.100.0/24"))], SEND, {}, NOTHING),
    ("in one of two blocks", [allow(IpAddress=ip("198.51.100.0/24", "203.0.113.0/24"))], SEND, {}, ALLOW),
    ("the address itself", [allow(IpAddress=ip("203.0.113.7"))], SEND, {}, ALLOW),
    ("its neighbour", [allow(IpAddress=ip("203.0.113.8"))], SEND, {}, NOTHING),
    ("last of the block", [allow(IpAddress=ip("203.0.113.0/29"))], SEND, {}, ALLOW),
    ("behind the block", [allow(IpAddress=ip("203.0.113.0/30"))], SEND, {}, NOTHING),
    ("a block written by one of its hosts", [allow(IpAddress=ip("203.0.113.99/24"))], SEND, {}, ALLOW),
    ("IPv6 in the block", [allow(IpAddress=ip("2001:db8::/32"))], SEND, {"source_ip": "2001:db8::1"}, ALLOW),
    ("IPv6 is in no block of IPv4", [allow(IpAddress=ip("0.0.0.0/0"))], SEND, {"source_ip": "2001:db8::1"}, NOTHING),
    ("IPv4 as IPv6", [allow(IpAddress=ip("::ffff:203.0.113.0/120"))], SEND, {"source_ip": "203.0.113.7"}, ALLOW),
    ("beside such a block", [allow(IpAddress=ip("::ffff:203.0.113.0/120"))], SEND, {"source_ip": "203.0.9.7"}, NOTHING),
    ("not from such a block", [deny(IpAddress=ip("::ffff:0:0/96")), allow()], SEND, {"source_ip": "203.0.113.7"}, DENY),
    ("IPv4 in IPv6", [allow(IpAddress=ip("203.0.113.0/24"))], SEND, {"source_ip": "::ffff:203.0.113.7"}, ALLOW),
    ("unknown address", [allow(IpAddress=ip("0.0.0.0/0"))], SEND, {"source_ip": ""}, NOTHING),
    ("not in the block", [allow(NotIpAddress=ip("198.51.100.0/24"))], SEND, {}, ALLOW),
    ("not in the block, but it is", [allow(NotIpAddress=ip("203.0.113.0/24"))], SEND, {}, NOTHING),
    ("in neither of two", [allow(NotIpAddress=ip("198.51.100.0/24", "192.0.2.0/24"))], SEND, {}, ALLOW),
    ("in one of two", [allow(NotIpAddress=ip("198.51.100.0/24", "203.0.113.0/24"))], SEND, {}, NOTHING),
    ("denied from outside", [allow(), deny(NotIpAddress=ip("198.51.100.0/24"))], SEND, {}, DENY),
    ("denied from outside, came from inside", [allow(), deny(NotIpAddress=ip("203.0.113.0/24"))], SEND, {}, ALLOW),
    ("denied from outside, unknown", [allow(), deny(NotIpAddress=ip("203.0.113.0/24"))], SEND, {"source_ip": ""}, DENY),
    # --- acs:SecureTransport, acs:MFAPresent ----------------------------------------------------------------------
    ("TLS wanted", [allow(Bool={"acs:SecureTransport": "true"})], SEND, {}, ALLOW),
    ("TLS wanted, plain", [allow(Bool={"acs:SecureTransport": "true"})], SEND, {"secure": False}, NOTHING),
    ("as a JSON boolean", [allow(Bool={"acs:SecureTransport": True})], SEND, {}, ALLOW),
    ("in capitals", [allow(Bool={"acs:SecureTransport": ["True"]})], SEND, {}, ALLOW),
    ("plain denied", [allow(), deny(Bool={"acs:SecureTransport": "false"})], SEND, {"secure": False}, DENY),
    ("plain denied, TLS", [allow(), deny(Bool={"acs:SecureTransport": "false"})], SEND, {}, ALLOW),
    ("either", [allow(Bool={"acs:SecureTransport": ["true", "false"]})], SEND, {"secure": False}, ALLOW),
    ("second factor", [allow(Bool={"acs:MFAPresent": "true"})], SEND, {"mfa": True}, ALLOW),
    ("no second factor", [allow(Bool={"acs:MFAPresent": "true"})], SEND, {"mfa": False}, NOTHING),
    ("a permanent key has no second factor", [allow(Bool={"acs:MFAPresent": "true"})], SEND, {}, NOTHING),
    ("nor has it none", [allow(), deny(Bool={"acs:MFAPresent": "false"})], SEND, {}, ALLOW),
    ("a session without one is denied", [allow(), deny(Bool={"acs:MFAPresent": "false"})], SEND, {"mfa": False}, DENY),
    # --- acs:CurrentTime ------------------------------------------------------------------------------------------
    ("before", [allow(DateLessThan=time("2025-03-01T12:00:01Z"))], SEND, {}, ALLOW),
    ("not before", [allow(DateLessThan=time("2025-03-01T12:00:00Z"))], SEND, {}, NOTHING),
    ("before or at", [allow(DateLessThanEquals=time("2025-03-01T12:00:00Z"))], SEND, {}, ALLOW),
    ("later than at", [allow(DateLessThanEquals=time("2025-03-01T11:59:59Z"))], SEND, {}, NOTHING),
    ("after", [allow(DateGreaterThan=time("2025-03-01T11:59:59Z"))], SEND, {}, ALLOW),
    ("not after", [allow(DateGreaterThan=time("2025-03-01T12:00:00Z"))], SEND, {}, NOTHING),
    ("after or at", [allow(DateGreaterThanEquals=time("2025-03-01T12:00:00Z"))], SEND, {}, ALLOW),
    ("earlier than at", [allow(DateGreaterThanEquals=time("2025-03-01T12:00:01Z"))], SEND, {}, NOTHING),
    ("at", [allow(DateEquals=time("2025-03-01T12:00:00Z"))], SEND, {"now": NOON + 999}, ALLOW),
    ("a second later", [allow(DateEquals=time("2025-03-01T12:00:00Z"))], SEND, {"now": NOON + 1000}, NOTHING),
    ("not at", [allow(DateNotEquals=time("2025-03-01T12:00:00Z"))], SEND, {}, NOTHING),
    ("not at, later", [allow(DateNotEquals=time("2025-03-01T12:00:00Z"))], SEND, {"now": NOON + 1000}, ALLOW),
    ("in another time zone", [allow(DateEquals=time("2025-03-01T20:00:00+08:00"))], SEND, {}, ALLOW),
    ("in the other direction", [allow(DateEquals=time("2025-03-01T07:00:00-05:00"))], SEND, {}, ALLOW),
    (
        "in office hours",
        [allow(DateGreaterThan=time("2025-03-01T08:00:00Z"), DateLessThan=time("2025-03-01T18:00:00Z"))],
        SEND, {}, ALLOW,
    ),
    (
        "at night",
        [allow(DateGreaterThan=time("2025-03-01T08:00:00Z"), DateLessThan=time("2025-03-01T18:00:00Z"))],
        SEND, {"now": NOON + 8 * 3_600_000}, NOTHING,
    ),
    # --- text -----------------------------------------------------------------------------------------------------
    ("equals", [allow(StringEquals={"cams:Label": "transaction"})], SEND, {}, ALLOW),
    ("equals another", [allow(StringEquals={"cams:Label": "promotion"})], SEND, {}, NOTHING),
    ("equals one of two", [allow(StringEquals={"cams:Label": ["promotion", "transaction"]})], SEND, {}, ALLOW),
    ("equals by case", [allow(StringEquals={"cams:Label": "Transaction"})], SEND, {}, NOTHING),
    ("equals, case ignored", [allow(StringEqualsIgnoreCase={"cams:Label": "TRANSACTION"})], SEND, {}, ALLOW),
    ("equals, case ignored, another", [allow(StringEqualsIgnoreCase={"cams:Label": "PROMO"})], SEND, {}, NOTHING),
    ("equals takes no wildcard", [allow(StringEquals={"cams:Label": "trans*"})], SEND, {}, NOTHING),
    ("a parameter that is not given", [allow(StringEquals={"cams:Tag": "a"})], SEND, {}, NOTHING),
    ("not equals", [allow(), deny(StringNotEquals={"cams:Label": "promotion"})], SEND, {}, DENY),
    ("not equals, but it does", [allow(), deny(StringNotEquals={"cams:Label": "transaction"})], SEND, {}, ALLOW),
    ("not equals either", [allow(), deny(StringNotEquals={"cams:Label": ["promo", "transaction"]})], SEND, {}, ALLOW),
    ("not equals what is not given", [allow(), deny(StringNotEquals={"cams:Tag": "a"})], SEND, {}, DENY),
    ("not equals, any case", [allow(), deny(StringNotEqualsIgnoreCase={"cams:Label": "TRANSACTION"})], SEND, {}, ALLOW),
    ("not equals, another", [allow(), deny(StringNotEqualsIgnoreCase={"cams:Label": "PROMO"})], SEND, {}, DENY),
    ("like", [allow(StringLike={"cams:To": "63917*"})], SEND, {}, ALLOW),
    ("like another", [allow(StringLike={"cams:To": "4915*"})], SEND, {}, NOTHING),
    ("like one of two", [allow(StringLike={"cams:To": ["4915*", "63*"]})], SEND, {}, ALLOW),
    ("like, one character", [allow(StringLike={"cams:From": "2754?"})], SEND, {}, ALLOW),
    ("like, one character too few", [allow(StringLike={"cams:From": "2754??"})], SEND, {}, NOTHING),
    ("like, by case", [allow(StringLike={"cams:Label": "Trans*"})], SEND, {}, NOTHING),
    ("not like", [allow(), deny(StringNotLike={"cams:To": "4915*"})], SEND, {}, DENY),
    ("not like, but it is", [allow(), deny(StringNotLike={"cams:To": "63*"})], SEND, {}, ALLOW),
    ("denied unless", [allow(), deny(StringNotEquals={"cams:Label": "transaction"})], SEND, {}, ALLOW),
    ("denied unless, and it is another", [allow(), deny(StringNotEquals={"cams:Label": "promotion"})], SEND, {}, DENY),
    ("address as text", [allow(StringLike={"acs:SourceIp": "203.0.113.*"})], SEND, {}, ALLOW),
    ("time as text", [allow(StringLike={"acs:CurrentTime": "2025-03-01T1*"})], SEND, {}, ALLOW),
    ("flag as text", [allow(StringEquals={"acs:SecureTransport": "true"})], SEND, {}, ALLOW),
    # --- numbers --------------------------------------------------------------------------------------------------
    ("number equals", [allow(NumericEquals={"cams:Ttl": 60})], SEND, {}, ALLOW),
    ("number equals, as text", [allow(NumericEquals={"cams:Ttl": "60.0"})], SEND, {}, ALLOW),
    ("number equals another", [allow(NumericEquals={"cams:Ttl": 61})], SEND, {}, NOTHING),
    ("number not equals", [allow(), deny(NumericNotEquals={"cams:Ttl": 61})], SEND, {}, DENY),
    ("number not equals, but it does", [allow(), deny(NumericNotEquals={"cams:Ttl": [60, 61]})], SEND, {}, ALLOW),
    ("less", [allow(NumericLessThan={"cams:Ttl": 61})], SEND, {}, ALLOW),
    ("not less", [allow(NumericLessThan={"cams:Ttl": 60})], SEND, {}, NOTHING),
    ("less or equal", [allow(NumericLessThanEquals={"cams:Ttl": 60})], SEND, {}, ALLOW),
    ("not less or equal", [allow(NumericLessThanEquals={"cams:Ttl": 59})], SEND, {}, NOTHING),
    ("greater", [allow(NumericGreaterThan={"cams:Ttl": 59})], SEND, {}, ALLOW),
    ("not greater", [allow(NumericGreaterThan={"cams:Ttl": 60})], SEND, {}, NOTHING),
    ("greater or equal", [allow(NumericGreaterThanEquals={"cams:Ttl": 60})], SEND, {}, ALLOW),
    ("not greater or equal", [allow(NumericGreaterThanEquals={"cams:Ttl": 61})], SEND, {}, NOTHING),
    ("compared as numbers, not as text", [allow(NumericLessThan={"cams:Ttl": 100})], SEND, {}, ALLOW),
    ("no number", [allow(NumericLessThan={"cams:Label": 100})], SEND, {}, NOTHING),
    # --- several conditions ---------------------------------------------------------------------------------------
    ("two keys, both", [allow(StringEquals={"cams:Label": "transaction", "cams:From": "27549"})], SEND, {}, ALLOW),
    ("two keys, one", [allow(StringEquals={"cams:Label": "transaction", "cams:From": "1"})], SEND, {}, NOTHING),
    (
        "two operators, both",
        [allow(IpAddress=ip("203.0.113.0/24"), Bool={"acs:SecureTransport": "true"})], SEND, {}, ALLOW,
    ),
    (
        "two operators, one",
        [allow(IpAddress=ip("203.0.113.0/24"), Bool={"acs:SecureTransport": "true"})],
        SEND, {"secure": False}, NOTHING,
    ),
    (
        "a deny of two operators needs both",
        [allow(), deny(IpAddress=ip("203.0.113.0/24"), Bool={"acs:SecureTransport": "false"})], SEND, {}, ALLOW,
    ),
    ("no condition at all", [allow() | {"Condition": {}}], SEND, {}, ALLOW),
    ("allowed by another statement", [allow(IpAddress=ip("198.51.100.0/24")), allow(SEND)], SEND, {}, ALLOW),
]  # fmt: skip


def asked(action: str, context: Context = CALL) -> Request:
    return Request(action, policy.resource_of(ACCOUNT), context)


def text(*statements: Statement) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements)})


def of(*policies: str, session: str | None = None, account: bool = False) -> Principal:
    own = tuple(policy.compiled(f"p{number}", each) for number, each in enumerate(policies, start=1))
    ready = None if session is None else policy.compiled("session", session)
    return Principal("alice", None if account else own, session=ready, temporary=session is not None)


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 150


@pytest.mark.parametrize(
    ("statements", "action", "how", "verdict"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
@pytest.mark.parametrize("together", [True, False], ids=["one policy", "a policy each"])
def test_a_row(statements: list[Statement], action: str, how: dict[str, Any], verdict: Verdict, together: bool) -> None:
    """It does not matter how statements are spread over policies."""
    texts = [text(*statements)] if together else [text(one) for one in statements]
    assert decision.decide(of(*texts), asked(action, replace(CALL, **how))).verdict is verdict


statements = st.lists(st.sampled_from([one for row in ROWS for one in row[1]]), min_size=1, max_size=6)


@given(statements, st.randoms(use_true_random=False))
def test_order_does_not_matter(chosen: list[Statement], random: Random) -> None:
    first = decision.decide(of(text(*chosen)), asked(SEND)).verdict
    random.shuffle(chosen)
    assert decision.decide(of(*[text(one) for one in chosen]), asked(SEND)).verdict is first


@given(statements, statements)
def test_one_more_policy_never_takes_a_deny_back(before: list[Statement], more: list[Statement]) -> None:
    first = decision.decide(of(text(*before)), asked(SEND)).verdict
    then = decision.decide(of(text(*before), text(*more)), asked(SEND)).verdict
    assert then is DENY if first is DENY else then in ((ALLOW, DENY) if first is ALLOW else Verdict)


SYSTEM = [
    ("AliyunCamsFullAccess", SEND, ALLOW),
    ("AliyunCamsFullAccess", LIST, ALLOW),
    ("AliyunCamsFullAccess", "ecs:StopInstance", NOTHING),
    ("AliyunCamsReadOnlyAccess", LIST, ALLOW),
    ("AliyunCamsReadOnlyAccess", GET, ALLOW),
    ("AliyunCamsReadOnlyAccess", SEND, NOTHING),
    ("AliyunCamsReadOnlyAccess", QUERY, NOTHING),
    ("AliyunCamsReadOnlyAccess", "cams:UpdateAccountWebhook", NOTHING),
]


@pytest.mark.parametrize(("name", "action", "verdict"), SYSTEM)
def test_system_policies(name: str, action: str, verdict: Verdict) -> None:
    assert decision.decide(of(TEXTS[name]), asked(action)).verdict is verdict


FULL, READ = text(allow("cams:*")), text(allow(["cams:Get*", "cams:List*"]))

# The user's policy (None: the account itself), the session's ▶ verdict on sending.
SESSIONS = [
    (FULL, FULL, ALLOW),
    (FULL, READ, NOTHING),
    (READ, FULL, NOTHING),
    (FULL, text(allow(), deny(SEND)), DENY),
    (text(allow(), deny(SEND)), FULL, DENY),
    (None, FULL, ALLOW),
    (None, READ, NOTHING),
    (FULL, text(allow(Bool={"acs:SecureTransport": "false"})), NOTHING),
]


@pytest.mark.parametrize(("own", "session", "verdict"), SESSIONS)
def test_a_session_may_do_what_both_allow(own: str | None, session: str, verdict: Verdict) -> None:
    principal = of(session=session, account=True) if own is None else of(own, session=session)
    assert decision.decide(principal, asked(SEND)).verdict is verdict


def test_nobody_without_a_policy() -> None:
    assert decision.decide(of(), asked(SEND)).verdict is NOTHING


def test_the_account_itself() -> None:
    assert decision.decide(of(account=True), asked(SEND)).verdict is ALLOW


def test_what_cannot_be_read_denies_everything() -> None:
    principal = Principal("alice", (policy.compiled("all", FULL), policy.unreadable("torn")))
    made = decision.decide(principal, asked(SEND))
    assert made.verdict is DENY
    assert "torn (which cannot be read)" in made.sentence


SENTENCES = [
    ([FULL], "alice may call cams:SendChatappMessage: statement 1 of policy p1 allows it."),
    (
        [FULL, text(deny(LIST), deny(SEND))],
        "alice may not call cams:SendChatappMessage: statement 2 of policy p2 denies it.",
    ),
    ([], "alice may not call cams:SendChatappMessage: no policy is attached that allows it."),
    ([READ, READ], "alice may not call cams:SendChatappMessage: no statement of p1, p2 allows it."),
    (
        [text(allow(SEND, IpAddress=ip("198.51.100.0/24", "192.0.2.1")))],
        (
            "alice may not call cams:SendChatappMessage: no statement of p1 allows it (statement 1 of policy p1 would, "
            "but only where IpAddress acs:SourceIp 198.51.100.0/24 or 192.0.2.1)."
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("policies", "sentence"), SENTENCES)
def test_a_decision_is_explained_in_one_sentence(policies: list[str], sentence: str) -> None:
    assert decision.decide(of(*policies), asked(SEND)).sentence == sentence


def test_a_session_is_explained_too() -> None:
    made = decision.decide(of(FULL, session=READ), asked(SEND))
    assert made.policy_type == "SessionPolicy"
    assert (
        made.sentence == "alice may not call cams:SendChatappMessage: no statement of the session's policy allows it."
    )
    assert decision.decide(of(READ, session=FULL), asked(SEND)).policy_type == "AccountLevelIdentityBasedPolicy"
