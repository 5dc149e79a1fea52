"""Every official SDK does everything that a user of it does, unchanged, against a real process over HTTP.

Each client makes its calls once (``calls.Asked``); the tests look at what its user sees, and at the phone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.command import chatgate_json
from tests.e2e.sandbox import Sandbox, new_account, running
from tests.gateway.wire import Caller, ask, text
from tests.sdk.calls import TEMPLATE_TO, TEXT_TO, Asked, Outcome, Session
from tests.sdk.clients import CLIENTS, Client, compile_node_programs

pytestmark = pytest.mark.xdist_group("sdk")

AT_ONCE = 3
"""Clients that run side by side; starting them is most of what they cost."""

MESSAGE_ID = re.compile(r"[0-9a-f]{24}")
REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


@dataclass(frozen=True, slots=True)
class Run:
    """One client's calls and what came of them."""

    client: Client
    account: str
    sandbox: Sandbox
    outcomes: dict[str, Outcome] = field(repr=False)

    def refused(self, name: str) -> Outcome:
        """Return the outcome of a call that must have raised what this client raises for a refusal."""
        outcome = self.outcomes[name]
        assert outcome.raised == self.client.refuses.format(code=outcome.code), outcome
        assert outcome.request_id is not None
        assert REQUEST_ID.fullmatch(outcome.request_id)
        return outcome

    def shown(self, name: str, number: str) -> dict[str, Any]:
        """Return what the phone shows of a message that the client was told is OK."""
        outcome = self.outcomes[name]
        assert (outcome.raised, outcome.code, outcome.message) == (None, "OK", "OK"), outcome
        assert outcome.message_id is not None
        assert MESSAGE_ID.fullmatch(outcome.message_id)
        assert REQUEST_ID.fullmatch(outcome.request_id or "")
        self.sandbox.delivered(outcome.message_id, self.account)
        [message] = [
            shown for shown in self.sandbox.phone(number, self.account) if shown["message_id"] == outcome.message_id
        ]
        return message


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that allows each account one call a second."""
    with running(tmp_path_factory.mktemp("limited") / "data", calls_per_second=1) as process:
        yield process


@pytest.fixture(scope="module")
def runs(
    sandbox: Sandbox, limited: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Run]]]:
    """Every client at work. What goes wrong with one is raised to its own tests."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        compiled = pool.submit(compile_node_programs, tmp_path_factory.mktemp("node"))

        def run(client: Client, account: str, session: Session) -> Run:
            asked = Asked.of(sandbox, limited, account, session)
            return Run(client, account, sandbox, asked.outcomes(client.run(asked, compiled.result)))

        accounts = {name: new_account() for name in CLIENTS}
        sessions = {name: _session(sandbox, account) for name, account in accounts.items()}
        yield {name: pool.submit(run, client, accounts[name], sessions[name]) for name, client in CLIENTS.items()}


def _session(sandbox: Sandbox, account: str) -> Session:
    """Return temporary credentials of a new account, which may send to one number."""
    assert ask(sandbox.host, Caller(sandbox.host, account).v3(text(To="+1"))).code == "InvalidParameter.ToOnlyNumeric"
    allow = {
        "Effect": "Allow", "Action": "cams:*", "Resource": "*",
        "Condition": {"StringEquals": {"cams:To": TEXT_TO}},
    }  # fmt: skip
    policy = json.dumps({"Version": "1", "Statement": [allow]})
    made = chatgate_json(sandbox, "sts", "issue", account, "--policy", "-", stdin=policy)
    return Session(made["access_key_id"], made["access_key_secret"], made["security_token"])


@pytest.fixture(scope="module", params=CLIENTS)
def run(request: pytest.FixtureRequest, runs: dict[str, Future[Run]]) -> Run:
    return runs[request.param].result()


def test_text_arrives(run: Run) -> None:
    message = run.shown("text", TEXT_TO)
    assert message["text"] == "Héllo & 'wörld' ~*() 你好 😀+%20"


def test_template_arrives(run: Run) -> None:
    message = run.shown("template", TEMPLATE_TO)
    assert message["text"] == "Hello Ana & Zoë, your order A/7 +1 is on its way."


def test_wrong_secret(run: Run) -> None:
    outcome = run.refused("wrong secret")
    assert outcome.code == run.client.wrong_secret
    assert outcome.http in (400, None)


def test_unknown_key(run: Run) -> None:
    outcome = run.refused("unknown key")
    assert outcome.code == "InvalidAccessKeyId.NotFound"
    assert outcome.http in (404, None)
    assert "Specified access key is not found." in outcome.message


def test_temporary_credentials(run: Run) -> None:
    outcome = run.outcomes["temporary"]
    assert (outcome.raised, outcome.code) == (None, "OK"), outcome


def test_temporary_credentials_without_their_token(run: Run) -> None:
    outcome = run.refused("without its token")
    assert outcome.code == "MissingSecurityToken"
    assert outcome.http in (400, None)


def test_what_a_policy_does_not_allow(run: Run) -> None:
    outcome = run.refused("denied")
    assert outcome.code == "Ram.PermissionDeny"
    assert outcome.http in (400, None)
    assert "You are not authorized to perform the operation." in outcome.message


def test_validation_code_comes_in_the_body(run: Run) -> None:
    outcome = run.outcomes["not valid"]
    assert (outcome.raised is not None) == run.client.raises_validation_codes
    assert outcome.code == "InvalidParameter.ToOnlyNumeric"
    assert outcome.http in (200, None)
    assert outcome.message_id is None


def test_missing_parameter(run: Run) -> None:
    outcome = run.refused("missing")
    assert outcome.code == "MissingTo"
    assert outcome.http in (400, None)
    assert "To is mandatory for this action." in outcome.message


def test_unknown_action(run: Run) -> None:
    outcome = run.refused("unknown action")
    assert outcome.code == "InvalidAction.NotFound"
    assert outcome.http in (404, None)


def test_flow_control(run: Run) -> None:
    fast = [run.outcomes[f"fast {n}"] for n in (1, 2, 3)]
    assert fast[0].code == "OK"
    refused = [outcome for outcome in fast if outcome.code != "OK"]
    assert refused
    for outcome in refused:
        assert outcome.code == "System.LimitControl"
        assert outcome.raised == run.client.throttled.format(code=outcome.code)
        assert outcome.http in (400, None)
        assert (outcome.retry_after is not None) == outcome.raised.startswith("Throttling")
        assert outcome.retry_after is None or 1 <= outcome.retry_after <= 1000


def test_nothing_else_was_stored(run: Run) -> None:
    accepted = {run.outcomes[name].message_id for name in ("text", "temporary", "template")}
    assert {message["message_id"] for message in run.sandbox.messages(run.account)} == accepted
