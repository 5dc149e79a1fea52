"""Every number of the simulators, 01 to 74: what becomes of its message, who gets an SMS, what the customer is told.

One sandbox whose time runs ten times as fast, an account of its own for each case, all of them at once. The table is
the documentation of the sandbox's numbers, and of what a caller can expect of each outcome.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.caller import Account, connect, signed
from tests.e2e.processes import Processes
from tests.e2e.sandbox import SENDER, SPACE, Sandbox

SPEED = 10
QUIET = 2.0
"""Seconds after everything was as expected in which nothing more may come: 20 of the sandbox's."""
PATIENCE = 40.0

HELLO = '{"text":"hi"}'
TEXT = "Viber did not arrive"
NO_SMS: tuple[str, ...] = ()
ARRIVED = ("Sent", "Delivered")


@dataclass(frozen=True, slots=True)
class Number:
    """What a number does with a transaction message of 30 seconds."""

    ends: str
    status: str
    """Of the message in the end."""
    told: tuple[str, ...]
    """Reports of the message, in order."""
    code: str = ""
    """Of the failure, as it is told."""
    fallback: str = "called_off"
    """Where an ordered fallback stands in the end."""
    sms: tuple[str, ...] = NO_SMS
    """Reports of the SMS, in order."""
    also: tuple[str, ...] = ()
    """What the account is told besides."""


def failed(ends: str, code: str, sms: tuple[str, ...] = ARRIVED) -> Number:
    """Return a number that is refused at once, so that the SMS goes out at once."""
    return Number(ends, "failed", ("Failed",), code, "fired", sms)


NUMBERS = (
    Number("01", "read", ("Sent", "Delivered", "Read")),
    Number("02", "read", ("Sent", "Read")),
    Number("03", "expired", ("Sent", "Failed"), "SRVC_TIMEOUT", "fired", ARRIVED),
    Number("04", "delivered", ("Sent", "Failed", "Delivered"), "SRVC_TIMEOUT", "fired", ARRIVED),
    Number("05", "read", ("Sent", "Failed", "Read"), "SRVC_TIMEOUT", "fired", ARRIVED),
    Number("07", "delivered", ("Sent", "Delivered")),
    Number("08", "delivered", ("Sent", "Delivered"), also=("subscribe",)),
    Number("09", "delivered", ("Sent", "Delivered"), also=("unsubscribe",)),
    Number("10", "read", ("Sent", "Delivered", "Read")),
    Number("11", "delivered", ("Sent", "Delivered")),
    Number("12", "expired", ("Sent", "Failed"), "SRVC_TIMEOUT", "fired", ARRIVED),
    Number("20", "delivered", ("Sent", "Delivered")),
    Number("30", "expired", ("Failed",), "SRVC_TIMEOUT", "fired", ARRIVED),
    failed("32", "SRVC_BAD_SERVICE_ID"),
    failed("33", "SRVC_BLOCKED_MESSAGE_TYPE"),
    failed("34", "SRVC_BAD_MESSAGE_TYPE"),
    failed("35", "SRVC_BAD_PARAMETERS"),
    Number("36", "unknown", ("Failed",), "UnknownOutcome", "fired", ARRIVED),
    failed("37", "SRVC_USER_BLOCKED"),
    failed("38", "SRVC_NOT_VIBER_USER"),
    failed("39", "SRVC_NO_SUITABLE_DEVICE"),
    failed("40", "SRVC_UNAUTHORIZED_IP"),
    failed("41", "SRVC_NOT_PERMITTED"),
    failed("42", "SRVC_BILLING_FAILURE"),
    failed("43", "SRVC_BAD_LABEL"),
    failed("44", "SRVC_INVALID_TTL"),
    failed("45", "SRVC_WAIT_FOR_USER_RESPONSE"),
    failed("46", "SRVC_INVALID_PHONE_NUMBER"),
    failed("47", "SRVC_SERVICE_BLOCKED"),
    failed("48", "SRVC_UNAUTHORIZED_IP"),
    Number("50", "delivered", ("Sent", "Delivered")),
    Number("51", "expired", ("Failed",), "SRVC_TIMEOUT", "fired", ARRIVED),
    Number("52", "delivered", ("Delivered",)),
    Number("60", "read", ("Sent", "Delivered", "Read"), also=("inbound",)),
    failed("71", "SRVC_NOT_VIBER_USER", ("Sent", "Failed")),
    failed("72", "SRVC_NOT_VIBER_USER", ("Failed",)),
    failed("73", "SRVC_NOT_VIBER_USER"),
    failed("74", "SRVC_NOT_VIBER_USER", ("Sent",)),
)

SMS_STATUS = {
    (): [],
    ARRIVED: ["delivered"],
    ("Sent",): ["sent"],
    ("Sent", "Failed"): ["failed"],
    ("Failed",): ["failed"],
}
"""Statuses of the SMS that there are, by what is told of them."""

POLICY = {"FallBackId": "S_000001", "FallBackContent": TEXT}
TEMPLATE = {"Type": "template", "MessageType": "", "Content": "", "TemplateCode": "nobody-made-it", "Language": "en"}
"""A call that fails validation, in what ``sentFailed`` lets pass."""


@dataclass(frozen=True, slots=True)
class Case:
    """One message of one account, and what is to become of it."""

    name: str
    number: Number
    params: dict[str, str] = field(default_factory=dict)

    @property
    def account(self) -> str:
        return f"sandbox-{self.name}-{self.number.ends}"

    @property
    def to(self) -> str:
        return f"6391700000{self.number.ends}"

    @property
    def expected(self) -> dict[str, object]:
        number, orders = self.number, "FallBackId" in self.params
        sms = number.sms if orders else NO_SMS
        return {
            "status": number.status, "told": list(number.told), "code": number.code, "also": sorted(number.also),
            "fallback": number.fallback if orders else None, "told of the SMS": list(sms), "SMS": SMS_STATUS[sms],
            "SMS on the phone": int(sms == ARRIVED),
            "both arrived": sms == ARRIVED and number.status in ("delivered", "read"),
        }  # fmt: skip


