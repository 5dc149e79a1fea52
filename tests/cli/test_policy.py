"""``chatgate policy`` and ``chatgate sts``."""

from __future__ import annotations

import base64
import json
from datetime import datetime

import pytest

from chatgate.clock import HOUR, SystemClock
from chatgate.errors import ApiError
from chatgate.gateway.sts import OpenedToken, Tokens
from chatgate.sealing import KeyRing
from chatgate.store.store import Store
from tests.cli.shell import Shell

POLICY = {
    "Version": "1",
    "Statement": [
        {
            "Effect": "Allow", "Action": "cams:Send*", "Resource": "*",
            "Condition": {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}},
        },
        {
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"StringNotEquals": {"cams:Label": "transaction"}},
        },
    ],
}  # fmt: skip


@pytest.fixture
def shop(shell: Shell) -> None:
    shell("account", "create", "shop")
    shell("user", "create", "shop", "alice")
    (shell.folder / "p.json").write_text(json.dumps(POLICY))
    (shell.folder / "wrong.json").write_text("{")
    (shell.folder / "latin.json").write_bytes(b'{"\xe4": 1}')
    (shell.folder / "huge.json").write_bytes(b" " * 100_000)
    assert shell("policy", "create", "shop", "office", "p.json").out == "office is a policy of shop.\n"


pytestmark = pytest.mark.usefixtures("shop")


def attached(shell: Shell) -> dict[str, str]:
    return {row["name"]: row["attached_to"] for row in shell("policy", "list", "shop", "--json").json}


def test_attach_and_detach(shell: Shell) -> None:
    assert attached(shell) == {"AliyunCamsFullAccess": "", "AliyunCamsReadOnlyAccess": "", "office": ""}
    for name in ("office", "AliyunCamsReadOnlyAccess"):
        assert shell("policy", "attach", "shop", name, "alice").out == f"{name} is attached to alice.\n"
    assert attached(shell) == {"AliyunCamsFullAccess": "", "AliyunCamsReadOnlyAccess": "alice", "office": "alice"}
    assert shell("user", "list", "shop", "--json").json[0]["policies"] == "AliyunCamsReadOnlyAccess, office"
    assert shell("policy", "detach", "shop", "office", "alice").out == "office is detached from alice.\n"
    assert attached(shell)["office"] == ""


def test_show(shell: Shell) -> None:
    assert shell("policy", "show", "shop", "office").json == POLICY
    assert shell("policy", "show", "shop", "AliyunCamsFullAccess").json["Statement"][0]["Action"] == "cams:*"


def test_replace(shell: Shell) -> None:
    (shell.folder / "p.json").write_text(json.dumps(POLICY | {"Statement": POLICY["Statement"][:1]}))
    refused = shell.fails("policy", "create", "shop", "office", "p.json")
    assert refused == "A policy named 'office' exists already; --replace changes it."
    shell("policy", "create", "shop", "office", "p.json", "--replace")
    assert len(shell("policy", "show", "shop", "office").json["Statement"]) == 1


def test_delete(shell: Shell) -> None:
    shell("policy", "attach", "shop", "office", "alice")
    assert shell.fails("policy", "delete", "shop", "office") == "office is attached to alice; detach it first."
    shell("policy", "detach", "shop", "office", "alice")
    assert shell("policy", "delete", "shop", "office").out == "office is deleted.\n"
    assert "office" not in attached(shell)


TRANSACTION = ("--param", "Label=transaction")
INSIDE = ("--source-ip", "10.1.2.3", *TRANSACTION)

