"""Reading a policy: what is right, and one clear sentence for each mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgate.domain.ram import policy
from chatgate.domain.ram.policy import LONGEST, Effect, MalformedPolicy

GOOD: dict[str, Any] = {"Effect": "Allow", "Action": "cams:*", "Resource": "*"}


def document(*statements: object, **more: object) -> str:
    return json.dumps({"Version": "1", "Statement": list(statements), **more})


def changed(**elements: object) -> str:
    """Return a policy whose one statement is ``GOOD`` with these elements; None takes one out."""
    return document({name: value for name, value in (GOOD | elements).items() if value is not None})


def under(condition: object) -> str:
    return changed(Condition=condition)


def test_statements_are_read_in_order() -> None:
    read = policy.compiled("p", document(GOOD, GOOD | {"Effect": "Deny"}))
    assert [(one.number, one.effect) for one in read.statements] == [(1, Effect.ALLOW), (2, Effect.DENY)]


MISTAKES = {
    "nothing": ("", "The policy is not JSON: Expecting value in line 1, column 1."),
    "text behind it": (document(GOOD) + "x", "The policy is not JSON: Extra data in line 1, column"),
    "no object": ("[]", "The policy must be a JSON object."),
    "NaN": ('{"Version": NaN}', "The policy is not JSON: NaN is no value."),
    "a huge number": ('{"Version": ' + "1" * 5000 + "}", "The policy is not JSON that can be read: a number"),
    "deep": ("[" * 3000 + "]" * 3000, "The policy is nested too deeply."),
    "too long": (document(GOOD, Note=LONGEST * "x"), f"A policy has at most {LONGEST} characters; this one has"),
    "twice": ('{"Version":"1","Version":"1","Statement":[]}', "Version is given twice in one object."),
    "no version": (json.dumps({"Statement": [GOOD]}), 'Version must be "1".'),
    "another version": (document(GOOD, Version="2012-10-17"), 'Version must be "1".'),
    "a number as version": (document(GOOD, Version=1), 'Version must be "1".'),
    "another element": (document(GOOD, Id="x"), "The policy has no element 'Id'; known are Version, Statement."),
    "no statement": ('{"Version":"1"}', "Statement must be a list of 1 to 100 statements."),
    "an empty list": (document(), "Statement must be a list of 1 to 100 statements."),
    "one that is no list": (json.dumps({"Version": "1", "Statement": GOOD}), "Statement must be a list of 1 to 100"),
    "a text as statement": (document(GOOD, "x"), "Statement 2 must be a JSON object."),
    "an unknown element": (
        changed(Principal="*"),
        "Statement 1 has no element 'Principal'; known are Effect, Action, NotAction, Resource, Condition.",
    ),
    "in lower case": (changed(effect="Allow"), "Statement 1 has no element 'effect'"),
    "no effect": (changed(Effect=None), "Statement 1: Effect must be Allow or Deny."),
    "another effect": (changed(Effect="allow"), "Statement 1: Effect must be Allow or Deny."),
    "a list as effect": (changed(Effect=["Allow"]), "Statement 1: Effect must be Allow or Deny."),
    "no action": (changed(Action=None), "Statement 1 needs either Action or NotAction."),
    "both": (changed(NotAction="ecs:*"), "Statement 1 needs either Action or NotAction."),
    "no service": (changed(Action="SendChatappMessage"), "Statement 1, Action: 'SendChatappMessage' is not"),
    "two colons": (changed(Action="cams:a:b"), "Statement 1, Action: 'cams:a:b' is not SERVICE:ACTION"),
    "a blank": (changed(Action="cams: *"), "Statement 1, Action: 'cams: *' is not SERVICE:ACTION"),
    "a wrong one of several": (changed(Action=["cams:*", "x"]), "Statement 1, Action: 'x' is not SERVICE:ACTION"),
    "a wrong NotAction": (changed(Action=None, NotAction="x"), "Statement 1, NotAction: 'x' is not SERVICE:ACTION"),
    "an empty action": (changed(Action=""), "Statement 1: Action must be a text or a list of texts."),
    "an empty list of actions": (changed(Action=[]), "Statement 1: Action must be a text or a list of texts."),
    "a number as action": (changed(Action=[1]), "Statement 1: Action must be a text or a list of texts."),
    "no resource": (changed(Resource=None), "Statement 1: Resource must be a text or a list of texts."),
    "a resource in four parts": (changed(Resource="acs:cams:*:*"), "Statement 1, Resource: 'acs:cams:*:*' is not *"),
    "another cloud's": (changed(Resource="arn:aws:s3:::b"), "Statement 1, Resource: 'arn:aws:s3:::b' is not * or acs:"),
    "a deny of a region": (
        changed(Effect="Deny", Resource="acs:cams:cn-x:*:*"), "Statement 1, Resource: 'acs:cams:cn-x:*:*' would deny",
    ),
    "a deny of a narrower thing": (
        changed(Effect="Deny", Resource=["*", "acs:*:*:*:space/1"]), "Statement 1, Resource: 'acs:*:*:*:space/1' would",
    ),
    "a deny that rests on a parameter": (
        changed(Effect="Deny", Condition={"StringLike": {"cams:To": "7*"}}), "Statement 1, Condition: StringLike cams",
    ),
    "an allow where one may be missing": (
        changed(Condition={"StringNotEquals": {"cams:To": "1"}}), "Statement 1, Condition: StringNotEquals cams:To",
    ),
    "no relative id": (changed(Resource="acs:cams:*:*:"), "Statement 1, Resource: 'acs:cams:*:*:' is not * or acs:"),
    "a list as condition": (under([]), "Statement 1, Condition must be a JSON object."),
    "an operator without keys": (under({"Bool": "true"}), "Statement 1, Condition, Bool must be a JSON object."),
    "an unknown operator": (
        under({"BoolIfExists": {"acs:MFAPresent": "true"}}),
        "Statement 1, Condition: there is no operator 'BoolIfExists'; known are StringEquals, ",
    ),
    "an unknown key": (
        under({"StringEquals": {"acs:UserAgent": "x"}}),
        "Statement 1, Condition: there is no key 'acs:UserAgent'; known are acs:CurrentTime, acs:SecureTransport, acs:",
    ),
    "an operator that does not fit": (
        under({"DateLessThan": {"acs:SourceIp": "2025-03-01T12:00:00Z"}}),
        "Statement 1, Condition: DateLessThan does not fit acs:SourceIp, which is an IP address or a block",
    ),
    "a flag of a parameter": (
        under({"Bool": {"cams:To": "true"}}), "Statement 1, Condition: Bool does not fit cams:To, which is text.",
    ),
    "a number of a time": (
        under({"NumericLessThan": {"acs:CurrentTime": 5}}),
        "Statement 1, Condition: NumericLessThan does not fit acs:CurrentTime, which is a time such as",
    ),
    "no value": (under({"IpAddress": {"acs:SourceIp": []}}), "Statement 1, Condition: IpAddress acs:SourceIp has no"),
    "an object as value": (
        under({"StringEquals": {"cams:To": {}}}),
        "Statement 1, Condition: the values of a condition are texts, numbers, or true and false.",
    ),
    "no block": (
        under({"IpAddress": {"acs:SourceIp": "203.0.113.*"}}),
        "Statement 1, Condition: a value of IpAddress acs:SourceIp is not an IP address or a block such as",
    ),
    "no number": (
        under({"NumericEquals": {"cams:Ttl": "1e3"}}),
        "Statement 1, Condition: a value of NumericEquals cams:Ttl is not",
    ),
    "no flag": (
        under({"Bool": {"acs:SecureTransport": "yes"}}),
        "Statement 1, Condition: a value of Bool acs:SecureTransport is",
    ),
    "a time without its zone": (
        under({"DateEquals": {"acs:CurrentTime": "2025-03-01T12:00:00"}}),
        "Statement 1, Condition: a value of DateEquals acs:CurrentTime is not a time such as 2025-03-01T12:00:00Z.",
    ),
    "no day": (
        under({"DateEquals": {"acs:CurrentTime": "2025-02-30T12:00:00Z"}}),
        "Statement 1, Condition: a value of DateEquals",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_in_one_sentence(case: str) -> None:
    text, beginning = MISTAKES[case]
    with pytest.raises(MalformedPolicy) as caught:
        policy.compiled("p", text)
    sentence = str(caught.value)
    assert sentence.startswith(beginning)
    assert sentence.endswith(".")
    assert "\n" not in sentence