HANGS = Number("53", "unknown", ("Failed",), "UnknownOutcome", "fired", ARRIVED)
BY_TIME = Number("12", "expired", ("Sent", "Failed"), "SRVC_TIMEOUT", "fired", ARRIVED)
BLOCKED_PROMOTION = Number("37", "failed", ("Failed",), "SRVC_USER_BLOCKED", "called_off")
INVALID = {ends: failed(ends, "InvalidParameter.TemplateCode") for ends in ("01", "20", "38")}

CASES = (
    *(Case("none", number) for number in NUMBERS),
    *(
        Case(rule, number, {**POLICY, "FallBackRule": rule})
        for rule in ("undelivered", "sentFailed")
        for number in NUMBERS
    ),
    # The SMS goes out by its time, a minute after the call, while the message could still arrive for half a minute.
    Case("by-time", BY_TIME, {**POLICY, "FallBackDuration": "60", "Ttl": "90"}),
    *(
        Case("before-its-time", n, {**POLICY, "FallBackDuration": "60"})
        for n in NUMBERS
        if n.ends in ("01", "20", "52")
    ),
    Case("promotion", BLOCKED_PROMOTION, {**POLICY, "Label": "promotion"}),
    *(Case("invalid", n, {**POLICY, **TEMPLATE, "FallBackRule": "sentFailed"}) for n in INVALID.values()),
)


class Run:
    """All cases at one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.ids: dict[str, str] = {}

    async def send(self, cases: Sequence[Case]) -> dict[str, str]:
        """Make the calls; answer the code of each by its account."""
        codes = {}
        async with connect(self.sandbox.url) as peer:
            for case in cases:
                params = {
                    "ChannelType": "viber", "Type": "message", "MessageType": "text", "From": SENDER, "To": case.to,
                    "CustSpaceId": SPACE, "Label": "transaction", "Ttl": "30", "Content": HELLO, **case.params,
                }  # fmt: skip
                await peer.send(signed(Account(case.account, case.account), self.sandbox.url, params))
                answer = (await peer.reply()).json
                codes[case.account] = answer["Code"]
                if answer["Code"] == "OK":
                    self.ids[case.account] = answer["MessageId"]
        return codes

    def seen(self, case: Case) -> dict[str, object]:
        """Return what has become of a case so far."""
        account, message_id = case.account, self.ids[case.account]
        message = self.sandbox.message(message_id, account)
        heard = [report for call in reversed(self.sandbox.callbacks(account)) for report in call["body"]]
        own = [report for report in heard if report.get("MessageId") == message_id]
        others = [report for report in heard if report not in own]
        told = [report for report in own if report["Type"] != "SMS"]
        shown = self.sandbox.phone(case.to, account)
        return {
            "status": message["status"], "told": [report["Status"] for report in told],
            "code": "".join(report.get("ErrorCode", "") for report in told),
            "also": sorted(report.get("NoticeType") or report["Status"] for report in others),
            "fallback": message["fallback"] and message["fallback"]["state"],
            "told of the SMS": [report["Status"] for report in own if report["Type"] == "SMS"],
            "SMS": [each["status"] for each in self.sandbox.messages(account) if each["channel"] == "sms"],
            "SMS on the phone": sum(each["channel"] == "sms" and each["text"] == TEXT for each in shown),
            "both arrived": "both arrived" in {step["event"] for step in message["timeline"]},
        }  # fmt: skip

    def others(self, cases: Sequence[Case]) -> dict[str, dict[str, object]]:
        """Return what is not as expected: of each such case all that is seen and differs."""
        return {
            case.account: {what: value for what, value in seen.items() if value != case.expected[what]}
            for case in cases
            if (seen := self.seen(case)) != case.expected
        }


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    async with Processes(tmp_path) as processes:
        data = tmp_path / "data"
        process = await processes.start("tests.e2e.shifted", "--speed", SPEED, "sandbox", "--data", data, "--port", 0)
        yield Run(Sandbox(process.url, data))


async def test_numbers(run: Run) -> None:
    await become(run, CASES)
    await asyncio.sleep(QUIET)
    assert run.others(CASES) == {}


async def test_a_partner_that_hangs(sandbox: Sandbox) -> None:
    """Number 53, at the pace of this world, whose time-out it is about: twenty seconds without an answer."""
    run = Run(sandbox)
    await become(run, [Case(name, HANGS, params) for name, params in (("hangs", {}), ("hangs-sms", POLICY))])


async def become(run: Run, cases: Sequence[Case]) -> None:
    """Send, and return when all is as expected."""
    assert set((await run.send(cases)).values()) == {"OK"}
    deadline, waiting = time.monotonic() + PATIENCE, list(cases)
    while waiting and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        waiting = [case for case in waiting if run.seen(case) != case.expected]
    assert run.others(waiting) == {}


async def test_a_call_that_fails_validation(run: Run) -> None:
    """Without ``sentFailed`` it is refused, whatever the number, and nothing exists."""
    refused = [
        Case(rule, n, {**POLICY, **TEMPLATE, "FallBackRule": rule}) for rule in ("undelivered", "") for n in NUMBERS
    ]
    assert set((await run.send(refused)).values()) == {"InvalidParameter.TemplateCode"}
    await asyncio.sleep(QUIET)
    assert [run.sandbox.messages(case.account) for case in refused] == [[]] * len(refused)
    assert [run.sandbox.callbacks(case.account) for case in refused] == [[]] * len(refused)