# Arguments after the action ▶ exit status, policy and statement that decided, how the sentence ends.
SIMULATIONS = [
    (("SendChatappMessage", *INSIDE), 0, ("office", 1), "statement 1 of policy office allows it."),
    (("cams:SendChatappMessage", *INSIDE), 0, ("office", 1), "statement 1 of policy office allows it."),
    (
        ("SendChatappMessage", "--source-ip", "10.1.2.3", "--param", "Label=promotion"), 1, ("office", 2),
        "statement 2 of policy office denies it.",
    ),
    (("ListChatappMessage", *INSIDE), 1, (None, None), "no statement of office allows it."),
    (
        ("SendChatappMessage", *TRANSACTION), 1, (None, None),
        "(statement 1 of policy office would, but only where IpAddress acs:SourceIp 10.0.0.0/8).",
    ),
    (
        ("SendChatappMessage", *INSIDE, "--session", "read.json"), 1, (None, None),
        "no statement of the session's policy allows it.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "status", "decided", "ending"), SIMULATIONS)
def test_simulate(
    shell: Shell, arguments: tuple[str, ...], status: int, decided: tuple[str | None, int | None], ending: str
) -> None:
    shell("policy", "attach", "shop", "office", "alice")
    (shell.folder / "read.json").write_text(
        '{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:List*","Resource":"*"}]}'
    )
    ran = shell("policy", "simulate", "shop", "alice", *arguments)
    assert ran.status == status
    assert ran.out.endswith(ending + "\n")
    told = json.loads(shell("policy", "simulate", "shop", "alice", *arguments, "--json").out)
    assert (told["policy"], told["statement"]) == decided
    assert (told["allowed"], told["sentence"]) == (not status, ran.out.strip())


REFUSALS = [
    (("policy", "create", "shop", "x", "wrong.json"), "The policy is not JSON: Expecting property name"),
    (("policy", "create", "shop", "x", "latin.json"), "The policy is not UTF-8."),
    (("policy", "create", "shop", "x", "huge.json"), "A policy has at most 6144 characters"),
    (("sts", "issue", "shop", "--policy", "latin.json"), "The policy is not UTF-8."),
    (("policy", "create", "shop", "a b", "p.json"), "The name of a policy has 1 to 128 letters, digits and hyphens."),
    (("policy", "create", "shop", "AliyunCamsFullAccess", "p.json"), "AliyunCamsFullAccess is a system policy."),
    (("policy", "create", "bank", "x", "p.json"), "There is no account 'bank'."),
    (("policy", "attach", "shop", "none", "alice"), "There is no policy 'none'."),
    (("policy", "attach", "shop", "office", "bob"), "There is no user 'bob' of the account."),
    (("policy", "detach", "shop", "office", "alice"), "office is not attached to alice."),
    (("policy", "delete", "shop", "none"), "There is no policy 'none' of the account."),
    (("policy", "delete", "shop", "AliyunCamsFullAccess"), "There is no policy 'AliyunCamsFullAccess' of the account."),
    (("policy", "show", "shop", "none"), "There is no policy 'none'."),
    (("policy", "simulate", "shop", "bob", "X"), "There is no user 'bob' of the account."),
    (("policy", "simulate", "shop", "alice", "X", "--at", "noon"), "--at takes a time with its zone, such as 2025-"),
    (("policy", "simulate", "shop", "alice", "X", "--at", "2025-03-01T12:00:00"), "--at takes a time with its zone"),
    (("policy", "simulate", "shop", "alice", "X", "--param", "Label"), "--param takes NAME=VALUE, not 'Label'."),
    (("sts", "issue", "bank"), "There is no account 'bank'."),
    (("sts", "issue", "shop", "--user", "bob"), "There is no user 'bob' of the account."),
    (("sts", "issue", "shop", "--duration", "1d"), "--duration takes a number and s, m or h, such as 45m."),
    (("sts", "issue", "shop", "--duration", "14m"), "Temporary credentials live 15 minutes to 12 hours."),
    (("sts", "issue", "shop", "--duration", "13h"), "Temporary credentials live 15 minutes to 12 hours."),
    (("sts", "issue", "shop", "--policy", "wrong.json"), "The policy is not JSON: Expecting property name"),
]


@pytest.mark.parametrize(("arguments", "beginning"), REFUSALS)
def test_refusals(shell: Shell, arguments: tuple[str, ...], beginning: str) -> None:
    assert shell.fails(*arguments).startswith(beginning)


def test_a_parameter_that_no_operation_has(shell: Shell) -> None:
    """A misspelled one would never be there: a Deny would never deny."""
    (shell.folder / "p.json").write_text(json.dumps(POLICY).replace("cams:Label", "cams:Lable"))
    sentence = "Statement 2, Condition: no operation has a parameter 'Lable'."
    assert shell.fails("policy", "create", "shop", "x", "p.json") == sentence


# --- sts -------------------------------------------------------------------------------------------------------------


def opened(shell: Shell, made: dict[str, str], later: int = 0) -> OpenedToken:
    async def work(_store: Store, ring: KeyRing) -> OpenedToken:
        return Tokens(ring).open(made["security_token"], made["access_key_id"], SystemClock().now() + later)

    return shell.in_store(work)


def test_issue(shell: Shell) -> None:
    made = shell("sts", "issue", "shop", "--user", "alice", "--duration", "45m", "--policy", "p.json", "--json").json
    assert list(made) == ["account", "user", "access_key_id", "access_key_secret", "security_token", "expires_at"]
    token = opened(shell, made)
    assert (token.session.name, token.session.secret) == ("alice", made["access_key_secret"])
    assert (token.session.mfa, token.policy is not None) == (False, True)
    assert datetime.fromisoformat(made["expires_at"]).timestamp() * 1000 == token.session.expires_at
    with pytest.raises(ApiError, match="Expired"):
        opened(shell, made, later=HOUR)


def test_issue_for_the_account_itself(shell: Shell) -> None:
    made = shell("sts", "issue", "shop", "--mfa", "--json").json
    token = opened(shell, made)
    assert (token.session.user_id, token.session.name, token.session.mfa, token.policy) == (None, "shop", True, None)
    assert made["user"] is None
    assert [line.split()[:2] for line in shell("sts", "issue", "shop").out.splitlines()] == [
        ["account", "shop"], ["access", "key"], ["access", "key"], ["security", "token"],
        ["expires", "at"],
    ]  # fmt: skip


def test_a_token_shows_nothing(shell: Shell) -> None:
    made = shell("sts", "issue", "shop", "--user", "alice", "--json").json
    raw = base64.b64decode(made["security_token"])
    assert made["access_key_secret"].encode() not in raw
    assert b"alice" not in raw


def test_nothing_is_stored(shell: Shell) -> None:
    made = shell("sts", "issue", "shop", "--json").json
    for path in shell.folder.rglob("*"):
        if path.is_file():
            assert made["access_key_id"].encode() not in path.read_bytes()
